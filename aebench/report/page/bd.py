"""BD-rate on the page: every variant against the anchor with what the images say, and all against all.

Both means are given, that of the mean curves and that over the images; where one is refused its reason stands below.
"""

from __future__ import annotations

import math
from typing import Final

from aebench.analysis.bd import CONFIDENCE, BdComparison, BdStatistics
from aebench.analysis.curves import RdCurves
from aebench.analysis.run import Run
from aebench.report.layout import NONE, basis_note, count, signed, some
from aebench.report.page.cells import Cell, Head, PageTable

MOST_COMPARISONS: Final = 12_000
"""Curves that are compared for the matrices, image by image, of all metrics together; metrics beyond it have none."""

REFUSED: Final = "refused"


class Reasons:
    """The reasons why figures were refused, each once, numbered in the order in which a table needs them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, reason: str) -> str:
        """Return the number by which a cell refers to a reason."""
        return f"[{self._numbers.setdefault(reason, len(self._numbers) + 1)}]"

    def listed(self) -> list[str]:
        """List the reasons by number, from 1."""
        return [f"{reason[:1].upper()}{reason[1:]}." for reason in self._numbers]


def bd_tables(run: Run) -> list[PageTable]:
    """Make both tables in every metric of the run; large runs have no matrix in their last metrics."""
    if len(run.variants) < 2:
        return []
    tables = []
    pairs = len(run.variants) * (len(run.variants) - 1)
    compared = 0
    for metric in run.metrics:
        curves = run.rd_curves(metric)
        tables.append(_against_anchor(run, curves))
        compared += pairs * max(len(curves.basis.images), 1)
        if compared <= MOST_COMPARISONS and len(run.variants) > 2:
            tables.append(_matrix(run, curves))
    return tables


def _against_anchor(run: Run, curves: RdCurves) -> PageTable:
    metric, reasons = curves.metric, Reasons()
    rows = [_row(found, metric.unit, reasons) for found in run.bd_rate(metric=metric.column).values()]
    percent = f"{CONFIDENCE:.0%}"
    heads = [
        Head("codec", is_name=True), Head("BD-rate", "of mean curves"), Head("BD-rate", "mean of images"),
        Head(f"{percent} interval", "of that mean"), Head("median", "of images"), Head("fewer bits on", "of images"),
        Head("best image", is_name=True), Head("worst image", is_name=True), Head("BD-quality", "of mean curves"),
        Head("BD-quality", "mean of images"),
    ]  # fmt: skip
    unit = f", in {metric.unit}" if metric.unit else ""
    said = [
        f"BD-rate: mean difference in rate at equal {metric.label}, in per cent of {run.anchor}; negative needs fewer "
        f"bits. BD-quality: mean difference in {metric.label} at equal rate{unit}; positive is better. PCHIP over the "
        "common interval.",
        basis_note(curves.basis, "that every setting coded", "no image was coded at this setting"),
        f"The interval ({percent}, bootstrap) speaks of other images like these, not of other runs.",
    ]
    caption = f"Against {run.anchor}, {metric.label}"
    return PageTable(caption, heads, rows, (), said, reasons.listed(), metric=metric.column)


def _row(found: BdComparison, unit: str, reasons: Reasons) -> list[Cell]:
    rate, quality = found.rate, found.quality
    low, high = rate.interval
    interval = NONE if math.isnan(low) else f"{signed(low, 1)} to {signed(high, 1)}"
    share = f"{rate.wins} of {len(rate.per_image)}" if rate.per_image else NONE
    return [
        Cell(found.test),
        _of_mean(rate, " %", 1, reasons),
        _of_images(rate, " %", 1, reasons),
        Cell(interval, low),
        Cell(_with_unit(rate.median, " %", 1), rate.median),
        Cell(share, rate.wins if rate.per_image else None),
        _extreme(rate, rate.best),
        _extreme(rate, rate.worst),
        _of_mean(quality, f" {unit}" if unit else "", 2, reasons),
        _of_images(quality, f" {unit}" if unit else "", 2, reasons),
    ]


def _matrix(run: Run, curves: RdCurves) -> PageTable:
    metric, reasons = curves.metric, Reasons()
    matrix = run.bd_matrix(metric.column)
    rows = []
    for test in run.variants:
        cells = [
            Cell("", kind="quiet") if test == anchor else _matrix_cell(matrix[anchor, test].rate, reasons)
            for anchor in run.variants
        ]
        rows.append([Cell(test), *cells])
    heads = [Head("codec", is_name=True), *(Head(anchor, "is 100 %") for anchor in run.variants)]
    said = [
        "A row is a codec, a column the anchor it is measured by: how many per cent more (+) or fewer (-) bits the row "
        f"needs than the column at equal {metric.label}. Large: of the mean curves. Small: mean of the images' own.",
    ]
    caption = f"BD-rate of all against all, {metric.label}"
    return PageTable(caption, heads, rows, (), said, reasons.listed(), metric=metric.column)


def _matrix_cell(rate: BdStatistics, reasons: Reasons) -> Cell:
    mean, images = _of_mean(rate, " %", 1, reasons), _of_images(rate, " %", 1, reasons)
    small = f"{images.text}{f', {images.detail}' if images.detail else ''}"
    if mean.kind and images.kind:
        return Cell(mean.text, kind="bad", detail=f"images: {images.text.removeprefix(REFUSED).strip()}")
    return Cell(mean.text, mean.value, f"images: {small}", mean.kind)


def _of_mean(statistics: BdStatistics, unit: str, decimals: int, reasons: Reasons) -> Cell:
    if statistics.refusal:
        return Cell(f"{REFUSED} {reasons.mark(statistics.refusal)}", kind="bad")
    return Cell(_with_unit(statistics.of_mean_curve, unit, decimals), statistics.of_mean_curve)


def _of_images(statistics: BdStatistics, unit: str, decimals: int, reasons: Reasons) -> Cell:
    """Write the mean over images, and on how many there is no figure, with the reasons."""
    refused = len(statistics.refused)
    why = reasons.mark(_why(statistics)) if refused else ""
    if not statistics.per_image:
        return Cell(f"{REFUSED} {why}" if refused else NONE, kind="bad" if refused else "")
    detail = f"{refused} refused {why}" if refused else ""
    return Cell(_with_unit(statistics.mean, unit, decimals), statistics.mean, detail)


def _why(statistics: BdStatistics) -> str:
    """Give the reason on the first image, and say how many more there are."""
    (image, reason), *others = sorted(statistics.refused.items())
    more = f"; {count(len(others), 'other image')} refused too: {some([name for name, _ in others])}" if others else ""
    return f"on {image}, {reason}{more}"


def _extreme(statistics: BdStatistics, image: str) -> Cell:
    if not image:
        return Cell(NONE)
    figure = statistics.per_image[image]
    return Cell(image, detail=_with_unit(figure, " %", 1))


def _with_unit(value: float, unit: str, decimals: int) -> str:
    return NONE if math.isnan(value) else f"{signed(value, decimals)}{unit}"
