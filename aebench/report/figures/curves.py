"""Rate-distortion curves: the mean, or one image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aebench.analysis.curves import Metric, RdCurve, RdCurves
from aebench.analysis.published import Published
from aebench.analysis.rows import failures, image_names
from aebench.errors import ResultsError
from aebench.report.figures.frame import finite, frame_of, unseen
from aebench.report.figures.look import (
    GREY,
    NARROW,
    NothingToDrawError,
    below,
    drawing,
    folded,
    line_style,
    log_axis,
    look,
    mark,
)
from aebench.report.layout import basis_note, count, some
from aebench.report.style import styles
from aebench.suggest import did_you_mean

if TYPE_CHECKING:
    from aebench.analysis.run import Run

_PUBLISHED_DASHES: Final = ((4, 2), (1, 1.2), (6, 1.5, 1, 1.5), (2, 2))
_PUBLISHED_MARKERS: Final = ("", "x", "+", "1", "|")


def rd_figure(
    run: Run, metric: str = "psnr_rgb", image: str | None = None, published: Sequence[Published] = ()
) -> Figure:
    """Draw the rate-distortion curve of every variant: the mean curve, or that of one image.

    Parameters
    ----------
    run : Run
    metric : str
        Its column.
    image : str, optional
        The image's name in the rows; without it the mean is drawn.
    published : sequence of Published
        Drawn in thin grey beside the run's own.

    Raises
    ------
    ResultsError
        If there is no such metric or image.
    NothingToDrawError
        If the run holds no such curve.
    """
    curves = run.rd_curves(metric)
    own = _means(curves, run) if image is None else _of_image(curves, image, run)
    theirs = [(paper, curve) for paper in published if (curve := paper.curve(curves.metric)) is not None]
    frame = frame_of([*own.values(), *(curve for _, curve in theirs)])
    over = f"mean of {count(len(curves.basis.images), 'image')}" if image is None else image
    with look():
        figure = drawing(NARROW, 3.3, f"Rate and {curves.metric.label}, {over}: {', '.join(own)}")
        axes = figure.add_subplot()
        entries = _draw_published(axes, [curve for _, curve in theirs])
        entries = [*draw(axes, own, run.variants), *entries]
        log_axis(axes, "x", *frame.rates)
        axes.set_xlabel("rate (bits per pixel, logarithmic)")
        axes.set_ylim(*frame.qualities)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
        axes.set_ylabel(quality_label(curves.metric))
        axes.set_title(folded(f"{curves.metric.label}, {over}", 60))
        notes = [
            basis_note(curves.basis, "that every setting coded", "it coded no image")
            if image is None
            else _failure_note(run, image),
            *_absent(own, run.variants),
            *unseen(own.values(), frame, curves.metric),
            "Grey: published curves, means over their own images." if theirs else "",
            *dict.fromkeys(paper.caveat for paper, _ in theirs),
        ]
        below(figure, entries, notes)
    return figure


def draw(axes: Axes, curves: Mapping[str, RdCurve], variants: Sequence[str], **how: Any) -> list[Artist]:
    """Draw curves in the looks of their variants, and return the entries of a legend."""
    looks = styles(variants)
    entries: list[Artist] = []
    for variant in variants:
        if variant in curves:
            points = list(finite(curves[variant]))
            axes.plot(*_columns(points), label=variant, **{**line_style(looks[variant]), **how})
            entries.append(mark(variant, **line_style(looks[variant])))
    return entries


def quality_label(metric: Metric) -> str:
    """Write what stands at an axis of quality."""
    if metric.column == "ms_ssim":
        return f"{metric.label} (−10 log₁₀(1 − value), dB)"
    return f"{metric.label} ({metric.unit})" if metric.unit else metric.label


def _means(curves: RdCurves, run: Run) -> dict[str, RdCurve]:
    own = {variant: curves.means[variant] for variant in run.variants if variant in curves.means}
    if not own:
        single = "; draw single images" if curves.images else ""
        raise NothingToDrawError(
            f"no image has {curves.metric.label} at every setting, so that there is no mean curve{single}"
        )
    return own


def _of_image(curves: RdCurves, image: str, run: Run) -> dict[str, RdCurve]:
    names = image_names(run.rows)
    if image not in names:
        raise ResultsError(f"{run.name} has no image {image!r}{did_you_mean(image, names)}; it has: {some(names, 12)}")
    if image not in curves.images:
        raise NothingToDrawError(f"{image} has {curves.metric.label} at no setting")
    return curves.images[image]


def _draw_published(axes: Axes, curves: Iterable[RdCurve]) -> list[Artist]:
    entries: list[Artist] = []
    for i, curve in enumerate(curves):
        how: dict[str, Any] = {
            "color": GREY, "linewidth": 0.8, "markersize": 3.5, "linestyle": (0, _PUBLISHED_DASHES[i % 4]),
            "marker": _PUBLISHED_MARKERS[i // 4 % 5], "label": f"{curve.variant} (published)",
        }  # fmt: skip
        axes.plot(*_columns(list(finite(curve))), zorder=1.5, **how)
        entries.append(mark(**how))
    return entries


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [bpp for bpp, _ in points], [quality for _, quality in points]


def _failure_note(run: Run, image: str) -> str:
    failed = [
        row["setting"] for row in failures(run.rows).select(["image", "setting"]).to_pylist() if row["image"] == image
    ]
    return f"Failed on this image: {some(failed)}." if failed else ""


def _absent(own: Mapping[str, RdCurve], variants: Iterable[str]) -> Iterator[str]:
    absent = [variant for variant in variants if variant not in own]
    if absent:
        yield f"Without a curve: {some(absent)}."
