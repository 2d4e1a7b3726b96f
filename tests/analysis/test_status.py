"""How far runs are, that are made as a run makes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aebench.analysis.status import Status, read_status, status
from aebench.errors import ResultsError
from aebench.results import RunFolder
from tests.report.helpers import failure, row

NOW = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)
SETTINGS = ["jpeg[quality=10]", "jpeg[quality=90]"]
EXPECTED = {"jpeg": {"images": 100, "settings": SETTINGS}, "bpg": {"images": 100, "settings": ["bpg[qp=30]"]}}


def conclude(path: Path, rows: list[dict[str, Any]], beat: datetime | None = None, **info: Any) -> Status:
    """Write a run and conclude how far it is at noon."""
    run = RunFolder(path)
    if rows:
        run.append_rows(rows)
    run.update_info(**{"started": NOW - timedelta(minutes=30), **info})
    return status(path, run.info(), run.rows(), run.trainings(), beat, run.last_written(), NOW)


def measured(number: int, setting: str, seconds_apart: float, codec: str = "jpeg") -> list[dict[str, Any]]:
    """Make rows that were measured at an even pace until now."""
    return [
        row(f"{i:03}.png", setting, codec=codec, time=NOW - timedelta(seconds=i * seconds_apart)) for i in range(number)
    ]


def seconds_ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_a_run_with_a_sign_of_life_is_running(tmp_path: Path) -> None:
    assert conclude(tmp_path, [], beat=seconds_ago(50)).state == "running"


def test_a_run_without_one_is_interrupted(tmp_path: Path) -> None:
    assert conclude(tmp_path / "ended", []).state == "interrupted"
    assert conclude(tmp_path / "killed", [], beat=seconds_ago(90)).state == "interrupted"


def test_a_finished_run_is_complete_until_it_is_begun_again(tmp_path: Path) -> None:
    complete = conclude(tmp_path, [], finished=seconds_ago(60))
    assert (complete.state, complete.finished) == ("complete", seconds_ago(60))
    again = conclude(tmp_path, [], started=seconds_ago(30), beat=seconds_ago(1))
    assert (again.state, again.finished) == ("running", None)


def test_rows_are_counted_against_those_expected(tmp_path: Path) -> None:
    rows = [
        *measured(40, SETTINGS[0], 1),
        failure("bad.png", SETTINGS[1], "damaged"),
        row("000.png", "jpeg[quality=7]"),
    ]
    found = conclude(tmp_path, [*rows, row("a.png", "heif[qp=30]")], expected=EXPECTED)
    counts = [(codec.codec, codec.done, codec.failed, codec.expected) for codec in found.codecs]
    assert counts == [("jpeg", 41, 1, 200), ("bpg", 0, 0, 100), ("heif", 1, 0, None)]
    assert found.failed_images == ("bad.png",)


def test_a_measurement_that_succeeded_at_last_is_no_failure(tmp_path: Path) -> None:
    rows = [failure("a.png", SETTINGS[0], "damaged"), row("a.png", SETTINGS[0], minute=1)]
    found = conclude(tmp_path, rows, expected=EXPECTED)
    assert [(codec.done, codec.failed) for codec in found.codecs] == [(1, 0), (0, 0)]
    assert found.failed_images == ()


def test_rate_and_time_left_are_those_of_the_last_minutes(tmp_path: Path) -> None:
    rows = [*measured(51, SETTINGS[0], 2), *(row(f"old{i}.png", SETTINGS[1], minute=-i) for i in range(49))]
    jpeg, bpg = conclude(tmp_path, rows, beat=NOW, expected=EXPECTED).codecs
    assert jpeg.rate == pytest.approx(0.5)
    assert jpeg.seconds_left == pytest.approx((200 - 100) / 0.5)
    assert math.isnan(bpg.rate)
    assert math.isnan(bpg.seconds_left)


@pytest.mark.parametrize(
    "others", [{"finished": NOW}, {}, {"beat": NOW, "expected": {"jpeg": {**EXPECTED["jpeg"], "images": 5}}}]
)
def test_what_does_not_go_on_has_no_rate(tmp_path: Path, others: dict[str, Any]) -> None:
    jpeg = conclude(tmp_path, measured(20, SETTINGS[0], 1), **{"expected": EXPECTED, **others}).codecs[0]
    assert math.isnan(jpeg.rate)
    assert math.isnan(jpeg.seconds_left)


def test_a_training_says_epochs_losses_and_time_left(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for epoch in range(1, 4):
        losses = {"train_loss": 1 / epoch, "validation_loss": 2 / epoch, "validation_psnr": 20.0 + epoch}
        run.append_epoch({"network": "paper", "epoch": epoch, "seconds": 10.0, **losses})
    job = {"train": [{"model": "paper", "epochs": 10}, {"model": "lapped", "epochs": 4}]}
    found, to_come = conclude(tmp_path, [], beat=NOW, job=job).trainings
    assert (found.network, to_come.network, to_come.epochs, to_come.expected) == ("paper", "lapped", 0, 4)
    assert (found.epochs, found.expected, found.train_loss, found.validation_psnr) == (3, 10, 1 / 3, 23.0)
    assert found.seconds_left == pytest.approx(70)
    stopped, _ = conclude(tmp_path, [], job=job).trainings
    assert math.isnan(stopped.seconds_left)
    assert conclude(tmp_path / "other", [], job={"train": []}).trainings == ()


def test_the_command_resumes_and_never_begins_afresh(tmp_path: Path) -> None:
    command = ["__main__.py", "run", "my job.toml", "--fresh", "-o", "x"]
    found = conclude(tmp_path, [], command=command, folder="/somewhere")
    assert (found.command, found.folder) == ("aebench run 'my job.toml' -o x", "/somewhere")
    assert conclude(tmp_path / "other", []).command == ""


def test_a_half_written_run_is_read(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.update_info(started=datetime.now(UTC))
    assert read_status(run.path).written is None
    before = datetime.now(UTC)
    run.append_rows([row("a.png", SETTINGS[0])])
    (run.path / "rows" / "half.tmp").write_bytes(b"PAR1")
    (run.path / "alive").touch()
    found = read_status(run.path)
    assert (found.state, found.codecs[0].done) == ("running", 1)
    assert found.written is not None
    assert before <= found.written <= datetime.now(UTC)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="there is no run"):
        read_status(tmp_path / "nowhere")
    with pytest.raises(ResultsError, match="holds no results"):
        read_status(tmp_path)
