"""The failures and the training curve as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from aebench.analysis.rows import failures
from aebench.report.layout import count, new_table, note, number, number_column, printable, some, title

MOST_CAUSES = 12
"""Of more errors than this the most frequent are shown."""

MOST_MESSAGE = 400
"""Characters of a message that are shown."""


@dataclass(frozen=True)
class Cause:
    """Failures whose messages differ at most in the image's name and in numbers.

    Attributes
    ----------
    message : str
        Of the first of them, on one line.
    rows : int
        How many failed so.
    alike : int
        How many other messages are like this one.
    images, settings : tuple of str
        Which they struck, sorted.
    """

    message: str
    rows: int
    alike: int
    images: tuple[str, ...]
    settings: tuple[str, ...]


def show_failures(rows: pa.Table, console: Console) -> None:
    """Print every error once, with the images and settings it struck, the most frequent first.

    Parameters
    ----------
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    console : Console
    """
    found = causes(rows)
    table = new_table(console)
    number_column(table, "rows")
    table.add_column("error, images, settings", overflow="fold")
    for cause in found[:MOST_CAUSES]:
        details = f"\nimages: {some(cause.images)}\nsettings: {some(cause.settings)}"
        said = Text.assemble((cause.message, "red"), like_it(cause), details)
        table.add_row(Text(str(cause.rows)), said)
    console.print(table)
    for text in failure_notes(found):
        note(console, text)


def causes(rows: pa.Table) -> list[Cause]:
    """Group the failures of a run's rows by their cause, the largest group first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in failures(rows).select(["image", "setting", "error"]).sort_by("image").to_pylist():
        alike = re.sub(r"\d+", "0", row["error"].replace(row["image"], ""))
        groups.setdefault(alike, []).append(row)
    return [_cause(group) for group in sorted(groups.values(), key=len, reverse=True)]


def like_it(cause: Cause) -> str:
    """Say how many messages are like the one that is shown."""
    return f" (and {cause.alike} like it)" if cause.alike else ""


def failure_notes(found: Sequence[Cause]) -> list[str]:
    """Say what the table leaves out, and where it is."""
    notes = ["Every message stands in the column 'error' of the Parquet files."]
    if rest := found[MOST_CAUSES:]:
        more = count(sum(cause.rows for cause in rest), "row")
        notes.insert(0, f"… and {more} with {count(len(rest), 'other error')}.")
    return notes


def _cause(rows: Sequence[dict[str, Any]]) -> Cause:
    message = printable(rows[0]["error"]) or "(no message)"
    return Cause(
        message if len(message) <= MOST_MESSAGE else f"{message[:MOST_MESSAGE]}…",
        len(rows),
        len({row["error"] for row in rows}) - 1,
        tuple(sorted({row["image"] for row in rows})),
        tuple(sorted({row["setting"] for row in rows})),
    )


EPOCH_HEADS = ("epoch", "steps", "training\nloss", "validation\nloss", "validation\ndB", "wall\ns", "CPU\ns")
"""What `epoch_cells` writes."""


def show_training(network: str, epochs: pa.Table, console: Console) -> None:
    """Print the first, the best and the last epoch of the training curve of a network, of at least one.

    Parameters
    ----------
    network : str
    epochs : pyarrow.Table
        As `aebench.results.RunFolder.epochs_of` reads them.
    """
    title(console, f"Training of {printable(network)}")
    table = new_table(console)
    table.add_column("", no_wrap=True)
    for head in EPOCH_HEADS:
        number_column(table, head)
    for labels, epoch in chosen_epochs(epochs):
        table.add_row(*map(Text, (labels, *epoch_cells(epoch))))
    console.print(table)
    note(console, training_note(epochs))


def chosen_epochs(epochs: pa.Table) -> list[tuple[str, dict[str, Any]]]:
    """Choose the first, the best and the last epoch: pairs of what it is and the epoch."""
    curve = epochs.to_pylist()
    best = min(curve, key=lambda epoch: _or_infinite(epoch["validation_loss"]))
    chosen: dict[int, list[str]] = {}
    for label, epoch in (("first", curve[0]), ("best", best), ("last", curve[-1])):
        chosen.setdefault(curve.index(epoch), []).append(label)
    return [(", ".join(labels), curve[index]) for index, labels in sorted(chosen.items())]


def epoch_cells(epoch: dict[str, Any]) -> tuple[str, ...]:
    """Write an epoch, a cell for each of `EPOCH_HEADS`."""
    return (
        str(epoch["epoch"]), str(epoch["step"]), number(epoch["train_loss"], 6), number(epoch["validation_loss"], 6),
        number(epoch["validation_psnr"], 2), number(epoch["seconds"], 1), number(epoch["cpu_seconds"], 1),
    )  # fmt: skip


def training_note(epochs: pa.Table) -> str:
    """Say what the training took."""
    curve = epochs.to_pylist()
    wall, cpu = (sum(epoch[name] for epoch in curve) for name in ("seconds", "cpu_seconds"))
    workers = count(curve[-1]["workers"], "worker")
    return (
        f"{count(len(curve), 'epoch')} on {workers}: {wall:.0f} s wall, {cpu:.0f} s CPU in all. Times are an epoch's; "
        "best is the smallest validation loss, and is the epoch whose weights are kept."
    )


def _or_infinite(loss: float) -> float:
    return loss if loss == loss else float("inf")
