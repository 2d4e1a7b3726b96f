"""What the page's chart draws: the curves of `Run.rd_curves` as JSON, every number that is shown written out already.

The script places points by their numbers and shows their texts; it computes nothing that a reader could quote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aebench.analysis.curves import Metric, RdCurve, RdCurves
from aebench.analysis.published import Published
from aebench.analysis.run import Run
from aebench.report.layout import basis_note, number
from aebench.report.style import Style, styles

MOST_POINTS: Final = 30_000
"""Points of single images in the page, in all metrics together; images beyond them are not in the chart."""

LEAST_IMAGES: Final = 8
"""So many images are in the chart whatever they weigh."""

Json = dict[str, Any]

_GREY: Final = ("#6b6f76", "#9aa0a8")
_PUBLISHED_DASHES: Final = ((4, 3), (1, 2), (7, 2, 1, 2))


def sampled_images(run: Run) -> list[str]:
    """Choose the images that are in the page one by one: all, or of many some, evenly spaced by PSNR.

    They are ordered by the PSNR-RGB of their best point, lossless ones last, so that the sample has the hardest image,
    the easiest and what lies between.
    """
    curves = run.rd_curves()
    points = sum(len(curve.bpp) for by in curves.images.values() for curve in by.values()) * len(run.metrics)
    images = sorted(curves.images)
    most = max(LEAST_IMAGES, MOST_POINTS * len(images) // max(points, 1))
    if len(images) <= most:
        return images
    ranked = sorted(images, key=lambda image: max(max(curve.values) for curve in curves.images[image].values()))
    return sorted(ranked[round(index * (len(ranked) - 1) / (most - 1))] for index in range(most))


def looks(run: Run, published: Sequence[Published]) -> list[tuple[str, Style, bool]]:
    """List every curve's name, look, and whether it is a published one; published curves are grey."""
    own = styles(run.variants)
    grey = [
        (curve.name, Style(*_GREY, "", _PUBLISHED_DASHES[index % len(_PUBLISHED_DASHES)]), True)
        for index, curve in enumerate(published)
    ]
    return [*((variant, own[variant], False) for variant in run.variants), *grey]


def chart_data(run: Run, images: Sequence[str], published: Sequence[Published]) -> Json:
    """Make all that the chart and the texts of the viewer are made of.

    Parameters
    ----------
    run : Run
    images : sequence of str
        Those that can be chosen one by one.
    published : sequence of Published
        Curves that are drawn beside the means.

    Returns
    -------
    dict
        ``curves`` holds a list of `_curve` for each metric and each of ``["", *images]``, where ``""`` is the mean.
    """
    settings = {setting: index for index, setting in enumerate(sorted(set(run.rows["setting"].to_pylist())))}
    names = looks(run, published)
    positions = {name: index for index, (name, _, is_published) in enumerate(names) if not is_published}
    curves: Json = {}
    metrics = []
    for column in run.metrics:
        found = run.rd_curves(column)
        means = [_curve(curve, positions[curve.variant], settings) for curve in found.means.values()]
        means += [
            _curve(curve, len(run.variants) + index, settings)
            for index, paper in enumerate(published)
            if (curve := paper.curve(found.metric)) is not None
        ]
        curves[column] = {"": means}
        for image in images:
            own = found.images.get(image, {}).values()
            curves[column][image] = [_curve(curve, positions[curve.variant], settings) for curve in own]
        metrics.append(_metric(found))
    return {
        "variants": [
            {"name": name, "marker": look.marker, "dashes": look.dashes, "published": is_published}
            for name, look, is_published in names
        ],
        "settings": list(settings),
        "metrics": metrics,
        "images": list(images),
        "curves": curves,
    }


def quality(metric: Metric, value: float) -> str:
    """Write a quality, given in the unit of the metric's column, with its unit."""
    if metric.scale is not float:
        scaled = f"{number(metric.scale(value), 2)} {metric.unit}".strip()
        return f"{number(value, 4)} ({scaled})"
    return f"{number(value, 2)} {metric.unit}".strip()


def _metric(curves: RdCurves) -> Json:
    metric = curves.metric
    return {
        "column": metric.column,
        "label": metric.label,
        "axis": f"{metric.label} ({metric.unit})" if metric.unit else metric.label,
        "mean": f"mean of {len(curves.basis.images)}",
        "note": basis_note(curves.basis, "that every setting coded", "it coded no image"),
    }


def _curve(curve: RdCurve, variant: int, settings: Mapping[str, int]) -> Json:
    """Write a curve: positions of its points, what is said of them, and indices of their settings."""
    return {
        "variant": variant,
        "settings": [settings.get(setting, -1) for setting in curve.settings],
        "x": [_rounded(bpp) for bpp in curve.bpp],
        "y": [_rounded(value) for value in curve.qualities],
        "bpp": [number(bpp, 3) for bpp in curve.bpp],
        "quality": [quality(curve.metric, value) for value in curve.values],
    }


def _rounded(value: float) -> float | None:
    """Keep six digits, more than a screen can show; None where a point has no place, being lossless."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
