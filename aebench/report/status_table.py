"""How far a run is, as a person reads it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aebench.analysis.status import CodecStatus, Status, TrainingStatus
from aebench.progress import duration, pace
from aebench.report.layout import (
    NONE,
    count,
    name_column,
    new_table,
    note,
    number,
    number_column,
    printable,
    some,
    title,
)


def show_status(status: Status, console: Console) -> None:
    """Print how far a run is, and what to do next."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, fact in _facts(status):
        grid.add_row(Text(label), Text(printable(fact)))
    console.print(Text(f"Run {printable(status.path.resolve().name)}: {status.state}", style="bold"))
    console.print(grid)
    if status.codecs:
        title(console, "Measurements")
        _show_codecs(status, console)
    console.print()
    console.print(_next(status), highlight=False, soft_wrap=True)


def failure_sentence(failed: int, images: Sequence[str]) -> str:
    """Say how many measurements failed, and name some of the images."""
    return f"{count(failed, 'measurement')} failed{f', of {some(images, 5)}' if images else ''}"


def _facts(status: Status) -> Iterator[tuple[str, str]]:
    if status.started:
        begun = f"{_minute(status.started)} UTC"
        if status.finished:
            took = duration((status.finished - status.started).total_seconds())
            yield "time", f"{begun} to {_minute(status.finished)} UTC, {took}"
        else:
            yield "begun", f"{begun}, {_ago(status.now - status.started)}"
    if status.written:
        yield "last written", f"{_minute(status.written)} UTC, {_ago(status.now - status.written)}"
    for training in status.trainings:
        yield f"training {training.network}", _training(training)
    if failed := sum(codec.failed for codec in status.codecs):
        yield "failures", failure_sentence(failed, status.failed_images)


def _training(training: TrainingStatus) -> str:
    said = f"{training.epochs} of {count(training.expected, 'epoch')}"
    if training.epochs:
        said += (
            f", loss {number(training.train_loss, 5)}, validation {number(training.validation_loss, 5)}"
            f" ({number(training.validation_psnr, 2)} dB)"
        )
    return said if math.isnan(training.seconds_left) else f"{said}, about {duration(training.seconds_left)} left"


def _show_codecs(status: Status, console: Console) -> None:
    table = new_table(console)
    name_column(table, "codec")
    for head in ("rows", "expected", "failed", "rate", "left"):
        number_column(table, head)
    for codec in status.codecs:
        table.add_row(*map(Text, _cells(codec)))
    console.print(table)
    if 0 < sum(codec.expected is None for codec in status.codecs) < len(status.codecs):
        note(console, f"{NONE}: not in the job that was begun last.")


def _cells(codec: CodecStatus) -> tuple[str, ...]:
    known = not math.isnan(codec.rate)
    return (
        codec.codec,
        str(codec.done),
        NONE if codec.expected is None else str(codec.expected),
        str(codec.failed),
        pace(codec.rate, "row") if known else NONE,
        duration(codec.seconds_left) if known else NONE,
    )


def _next(status: Status) -> str:
    """Say what to do next, with the command that does it."""
    if status.state == "complete":
        return f"the tables:  aebench report {shlex.quote(str(status.path))}"
    if status.state == "running":
        return f"again:  aebench status {shlex.quote(str(status.path))}"
    if not status.command:
        return "give the command that began it again: it goes on where it broke off"
    if not Path(status.folder).is_dir():  # a job's own, on a cluster
        output = shlex.quote(str(status.path.absolute()))
        return f"submit the job again with --output {output}: it goes on where it broke off"
    there = "" if Path(status.folder) == Path.cwd() else f"cd {shlex.quote(status.folder)} && "
    return f"it goes on where it broke off with:  {there}{status.command}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _ago(time: timedelta) -> str:
    return f"{duration(max(0.0, time.total_seconds()))} ago"
