"""A submitted job and a local run are the same experiment; what a user sees of a job, on a real head."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from aebench.analysis.status import read_status
from aebench.cluster.following import watch
from aebench.cluster.head import started_head
from aebench.cluster.parcel import packed
from aebench.cluster.submission import Order, destination, send
from aebench.cluster.target import Target, _is_here, reached
from aebench.errors import JobError
from aebench.job import command_job, read_job
from aebench.results import RunFolder
from tests.cluster.test_parcel import CODEC
from tests.test_cli import ROOT, aebench

SUBMIT = ROOT / "jobs" / "submit.sh"
MEASURED = (
    "image",
    "image_digest",
    "setting",
    "codec_version",
    "bytes",
    "bpp",
    "mse",
    "psnr_rgb",
    "psnr_y",
    "ms_ssim",
    "error",
)
LONG = '[evaluate]\nimages = "samples"\ncodecs = ["bpg[qp=10..40]"]\n'


def environment(folder: Path, address: str = "") -> dict[str, str]:
    """Return variables under which no other Ray on this machine is found."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    others = {name: value for name, value in os.environ.items() if name != "RAY_API_SERVER_ADDRESS"}
    return {
        **others, "PATH": path, "PYTHONPATH": str(ROOT), "RAY_TMPDIR": str(folder), "RAY_ADDRESS": address,
        "COLUMNS": "160",
    }  # fmt: skip


def submit(*arguments: str | Path, cwd: Path, address: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [SUBMIT, *arguments], cwd=cwd, env=environment(cwd, address), capture_output=True, text=True, timeout=500,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard of a head that is found by its address alone, and whose workers have aebench."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(tmp_path_factory.mktemp("head")).items():
            patch.setenv(name, value)
        with started_head() as address:
            yield address


@pytest.mark.slow
def test_a_submitted_job_leaves_the_rows_of_a_local_run(tmp_path: Path) -> None:
    done = submit(ROOT / "jobs" / "smoke.toml", "--output", "submitted", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"job raysubmit_\w+ on http://127.0.0.1:\d+, results to {tmp_path}/submitted\n", done.stdout)
    aebench("run", ROOT / "jobs" / "smoke.toml", "--output", "local", cwd=tmp_path)
    rows = []
    for name in ("submitted", "local"):
        table = (
            RunFolder(tmp_path / name)
            .rows()
            .select(MEASURED)
            .sort_by([("image", "ascending"), ("setting", "ascending")])
        )
        rows.append(table.to_pylist())
    assert len(rows[0]) == 14
    assert rows[0] == rows[1]
    epochs = [RunFolder(tmp_path / name).epochs()["train_loss"].to_pylist() for name in ("submitted", "local")]
    assert epochs[0] == epochs[1]
    assert read_status(tmp_path / "submitted").state == "complete"


@pytest.mark.slow
def test_the_job_runs_in_the_user_s_folder_and_its_exit_code_is_returned(tmp_path: Path, head: str) -> None:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (32, 32), "red").save(tmp_path / "pictures" / "good.png")
    (tmp_path / "pictures" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    (tmp_path / "mixed.toml").write_text('[evaluate]\nimages = "pictures"\ncodecs = ["jpeg[quality=50]"]\n')
    done = submit("mixed.toml", "--set", "evaluate.codecs=['jpeg[quality=60]']", cwd=tmp_path, address=head)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "1 measurement failed, of bad.png" in done.stdout
    assert set(RunFolder(tmp_path / "results" / "mixed").rows()["setting"].to_pylist()) == {"jpeg[quality=60]"}
    token = (Path.home() / ".ray" / "auth_token").read_text().strip()
    assert token not in done.stdout + done.stderr
    (tmp_path / "mixed.toml").write_text('[evaluate]\nimages = "nowhere"\ncodecs = ["jpeg[quality=50]"]\n')
    refused = submit("mixed.toml", cwd=tmp_path, address=head)
    assert refused.returncode == 2
    assert "nowhere" in refused.stdout


@pytest.mark.slow
def test_interrupted_without_a_terminal_the_job_goes_on(tmp_path: Path, head: str) -> None:
    (tmp_path / "long.toml").write_text(LONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "aebench", "submit", "long.toml"], cwd=tmp_path, env=environment(tmp_path, head),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = iter(process.stdout.readline, "")
    job_id = next(line.split()[1] for line in said if line.startswith("job "))
    assert next(line for line in said if line.startswith("Ray:"))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"job {job_id} goes on" in error
    assert re.search(rf"ray job logs --follow --address {head} {job_id}", error)
    with reached(head, start=False) as target:
        assert not target.client.get_job_status(job_id).is_terminal()
        target.client.stop_job(job_id)
        assert watch(job_id, target) == 130
    assert read_status(tmp_path / "results" / "long").state == "interrupted"


@pytest.mark.slow
def test_interrupted_in_a_terminal_the_user_is_asked_and_the_job_stops(tmp_path: Path, head: str) -> None:
    (tmp_path / "long.toml").write_text(LONG)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "aebench", "submit", "long.toml"], cwd=tmp_path, env=environment(tmp_path, head),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = read_until(ours, b"Ray: ")
    process.send_signal(signal.SIGINT)
    read_until(ours, b"[s] stop it, [l] leave it running, [f] follow it further")
    os.write(ours, b"s\n")
    read_until(ours, b"stopping job")
    assert process.wait(timeout=60) == 130
    os.close(ours)
    job_id = said.decode().split("job ", 1)[1].split()[0]
    with reached(head, start=False) as target:
        assert target.client.get_job_status(job_id).name == "STOPPED"


@pytest.mark.slow
def test_a_packed_job_needs_nothing_of_this_machine(
    tmp_path: Path, head: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "parcel_helpers").mkdir()
    (tmp_path / "parcel_helpers" / "pixels.py").write_text("def raw(rgb):\n    return rgb.tobytes()\n")
    (tmp_path / "parcel_codec.py").write_text(CODEC)
    (tmp_path / "own.toml").write_text('[evaluate]\nimages = "samples[:1]"\ncodecs = ["parcel_codec:Raw"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.startswith("parcel_")]:
        monkeypatch.delitem(sys.modules, module)
    order, job = Order(Path("own.toml")), read_job("own.toml")
    (tmp_path / "parcel").mkdir()
    parcel = packed(order.job_file, job, order.options(str(tmp_path / "run")), tmp_path / "parcel", install=False)
    (tmp_path / "parcel_codec.py").unlink()
    with reached(head, start=False) as target:
        assert watch(send(parcel, target), target) == 0, capsys.readouterr()
    (row,) = RunFolder(tmp_path / "run").rows().to_pylist()
    assert (row["psnr_rgb"], row["error"]) == (float("inf"), None)
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "_ray_pkg_" in info["folder"]
    assert info["versions"]["aebench"]


@pytest.mark.slow
def test_without_waiting_the_job_goes_on_alone(tmp_path: Path, head: str) -> None:
    (tmp_path / "short.toml").write_text('[evaluate]\nimages = "samples[:1]"\ncodecs = ["jpeg[quality=50]"]\n')
    arguments = ["submit", "short.toml", "--no-wait", "--address", head]
    said = aebench(*arguments, cwd=tmp_path)
    assert "ray job logs --follow" in said
    given_up = time.monotonic() + 200
    while not (tmp_path / "results" / "short" / "run.json").exists() or (
        read_status(tmp_path / "results" / "short").state != "complete"
    ):
        assert time.monotonic() < given_up
        time.sleep(0.5)
    assert len(RunFolder(tmp_path / "results" / "short").rows()) == 1


@pytest.mark.slow
def test_a_head_that_wants_a_token_says_so(tmp_path: Path, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    said = aebench("submit", ROOT / "jobs" / "smoke.toml", "--address", head, cwd=tmp_path, code=2)
    assert "Authentication required" in said


def test_submit_says_how_it_is_used_and_what_is_wrong(tmp_path: Path) -> None:
    helped = submit("--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert "JOB.toml" in helped.stdout
    assert submit(cwd=tmp_path).returncode == 2
    missing = submit("nothing.toml", cwd=tmp_path)
    assert missing.returncode == 2
    assert "cannot read the job file nothing.toml" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "train.epoch=3"], r"unknown key 'train.epoch' \(did you mean 'epochs'"),
        (["--set", "evaluate.codecs=['jpg']"], "no codec 'jpg'"),
        (["--set", "train.model=papr"], "no network 'papr'"),
        (["--address", "http://127.0.0.1:1"], "cannot reach the Ray dashboard at http://127.0.0.1:1"),
        (["--address", "http://me:secret@127.0.0.1:1"], "dashboard at http://me:<redacted>@127.0.0.1:1"),
        (["--no-wait"], "no Ray that would go on with the job"),
        (["--output", "s3://KEY:SECRET@bucket/run"], "leave credentials out of addresses"),
        (["--set", "train.images=s3://bucket/a?token=SECRET"], "leave credentials out of addresses"),
    ],
)
def test_mistakes_are_found_before_anything_is_submitted(tmp_path: Path, arguments: list[str], message: str) -> None:
    said = aebench("submit", ROOT / "jobs" / "smoke.toml", *arguments, cwd=tmp_path, code=2)
    assert re.search(message, said)
    assert "secret" not in said
    assert not list(tmp_path.iterdir())


def test_a_relative_output_is_in_the_user_s_folder_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.job_submission import JobSubmissionClient

    monkeypatch.chdir(tmp_path)
    client = JobSubmissionClient.__new__(JobSubmissionClient)
    client._address = "http://head:8265"
    job = command_job("evaluate", (), evaluate={"images": "samples", "codecs": ["jpeg"]})
    here, elsewhere = Target(client, (), False), Target(client, ("192.0.2.77",), False)
    assert destination(job, "a/b", here) == str(tmp_path / "a" / "b")
    assert destination(job, None, here) == str(tmp_path / "results" / job.name)
    for absolute in ("/data/b", "s3://bucket/b"):
        assert destination(job, absolute, elsewhere) == absolute
    for output in (None, "b"):
        with pytest.raises(JobError, match=r"192\.0\.2\.77.*absolute --output"):
            destination(job, output, elsewhere)


def test_this_machine_is_told_from_others_by_its_addresses() -> None:
    assert _is_here("127.0.0.1")
    assert not _is_here("203.0.113.7")  # of a block that RFC 5737 keeps for documentation


def test_a_submitted_job_refuses_an_output_that_would_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    arguments = ["evaluate", "--images", "samples[:1]", "--codecs", "jpeg[quality=50]", "-o", "relative"]
    assert "give an absolute --output" in aebench(*arguments, cwd=tmp_path, code=2)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """Read from a terminal until something is said; return all that was."""
    said, given_up = b"", time.monotonic() + 200
    while wanted not in said:
        assert time.monotonic() < given_up, said
        if select.select([descriptor], [], [], 1)[0]:
            said += os.read(descriptor, 65536)
    return said
