"""A sign of life in a run's folder, by which others see from the files alone whether the run goes on.

The file's age is what counts, and it is gone once the run has ended in an orderly way. Only a process that was killed
leaves it behind, growing older.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from aebench.errors import ResultsError
from aebench.repeating import repeating
from aebench.storage import Place, modified

EVERY = 10.0
"""Seconds between two beats."""

DEAD_AFTER = 60.0
"""Seconds without a beat after which a run counts as dead: some beats, and what a network file system may keep back."""


@contextlib.contextmanager
def beating(run: Place) -> Iterator[None]:
    """Give signs of life in a run's folder."""
    path = run / "alive"

    def beat() -> None:
        with contextlib.suppress(OSError, ResultsError):
            path.touch()

    if isinstance(run, Path):
        run.mkdir(parents=True, exist_ok=True)
    path.touch()
    try:
        with repeating(beat, EVERY, "heartbeat"):
            yield
    finally:
        with contextlib.suppress(OSError, ResultsError):  # whatever ended the run is what should be told
            path.unlink(missing_ok=True)


def last_beat(run: Place) -> datetime | None:
    """Return when a run that has not ended in an orderly way last gave a sign of life."""
    return modified(run / "alive")
