from __future__ import annotations

import pytest
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from aebench.cluster.following import exit_code
from aebench.cluster.target import Target
from aebench.errors import ClusterError


@pytest.fixture
def target() -> Target:
    """A Ray that is not there: what is asked of it here needs its address alone."""
    client = JobSubmissionClient.__new__(JobSubmissionClient)
    client._address = "http://user:secret@head:8265"
    return Target(client, (), borrowed=False)


def details(status: JobStatus, code: int | None = None, message: str = "") -> JobDetails:
    return JobDetails(
        type="SUBMISSION", entrypoint="", status=status, driver_exit_code=code, message=message, submission_id="j"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (details(JobStatus.SUCCEEDED, 0), 0),
        (details(JobStatus.FAILED, 2), 2),
        (details(JobStatus.FAILED, 3), 3),
        (details(JobStatus.FAILED, 1), 1),
        (details(JobStatus.FAILED, -9), 137),
        (details(JobStatus.STOPPED), 130),
    ],
)
def test_the_exit_code_is_the_job_s_own(target: Target, ended: JobDetails, code: int) -> None:
    assert exit_code("j", ended, target) == code


def test_a_job_that_cannot_import_is_told_of_install(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code("j", details(JobStatus.FAILED, 1, "ModuleNotFoundError: No module named 'torch'"), target)
    assert "--install" in capsys.readouterr().err


def test_a_job_that_was_never_started_is_an_error_which_names_no_password(target: Target) -> None:
    with pytest.raises(ClusterError, match=r"was not started .*: pip failed") as raised:
        exit_code("j", details(JobStatus.FAILED, None, "pip failed"), target)
    assert "secret" not in str(raised.value)
