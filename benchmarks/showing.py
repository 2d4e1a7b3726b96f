"""What every benchmark prints: the machine, its images, medians with their spread."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from aebench.errors import ImageSetError
from aebench.images import ImageRef, describe, resolve
from aebench.provenance import commit, cpu_model

console = Console(width=110)


def cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0))


def show_machine() -> None:
    """Print on what, how busy that was, and with which aebench."""
    load = os.getloadavg()[0]
    said = f"{cpu_model()}, {cpus()} CPUs, load {load:.1f} before; aebench {commit()}"
    console.print(said, highlight=False, style="dim")


def images(spec: str = "kodak") -> list[ImageRef]:
    """List the images of a set and say which: `samples` where that one cannot be had."""
    try:
        found = resolve(spec)
    except ImageSetError as error:
        console.print(f"{error}: measuring on samples instead", style="yellow", highlight=False)
        spec = "samples"
        found = resolve(spec)
    console.print(f"{len(found)} images: {spec}, {describe(spec)}", highlight=False, style="dim", soft_wrap=True)
    return found


def show_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print a table whose first column is text and whose others are figures."""
    table = Table(box=None, pad_edge=False)
    for index, head in enumerate(heads):
        table.add_column(head, justify="right" if index else "left", no_wrap=index > 0)
    for row in rows:
        table.add_row(*row)
    console.print(f"\n{title}", highlight=False, style="bold")
    console.print(table, highlight=False)
    for note in notes:
        console.print(note, highlight=False, style="dim")


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Write a median with the smallest and the largest value."""
    median = f"{statistics.median(values):.{digits}f}"
    return f"{median} ({min(values):.{digits}f}–{max(values):.{digits}f})" if len(values) > 1 else median


def timed(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Return what a call takes on a clock, in its unit."""
    start = clock()
    call()
    return clock() - start
