"""Progress that a person reads: bars in a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Meter:
    """Shows how far each of some named pieces of work is.

    Parameters
    ----------
    console : Console
    totals : sequence of (name, total)
    seconds : float
        Between two plain lines about the same piece of work.
    """

    def __init__(self, console: Console, totals: Sequence[tuple[str, int]], seconds: float = 10.0) -> None:
        self._console, self._totals, self._seconds = console, dict(totals), seconds
        self._done = dict.fromkeys(self._totals, 0)
        self._first: dict[str, tuple[float, int]] = {}
        self._notes = dict.fromkeys(self._totals, "")
        self._started = time.monotonic()
        self._said = dict.fromkeys(self._totals, self._started)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"), console=self._console,
            )  # fmt: skip
            self._tasks = {
                name: self._bars.add_task(name, total=total, note="") for name, total in self._totals.items()
            }
            self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def advance(self, name: str, count: int = 1, note: str = "") -> None:
        """Note that `count` more of a piece of work are done."""
        self.advance_to(name, self._done[name] + count, note)

    def advance_to(self, name: str, done: int, note: str = "") -> None:
        """Note that `done` of a piece of work are done in all."""
        # the start-up before the first, and what an earlier run had done, say nothing about the speed of the rest
        self._first.setdefault(name, (time.monotonic(), done))
        self._done[name] = done
        self._notes[name] = note
        if self._bars is not None:
            self._bars.update(self._tasks[name], completed=self._done[name], note=note)
            return
        now, over = time.monotonic(), self._done[name] == self._totals[name]
        if over or now - self._said[name] >= self._seconds:
            self._said[name] = now
            self._line(name, now - self._started)

    def _line(self, name: str, elapsed: float) -> None:
        done, total = self._done[name], self._totals[name]
        since, first = self._first[name]
        remaining = ""
        if first < done < total:
            remaining = f", about {_duration((time.monotonic() - since) * (total - done) / (done - first))} left"
        note = f"  {self._notes[name]}" if self._notes[name] else ""
        self._console.print(
            f"{name}: {done}/{total} after {_duration(elapsed)}{remaining}{note}", highlight=False, soft_wrap=True
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
