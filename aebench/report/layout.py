"""How the report writes numbers, names and tables, alike in a terminal, a pipe and a job's log."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aebench.analysis.rows import Basis

NONE = "–"
"""What stands where there is no number."""

MOST_CHARACTERS = 100
"""Prose is not set wider than this."""


def number(value: float, decimals: int) -> str:
    """Write a number; infinity is ``∞``, and NaN `NONE`."""
    if math.isnan(value):
        return NONE
    return "∞" if math.isinf(value) else f"{value:.{decimals}f}"


def signed(value: float, decimals: int) -> str:
    """Write a difference, always with its sign but for zero; NaN is `NONE`."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.") else text.removeprefix("-") if not text.strip("-0.") else text


def rate_decimals(largest: float) -> int:
    """Return the decimals that show a column of rates to three digits or so, given its largest in bits per pixel."""
    return 1 if largest >= 100 else 2 if largest >= 1 else 3


def some(names: Sequence[str], most: int = 3) -> str:
    """Write the first few of many names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def count(amount: int, noun: str) -> str:
    """Write an amount with its noun in the right number."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def printable(text: str) -> str:
    """Put a text that may hold anything on one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def basis_note(basis: Basis, what: str, why_not: str = "") -> str:
    """Say over which images means are: those ``that all codecs coded``; ``why_not`` is said of what has none."""
    if not basis.images:
        return f"There is no image {what}, so that there are no means."
    text = f"Means are over the {count(len(basis.images), 'image')} {what}; {len(basis.left_out)} left out"
    text += f": {some(basis.left_out)}." if basis.left_out else "."
    return text + (f" Not compared, because {why_not}: {some(basis.uncoded)}." if basis.uncoded and why_not else "")


def title(console: Console, text: str) -> None:
    """Print the title of a section."""
    console.print()
    console.print(Text(text, style="bold"))


def note(console: Console, text: str, style: str = "") -> None:
    """Print a paragraph below a table, if it says anything."""
    if text:
        console.print(Text(text, style), width=min(console.width, MOST_CHARACTERS))


def new_table(console: Console, footer: bool = False) -> Table:
    """Make an empty table: rules below the head and above the foot, columns one space apart where space is short."""
    gap = 0 if console.width < MOST_CHARACTERS else 1
    return Table(
        box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), show_footer=footer,
        header_style="bold", footer_style="bold",
    )  # fmt: skip


def number_column(table: Table, header: str, footer: str = "") -> None:
    """Add a column of numbers: never broken, aligned at the right."""
    table.add_column(Text(header), Text(footer), justify="right", no_wrap=True)


def name_column(table: Table, header: str, footer: str = "") -> None:
    """Add a column of names, which may be broken where space is short."""
    table.add_column(Text(header), Text(footer), overflow="fold", min_width=8)
