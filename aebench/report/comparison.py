"""The table of the paper: a row an image, a column a codec, PSNR and rate in each cell.

Columns that do not fit side by side go into further tables below, each with the images again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from aebench.analysis.comparison import Cell, Comparison
from aebench.analysis.rows import Basis
from aebench.analysis.summary import Summary
from aebench.report import paper_table
from aebench.report.layout import NONE, count, name_column, new_table, note, number, rate_decimals, some

MOST_IMAGES = 40
"""Of more images than this only the extremes are shown."""

EXTREMES = 3
"""So many at either end."""

MOST_HEAD = 16
"""Characters of a head that stand on one line."""

FAILED = "failed"


@dataclass(frozen=True)
class Column:
    """A column ready to be printed: the lines of its head, a text for every row, and one for the row of means."""

    head: str
    cells: tuple[str, ...]
    mean: str

    @property
    def width(self) -> int:
        """Characters that the column takes; a long head is folded."""
        head = max(map(cell_len, self.head.split("\n")))
        return max(*map(cell_len, self.cells), cell_len(self.mean), min(head, MOST_HEAD))


def show_comparison(comparison: Comparison, console: Console, with_note: bool = True) -> None:
    """Print the table, its row of means, and over which images they are taken.

    Parameters
    ----------
    comparison : Comparison
    console : Console
    with_note : bool
        Whether to say what the paper's columns are, where they are shown.
    """
    shown = shown_images(comparison.images, comparison.ranked())
    theirs = [
        Column("their\n" + head.replace(" ", "\n"), tuple(number(value, 2) for value in values), number(average, 2))
        for head, values, average in paper_table.columns(comparison.images, shown, comparison.basis.images)
    ]
    names = Column("image", tuple(shown), f"mean of {len(comparison.basis.images)}")
    gap = 1 if console.width < 100 else 2
    room = console.width - names.width - gap
    spaced, compact = (
        _pages([*([_column(comparison, s, shown, between)] for s in comparison.summaries), theirs], room, gap)
        for between in (" / ", "/")
    )
    for index, columns in enumerate(compact if len(compact) < len(spaced) else spaced):
        if index:
            console.print()
        table = new_table(console, footer=True)
        name_column(table, names.head, names.mean)
        for column in columns:
            table.add_column(Text(column.head), Text(column.mean), justify="right", overflow="fold", width=column.width)
        for name, *cells in zip(names.cells, *(column.cells for column in columns), strict=True):
            table.add_row(Text(name), *(Text(cell, style="red" if cell == FAILED else "") for cell in cells))
        console.print(table)
    for text in (basis_note(comparison.basis), shown_note(comparison.images, shown)):
        if text:
            note(console, text)
    if theirs and with_note:
        note(console, paper_table.NOTE)


def shown_images(images: Sequence[str], ranked: Sequence[str]) -> list[str]:
    """Choose the rows of a table: all images, or of many the extremes.

    Parameters
    ----------
    images : sequence of str
        All.
    ranked : sequence of str
        Those of the basis by rising PSNR.
    """
    if len(images) <= MOST_IMAGES:
        return list(images)
    ranked = ranked or images
    return list(ranked) if len(ranked) <= 2 * EXTREMES else [*ranked[:EXTREMES], *ranked[-EXTREMES:]]


def shown_note(images: Sequence[str], shown: Sequence[str]) -> str:
    """Say which images a table shows; nothing where it shows all."""
    if len(shown) == len(images):
        return ""
    return (
        f"Of {len(images)} images the {EXTREMES} of lowest and the {EXTREMES} of highest PSNR, averaged over these "
        "codecs, are shown; every image is in the Parquet files, RUN/rows."
    )


def _column(comparison: Comparison, summary: Summary, images: Sequence[str], between: str) -> Column:
    """Write the cells of one setting, dB and bpp each aligned."""
    cells = [comparison.cells.get((image, summary.setting)) for image in images]
    average = Cell(summary.psnr_rgb, summary.bpp)
    rates = [cell.bpp for cell in (*cells, average) if cell and not math.isnan(cell.bpp)]
    decimals = rate_decimals(max(rates, default=0.0))
    widest = max((len(number(rate, decimals)) for rate in rates), default=0)

    def write(cell: Cell | None) -> str:
        if cell is None:
            return NONE
        if math.isnan(cell.bpp):
            return FAILED
        return f"{number(cell.psnr, 2)}{between}{number(cell.bpp, decimals):>{widest}}"

    codec, parameters = summary.codec, summary.setting.removeprefix(summary.codec).strip("[]")
    head = "\n".join([codec, *parameters.replace(",", ",\n").split("\n")]) if parameters else codec
    return Column(head, tuple(map(write, cells)), NONE if math.isnan(average.bpp) else write(average))


def _pages(blocks: Sequence[Sequence[Column]], room: int, gap: int) -> list[list[Column]]:
    """Spread columns over as many tables as the width asks for; a block of columns stays together."""
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


def basis_note(basis: Basis, compared: str = "that all codecs shown coded", why: str = "it coded no image") -> str:
    """Say over which images the means are taken.

    Parameters
    ----------
    basis : Basis
    compared : str
        What these images have in common.
    why : str
        Why those in `basis.uncoded` are not compared.
    """
    if not basis.images:
        text = f"There is no image {compared}, so that there are no means."
    else:
        text = f"Means are over the {count(len(basis.images), 'image')} {compared}"
        text += f"; {len(basis.left_out)} left out: {some(basis.left_out)}." if basis.left_out else "; 0 left out."
    if basis.uncoded:
        text += f" Not compared, because {why}: {some(basis.uncoded)}."
    return text
