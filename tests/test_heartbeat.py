from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aebench import heartbeat
from aebench.heartbeat import beating, last_beat


def test_a_run_gives_signs_of_life_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.01)
    run = tmp_path / "run"
    assert last_beat(run) is None
    with beating(run):
        os.utime(run / "alive", (0, 0))
        given_up = time.monotonic() + 30
        while (beat := last_beat(run)) is None or datetime.now(UTC) - beat > timedelta(minutes=1):
            assert time.monotonic() < given_up
            time.sleep(0.01)
    assert last_beat(run) is None


def test_a_run_that_fails_leaves_no_sign_of_life(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), beating(tmp_path):
        raise ZeroDivisionError
    assert last_beat(tmp_path) is None
