"""The table of the paper: a row an image, a column a codec, PSNR and rate in each cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console

from aebench.analysis.comparison import Cell, Comparison
from aebench.analysis.summary import Summary
from aebench.report import paper_table
from aebench.report.columns import BETWEEN, FAILED, Column, head, show_columns, shown_images, shown_note
from aebench.report.layout import NONE, basis_note, note, number, rate_decimals


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
        Column("their\n" + name.replace(" ", "\n"), tuple(number(value, 2) for value in values), number(average, 2))
        for name, values, average in paper_table.columns(comparison.images, shown, comparison.basis.images)
    ]
    names = Column("image", tuple(shown), f"mean of {len(comparison.basis.images)}")
    spaced, compact = (
        [*([_column(comparison, summary, shown, between)] for summary in comparison.summaries), theirs]
        for between in BETWEEN
    )
    show_columns(names, console, spaced, compact)
    note(console, basis_note(comparison.basis, "that all codecs shown coded", "it coded no image"))
    note(console, shown_note(comparison.images, shown))
    if theirs and with_note:
        note(console, paper_table.NOTE)


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

    return Column(head(summary.setting), tuple(map(write, cells)), NONE if math.isnan(average.bpp) else write(average))
