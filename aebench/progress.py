"""Progress that a person reads: bars in a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn


@dataclass
class _Work:
    """A named piece of work; the speed is that since the first of it was done."""

    total: int
    done: int = 0
    failed: int = 0
    note: str = ""
    first: tuple[float, int] | None = None
    latest: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def advance_to(self, done: int, failed: int, note: str) -> None:
        # the start-up before the first, and what an earlier run had done, say nothing about the speed of the rest
        self.latest = time.monotonic()
        self.first = self.first or (self.latest, done)
        self.done, self.failed, self.note = done, failed, note

    def rate(self) -> float:
        """Return how much is done a second; 0 if that is not known yet."""
        if self.first is None:
            return 0.0
        since, first = self.first
        return (self.done - first) / (self.latest - since) if self.latest > since else 0.0

    def facts(self, unit: str) -> list[str]:
        """Say what failed, how fast it goes, what is left, and what was noted."""
        rate, facts = self.rate(), []
        if self.failed:
            facts.append(f"{self.failed} failed")
        if rate:
            facts.append(pace(rate, unit))
            if self.done < self.total:
                facts.append(f"about {duration((self.total - self.done) / rate)} left")
        return [*facts, self.note] if self.note else facts


class Meter:
    """Shows how far each of some named pieces of work is.

    Parameters
    ----------
    console : Console
    totals : sequence of (name, total)
    unit : str
        What is counted, in the singular.
    seconds : float
        Between two plain lines about the same piece of work.
    """

    def __init__(
        self, console: Console, totals: Sequence[tuple[str, int]], unit: str = "row", seconds: float = 10.0
    ) -> None:
        self._console, self._unit, self._seconds = console, unit, seconds
        self._works = {name: _Work(total) for name, total in totals}
        self._started = time.monotonic()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[facts]}"), console=self._console,
            )  # fmt: skip
            self._tasks = {
                name: self._bars.add_task(name, total=work.total, facts="") for name, work in self._works.items()
            }
            self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def advance(self, name: str, count: int = 1, *, failed: int = 0) -> None:
        """Note that `count` more of a piece of work are done, `failed` of them in vain."""
        work = self._works[name]
        self.advance_to(name, work.done + count, failed=work.failed + failed)

    def advance_to(self, name: str, done: int, note: str = "", *, failed: int = 0) -> None:
        """Note that `done` of a piece of work are done in all, `failed` of them in vain."""
        work = self._works[name]
        work.advance_to(done, failed, note)
        if self._bars is not None:
            self._bars.update(self._tasks[name], completed=done, facts=", ".join(work.facts(self._unit)))
        elif done == work.total or work.latest - work.said >= self._seconds:
            work.said = work.latest
            self._line(name, work)

    def _line(self, name: str, work: _Work) -> None:
        elapsed = duration(work.latest - self._started)
        said = ", ".join([f"{name}: {work.done}/{work.total} after {elapsed}", *work.facts(self._unit)])
        self._console.print(said, highlight=False, soft_wrap=True)


def pace(rate: float, unit: str) -> str:
    """Write a rate, given a second, as so many a second or, where it is slow, as the seconds that one takes."""
    if rate >= 1:
        return f"{rate:.1f} {unit}s/s" if rate < 100 else f"{rate:.0f} {unit}s/s"
    return f"{1 / rate:.1f} s/{unit}" if rate > 1 / 60 else f"{duration(1 / rate)}/{unit}"


def duration(seconds: float) -> str:
    """Write a time in its two largest units of seconds, minutes and hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_of_hour:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
