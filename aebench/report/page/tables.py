"""The page's tables of codecs, settings, failures and epochs. Every number is one that a `Run` gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from aebench.analysis.comparison import Comparison, compare
from aebench.analysis.matched import Matched
from aebench.analysis.rows import failures
from aebench.analysis.run import Run
from aebench.analysis.selection import by_codec, chosen_defaults
from aebench.analysis.summary import Summary
from aebench.report import paper_table
from aebench.report.columns import FAILED, shown_images, shown_note
from aebench.report.layout import NONE, basis_note, number, rate_decimals, some
from aebench.report.page.cells import Cell, Head, PageTable
from aebench.report.summary_table import notes, usual_fields
from aebench.report.tables import (
    EPOCH_HEADS,
    MOST_CAUSES,
    causes,
    chosen_epochs,
    epoch_cells,
    failure_notes,
    like_it,
    training_note,
)  # fmt: skip

MOST_EPOCHS: Final = 60
"""Of more epochs than this only the first, the best and the last are shown, as in the terminal."""

IMAGE: Final = Head("image", is_name=True)


def comparison_tables(run: Run) -> list[PageTable]:
    """Put the codecs side by side: at one rate, at their default settings, at one quality."""
    if not run.rd_curves().images:
        return []
    return [_at_rate(run), _at_defaults(run), _at_quality(run)]


def _at_rate(run: Run) -> PageTable:
    """Make the paper's table at exactly the same rate, read off the curves."""
    matched = run.at_rate()
    caption = f"PSNR-RGB in dB at {matched.target:g} bits per pixel"
    return _matched_table(matched, caption, f"{matched.target:g} bits per pixel", 2, with_paper=True)


def _at_quality(run: Run) -> PageTable:
    """Make its counterpart: what the same quality costs."""
    matched = run.at_quality()
    return _matched_table(matched, f"Bits per pixel at {matched.target:g} dB of PSNR-RGB", f"{matched.target:g} dB", 3)


def _matched_table(matched: Matched, caption: str, target: str, decimals: int, with_paper: bool = False) -> PageTable:
    variants = [variant for variant in matched.means if variant not in matched.basis.uncoded]
    shown = shown_images(matched.images, matched.ranked())
    theirs = paper_table.columns(matched.images, shown, matched.basis.images) if with_paper else []
    rows = [
        [
            Cell(image),
            *(_number(matched.cells.get((image, variant), math.nan), decimals) for variant in variants),
            *(_number(values[index], 2, "quiet") for _, values, _ in theirs),
        ]
        for index, image in enumerate(shown)
    ]
    means = [_number(matched.means[variant], decimals) for variant in variants]
    their_means = [_number(average, 2, "quiet") for _, _, average in theirs]
    foot = [Cell(f"mean of {len(matched.basis.images)}"), *means, *their_means]
    said = [
        basis_note(
            matched.basis,
            f"on which the curve of every codec shown can be read at {target}",
            f"its curve can be read at {target} on no image",
        ),
        "Read off each image's own curve between its measured settings, never beyond them; settings that take more "
        f"bits for no more quality are left out. {NONE}: the curve does not reach {target}.",
        shown_note(matched.images, shown),
        f'The columns "their" do not depend on the rate. {paper_table.NOTE}' if theirs else "",
    ]
    heads = [IMAGE, *map(Head, variants), *(Head("their", head) for head, _, _ in theirs)]
    return PageTable(caption, heads, rows, foot, [text for text in said if text])


def _at_defaults(run: Run) -> PageTable:
    """Make the paper's table at the default settings, whose rates differ."""
    settings, substituted = chosen_defaults(run.summaries, run.default_settings)
    comparison = compare(run.rows, {codec: settings[codec] for codec in run.codecs})
    shown = shown_images(comparison.images, comparison.ranked())
    columns = [_column(comparison, summary, shown) for summary in comparison.summaries]
    rows = [[Cell(image), *(column[index] for column in columns)] for index, image in enumerate(shown)]
    foot = [Cell(f"mean of {len(comparison.basis.images)}"), *(column[-1] for column in columns)]
    said = [
        "The rates differ: this shows what one gets who sets nothing, not which codec is better.",
        basis_note(comparison.basis, "that all codecs shown coded", "it coded no image"),
        shown_note(comparison.images, shown),
        f"Default setting not measured, median rate instead: {some([settings[codec] for codec in substituted])}."
        if substituted
        else "",
    ]
    heads = [IMAGE, *(Head(s.codec, s.setting.removeprefix(s.codec).strip("[]")) for s in comparison.summaries)]
    caption = "PSNR-RGB in dB, and below it bits per pixel, at the default settings"
    return PageTable(caption, heads, rows, foot, [text for text in said if text])


def summary_table(run: Run) -> PageTable:
    """Make the summary of every setting, by codec and rising rate."""
    fields = usual_fields(run.summaries)
    groups = by_codec(run.summaries)
    rows = [
        [Cell(text := field.write(summary), None if field.is_name else _value(text)) for field in fields]
        for codec in run.codecs
        for summary in groups[codec]
    ]
    heads = [Head(field.head.replace("\n", " "), is_name=field.is_name) for field in fields]
    said = list(notes(run.summaries, run.basis, run.rows))
    return PageTable("Every setting, by codec and rising rate", heads, rows, (), said)


def failures_table(run: Run) -> PageTable | None:
    """Make the table of what failed, each error once; None where nothing did."""
    if not len(failures(run.rows)):
        return None
    found = causes(run.rows)
    rows = [
        [
            Cell(cause.message + like_it(cause), kind="bad"),
            Cell(str(cause.rows), cause.rows),
            Cell(some(cause.images)),
            Cell(some(cause.settings)),
        ]
        for cause in found[:MOST_CAUSES]
    ]
    heads = [Head("error", is_name=True), Head("rows"), Head("images", is_name=True), Head("settings", is_name=True)]
    return PageTable("Errors, the most frequent first", heads, rows, (), failure_notes(found))


def training_tables(run: Run) -> list[PageTable]:
    """Make a table of each training curve."""
    return [_training_table(network, epochs) for network, epochs in run.trainings.items()]


def _training_table(network: str, epochs: pa.Table) -> PageTable:
    labels = {epoch["epoch"]: label for label, epoch in chosen_epochs(epochs)}
    shown = [epoch for epoch in epochs.to_pylist() if len(epochs) <= MOST_EPOCHS or epoch["epoch"] in labels]
    rows = [
        [Cell(name, detail=labels.get(epoch["epoch"], "")), *map(Cell, numbers)]
        for epoch in shown
        for name, *numbers in [epoch_cells(epoch)]
    ]
    heads = [Head(head.replace("\n", " "), is_name=not index) for index, head in enumerate(EPOCH_HEADS)]
    said = [training_note(epochs)]
    if len(shown) < len(epochs):
        said.insert(0, f"Of {len(epochs)} epochs the first, the best and the last are shown.")
    return PageTable(f"Epochs of {network}", heads, rows, (), said, sortable=False)


def _number(value: float, decimals: int, kind: str = "") -> Cell:
    return Cell(number(value, decimals), value, kind=kind)


def _column(comparison: Comparison, summary: Summary, images: Sequence[str]) -> list[Cell]:
    """Write the cells of one setting and, last, its means; rates with the same decimals all along."""
    found = [comparison.cells.get((image, summary.setting)) for image in images]
    pairs = [(cell.psnr, cell.bpp) if cell else None for cell in found] + [(summary.psnr_rgb, summary.bpp)]
    decimals = rate_decimals(max((pair[1] for pair in pairs if pair and not math.isnan(pair[1])), default=0.0))

    def write(pair: tuple[float, float] | None) -> Cell:
        if pair is None:
            return Cell(NONE)
        psnr, bpp = pair
        return Cell(FAILED, kind="bad") if math.isnan(bpp) else Cell(number(psnr, 2), psnr, number(bpp, decimals))

    cells = [write(pair) for pair in pairs]
    return [*cells[:-1], Cell(NONE)] if math.isnan(summary.bpp) else cells


def _value(text: str) -> float | None:
    """Read a number back from what a table writes."""
    try:
        return float(text.replace("∞", "inf"))
    except ValueError:
        return None
