"""BD-rate as tables: every codec against an anchor, and all against all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from rich.console import Console

from aebench.analysis.bd import CONFIDENCE, BdComparison, BdStatistics
from aebench.analysis.curves import METRICS, Metric
from aebench.analysis.published import Published
from aebench.analysis.run import Run
from aebench.report.columns import BETWEEN, Column, head, show_columns
from aebench.report.layout import NONE, basis_note, note, printable, signed, some, title
from aebench.report.refusals import bd_refusals

_Cell = Callable[[BdComparison], str]


def show_bd(
    run: Run,
    metric: str,
    console: Console,
    references: Sequence[Published] = (),
    brief: bool = False,
) -> None:
    """Print every variant against the run's anchor, and published mean curves below them.

    Parameters
    ----------
    run : Run
    metric : str
        Column of the rows.
    console : Console
    references : sequence of Published
    brief : bool
        Leave out the best and the worst image, and BD-PSNR.

    Raises
    ------
    ResultsError
        If the run has no such anchor.
    """
    compared = list(run.bd_rate(metric=metric).values())
    published = run.bd_published(references, metric=metric)
    if not compared and not published:
        return
    label = METRICS[metric].label
    title(console, f"BD-rate against {run.anchor} in {label}: % of bits at equal quality, less is better")
    shown = [*compared, *published]
    if any(map(_has_figure, shown)):
        names = [c.test for c in compared] + [f"{printable(c.test)} (published)" for c in published]
        blocks = [
            [Column(heading, tuple(cell(c) for c in shown)) for heading, cell in block]
            for block in _blocks(METRICS[metric], brief)
        ]
        show_columns(Column("codec", tuple(names)), console, blocks)
        note(console, basis_note(run.rd_curves(metric).basis, "that every setting coded", "it coded no image"))
    for text in bd_refusals(shown, "" if brief else _gain(METRICS[metric])):
        note(console, text)
    for text in _reference_notes(references, METRICS[metric], brief):
        note(console, text)


def show_bd_matrix(run: Run, console: Console) -> None:
    """Print the BD-rate in PSNR-RGB of every variant against every other, where three or more can be compared."""
    matrix = {pair: found for pair, found in run.bd_matrix().items() if _has_figure(found)}
    variants = [variant for variant in run.variants if any(variant in pair for pair in matrix)]
    if len(variants) < 3:
        return
    title(console, "BD-rate of all against all in PSNR-RGB: % of bits of the row's codec against the column's")

    def column(anchor: str, between: str) -> list[Column]:
        cells = [_both(matrix.get((anchor, test)), between) if test != anchor else "" for test in variants]
        return [Column(f"against\n{head(anchor)}", tuple(cells))]

    layouts = [[column(anchor, between) for anchor in variants] for between in BETWEEN]
    show_columns(Column("codec", tuple(variants)), console, *layouts)
    note(console, "In a cell: BD-rate of the mean curves / mean of the images' BD-rates.")
    if alone := [variant for variant in run.variants if variant not in variants]:
        note(console, f"No BD-rate against any other codec: {some(alone)}.")
    for text in bd_refusals(run.bd_matrix()[pair] for pair in itertools.combinations(variants, 2)):
        note(console, text)


def _blocks(metric: Metric, brief: bool) -> list[list[tuple[str, _Cell]]]:
    """Say what stands in the columns, those together that belong together."""
    blocks: list[list[tuple[str, _Cell]]] = [
        [("mean\ncurve", lambda c: signed(c.rate.of_mean_curve, 1))],
        [
            ("mean of\nimages", lambda c: signed(c.rate.mean, 1)),
            (f"{CONFIDENCE:.0%} interval\nof that mean", lambda c: _interval(c.rate)),
        ],
        [("median", lambda c: signed(c.rate.median, 1))],
        [("wins", lambda c: f"{c.rate.wins} of {len(c.rate.per_image)}" if c.rate.per_image else NONE)],
    ]
    if not brief:
        blocks += [
            [(f"{_gain(metric)}\n{metric.unit}", lambda c: signed(c.quality.of_mean_curve, 2))],
            [
                ("best image", lambda c: _extreme(c.rate, c.rate.best)),
                ("worst image", lambda c: _extreme(c.rate, c.rate.worst)),
            ],
        ]
    return blocks


def _interval(statistics: BdStatistics) -> str:
    low, high = statistics.interval
    return NONE if math.isnan(low) else f"{signed(low, 1)} to {signed(high, 1)}"


def _extreme(statistics: BdStatistics, image: str) -> str:
    return f"{image} {signed(statistics.per_image[image], 1)}" if image else NONE


def _both(comparison: BdComparison | None, between: str) -> str:
    if comparison is None:
        return NONE
    return f"{signed(comparison.rate.of_mean_curve, 1)}{between}{signed(comparison.rate.mean, 1)}"


def _has_figure(comparison: BdComparison) -> bool:
    return bool(comparison.rate.per_image or not comparison.rate.refusal)


def _gain(metric: Metric) -> str:
    """Name what BD-PSNR is in a metric."""
    return f"BD-{metric.label.removesuffix('-RGB')}"


def _reference_notes(references: Sequence[Published], metric: Metric, brief: bool) -> list[str]:
    """Say which published curves do not have the metric, and once what they are."""
    missing = [f"{printable(r.name)} has no {metric.label}." for r in references if metric.column not in r.columns]
    if brief or not references:
        return missing
    what = "Published curves are means over images of their own: they compare where those are the images of this run."
    return [what, *missing, *(printable(r.caveat) for r in references if r.caveat)]
