"""The failures and the training curve as tables."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from aebench.analysis.rows import failures
from aebench.report.layout import count, new_table, note, number, number_column, printable, some

MOST_CAUSES = 12
"""Of more errors than this the most frequent are shown."""

MOST_MESSAGE = 400
"""Characters of a message that are shown."""


def show_failures(rows: pa.Table, console: Console) -> None:
    """Print every error once, with the images and settings it struck, the most frequent first.

    Parameters
    ----------
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    console : Console
    """
    causes = _causes(rows)
    table = new_table(console)
    number_column(table, "rows")
    table.add_column("error, images, settings", overflow="fold")
    for cause in causes[:MOST_CAUSES]:
        alike = len({row["error"] for row in cause}) - 1
        message = printable(cause[0]["error"]) or "(no message)"
        message = message if len(message) <= MOST_MESSAGE else f"{message[:MOST_MESSAGE]}…"
        images, settings = (sorted({row[key] for row in cause}) for key in ("image", "setting"))
        details = f"\nimages: {some(images)}\nsettings: {some(settings)}"
        text = Text.assemble((message, "red"), f" (and {alike} like it)" if alike else "", details)
        table.add_row(Text(str(len(cause))), text)
    console.print(table)
    if rest := causes[MOST_CAUSES:]:
        note(console, f"… and {count(sum(map(len, rest)), 'row')} with {count(len(rest), 'other error')}.")
    note(console, "Every message stands in the column 'error' of the Parquet files.")


def _causes(rows: pa.Table) -> list[list[dict[str, Any]]]:
    """Group failures whose messages differ at most in the image's name and in numbers, the largest group first."""
    causes: dict[str, list[dict[str, Any]]] = {}
    for row in failures(rows).select(["image", "setting", "error"]).sort_by("image").to_pylist():
        alike = re.sub(r"\d+", "0", row["error"].replace(row["image"], ""))
        causes.setdefault(alike, []).append(row)
    return sorted(causes.values(), key=len, reverse=True)


def show_training(epochs: pa.Table, console: Console) -> None:
    """Print the first, the best and the last epoch of a training curve of at least one.

    Parameters
    ----------
    epochs : pyarrow.Table
        As `aebench.results.RunFolder.epochs` reads them.
    """
    curve = epochs.to_pylist()
    best = min(curve, key=lambda epoch: _or_infinite(epoch["validation_loss"]))
    shown: dict[int, list[str]] = {}
    for label, epoch in (("first", curve[0]), ("best", best), ("last", curve[-1])):
        shown.setdefault(curve.index(epoch), []).append(label)
    table = new_table(console)
    table.add_column("", no_wrap=True)
    for head in ("epoch", "steps", "training\nloss", "validation\nloss", "validation\ndB", "wall\ns", "CPU\ns"):
        number_column(table, head)
    for index, labels in sorted(shown.items()):
        epoch = curve[index]
        cells = (
            ", ".join(labels), str(epoch["epoch"]), str(epoch["step"]), number(epoch["train_loss"], 6),
            number(epoch["validation_loss"], 6), number(epoch["validation_psnr"], 2), number(epoch["seconds"], 1),
            number(epoch["cpu_seconds"], 1),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    console.print(table)
    wall, cpu = (sum(epoch[name] for epoch in curve) for name in ("seconds", "cpu_seconds"))
    workers = count(curve[-1]["workers"], "worker")
    note(
        console,
        f"{count(len(curve), 'epoch')} on {workers}: {wall:.0f} s wall, {cpu:.0f} s CPU in all. Times are an epoch's; "
        "best is the smallest validation loss, and is the epoch whose weights are kept.",
    )


def _or_infinite(loss: float) -> float:
    return loss if loss == loss else float("inf")
