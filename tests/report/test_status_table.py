from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aebench.analysis.status import CodecStatus, Status, TrainingStatus
from aebench.report.status_table import failure_sentence, show_status
from tests.report.helpers import prose

NOW = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)
NAN = float("nan")


def printed(width: int = 100, **values: Any) -> str:
    """Return what is printed of a run that measures bpg, has measured jpeg, and knows heif from an earlier job."""
    known: dict[str, Any] = {
        "path": Path("results/r"), "state": "running", "started": NOW - timedelta(minutes=10), "finished": None,
        "written": NOW - timedelta(seconds=3), "now": NOW,
        "codecs": (
            CodecStatus("jpeg", 70, 2, 70, NAN, NAN), CodecStatus("bpg", 30, 0, 55, 0.5, 50.0),
            CodecStatus("heif", 7, 0, None, NAN, NAN),
        ),
        "trainings": (TrainingStatus("paper", 4, 4, 0.25, 0.125, 21.5, NAN),), "failed_images": ("a.png", "b.png"),
        "command": "aebench run jobs/x.toml", "folder": str(Path.cwd()),
    }  # fmt: skip
    file = io.StringIO()
    show_status(Status(**{**known, **values}), Console(file=file, width=width))
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 100])
def test_every_codec_has_its_line(width: int) -> None:
    lines = [" ".join(line.split()) for line in printed(width).splitlines()]
    assert "jpeg 70 70 2 – –" in lines
    assert "bpg 30 55 0 2.0 s/row 50 s" in lines
    assert "heif 7 – 0 – –" in lines


def test_state_training_times_and_failures_are_said() -> None:
    said = prose(printed())
    assert "Run r: running" in said
    assert "begun 2026-05-06 11:50 UTC, 10 min 00 s ago" in said
    assert "last written 2026-05-06 11:59 UTC, 3 s ago" in said
    assert "training paper 4 of 4 epochs, loss 0.25000, validation 0.12500 (21.50 dB)" in said
    assert "2 measurements failed, of a.png, b.png" in said


def test_a_complete_run_says_how_long_it_took_and_where_its_tables_are() -> None:
    said = prose(printed(state="complete", finished=NOW))
    assert "2026-05-06 11:50 UTC to 2026-05-06 12:00 UTC, 10 min 00 s" in said
    assert said.endswith("aebench report results/r")


def test_an_interrupted_run_says_how_it_goes_on(tmp_path: Path) -> None:
    assert printed(state="interrupted").endswith(" aebench run jobs/x.toml\n")
    elsewhere = printed(state="interrupted", folder=str(tmp_path))
    assert elsewhere.endswith(f" cd {tmp_path} && aebench run jobs/x.toml\n")
    gone = printed(state="interrupted", folder="/no/such/folder")
    assert re.search(r"submit the job again with --output \S*/results/r:", gone)
    assert "give the command that began it again" in printed(state="interrupted", command="")


def test_many_failed_images_are_counted() -> None:
    assert failure_sentence(1, ["a"]) == "1 measurement failed, of a"
    assert failure_sentence(9, list("abcdefg")) == "9 measurements failed, of a, b, c, d, e and 2 more"
    assert failure_sentence(2, []) == "2 measurements failed"
