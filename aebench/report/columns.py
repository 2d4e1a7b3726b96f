"""Tables of a row a name and a column a codec, or a figure.

Columns that do not fit side by side go into further tables below, each with the names again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from aebench.report.layout import name_column, new_table

BETWEEN: Final = (" / ", "/")
"""What stands between the two numbers of a cell: where there is space, and where it saves a table."""

FAILED: Final = "failed"
WORSE: Final = "worse"
"""Cells that are printed in red."""

MOST_HEAD: Final = 16
"""Characters of a head that stand on one line."""

MOST_IMAGES: Final = 40
"""Of more images than this only the extremes are shown."""

EXTREMES: Final = 3
"""So many at either end."""


@dataclass(frozen=True)
class Column:
    """A column ready to be printed: the lines of its head, a text for every row, and one for the foot, if any."""

    head: str
    cells: tuple[str, ...]
    foot: str = ""

    @property
    def width(self) -> int:
        """Characters that the column takes; a long head is folded."""
        head = max(map(cell_len, self.head.split("\n")))
        return max(*map(cell_len, self.cells), cell_len(self.foot), min(head, MOST_HEAD))


def head(name: str) -> str:
    """Write a setting or a variant as the narrow head of a column: the codec, and each parameter on its line."""
    codec, bracket, parameters = name.partition("[")
    codec = codec.replace("-", "-\n")
    lines = parameters.removesuffix("]").replace(",", ",\n")
    return f"{codec}\n{lines}" if bracket else codec


def shown_images(images: Sequence[str], ranked: Sequence[str]) -> list[str]:
    """Choose the images that get a row, given all of them, and those that have a mean by rising mean."""
    if len(images) <= MOST_IMAGES:
        return list(images)
    ranked = ranked or images
    return list(ranked) if len(ranked) <= 2 * EXTREMES else [*ranked[:EXTREMES], *ranked[-EXTREMES:]]


def shown_note(images: Sequence[str], shown: Sequence[str]) -> str:
    """Say which images have a row; nothing where all have."""
    if len(shown) == len(images):
        return ""
    return (
        f"Of {len(images)} images the {EXTREMES} of lowest and the {EXTREMES} of highest mean over these codecs are "
        "shown; every image is in the Parquet files, RUN/rows."
    )


def show_columns(names: Column, console: Console, *layouts: Sequence[Sequence[Column]]) -> None:
    """Print a table, or as many as the width asks for.

    Parameters
    ----------
    names : Column
        What the rows are called, again in every table.
    console : Console
    *layouts : sequence of blocks of Column
        Ways to write the same; the first of those that need the fewest tables is printed. The columns of a block stay
        together.
    """
    gap = 1 if console.width < 100 else 2
    own = min(names.width, max(console.width // 3, 8))
    pages = min((_pages(blocks, console.width - own - gap, gap) for blocks in layouts), key=len)
    for index, columns in enumerate(pages):
        if index:
            console.print()
        table = new_table(console, footer=bool(names.foot))
        name_column(table, names.head, names.foot)
        for column in columns:
            table.add_column(Text(column.head), Text(column.foot), justify="right", overflow="fold", width=column.width)
        for name, *cells in zip(names.cells, *(column.cells for column in columns), strict=True):
            table.add_row(Text(name), *(Text(cell, style="red" if cell in (FAILED, WORSE) else "") for cell in cells))
        console.print(table)


def _pages(blocks: Sequence[Sequence[Column]], room: int, gap: int) -> list[list[Column]]:
    """Spread columns over tables of a width."""
    pages: list[list[Column]] = [[]]
    left = room
    for block in blocks:
        width = sum(column.width + gap for column in block)
        if pages[-1] and width - gap > left:
            pages.append([])
            left = room
        pages[-1] += block
        left -= width
    return pages
