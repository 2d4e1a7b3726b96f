"""BD-rate on paper: its axis, and every image's figure with mean, median and interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from aebench.analysis.bd import CONFIDENCE, BdComparison, BdStatistics
from aebench.analysis.curves import metric_of
from aebench.report.figures.look import (
    GREY,
    INK,
    NARROW,
    NothingToDrawError,
    below,
    drawing,
    folded,
    look,
    mark,
    point_style,
)
from aebench.report.layout import count, some
from aebench.report.style import Style, styles

if TYPE_CHECKING:
    from aebench.analysis.run import Run

_TICKS: Final[tuple[tuple[float, ...], ...]] = (
    tuple(range(-98, 41, 2)),
    tuple(range(-95, 101, 5)),
    (*range(-90, 0, 10), 0, 10, 20, 40, 60, 80, 100),
    (-95, -90, -80, -60, -40, -20, 0, 25, 50, 100, 200, 300, 500),
    (-99, -90, -75, -50, 0, 100, 400, 1500),
    (-99.9, -99, -90, 0, 900, 9900, 99900),
)
"""Places for ticks in per cent, from the finest: the first of which an axis holds few enough are taken."""

_MOST_TICKS: Final = 8
_SPREAD: Final = 0.5

_MEAN: Final[dict[str, Any]] = {
    "marker": "D",
    "color": INK,
    "markersize": 5.0,
    "linestyle": "none",
    "markeredgecolor": "white",
}
_OF_MEAN_CURVE: Final[dict[str, Any]] = {
    "marker": "o", "color": "none", "markersize": 8.0, "linestyle": "none", "markeredgecolor": INK,
    "markeredgewidth": 0.9,
}  # fmt: skip


def bd_rate_figure(run: Run, metric: str = "psnr_rgb", anchor: str | None = None) -> Figure:
    """Draw the BD-rate of every image, a row for each variant, against an anchor (`Run.anchor` by default).

    Raises
    ------
    ResultsError
        If the run has no such variant, or there is no such metric.
    NothingToDrawError
        If there is nothing to compare.
    """
    chosen, compared = comparisons(run, metric, anchor)
    looks = styles(run.variants)
    label = metric_of(metric).label
    with look():
        title = f"BD-rate in {label} against {chosen}, image by image"
        names = [folded(variant, 26) for variant in compared]
        row_height = max(0.42, max(0.15 * (name.count("\n") + 1) for name in names))
        figure = drawing(NARROW, 0.75 + row_height * len(compared), f"{title}: {', '.join(compared)}")
        axes = figure.add_subplot()
        for row, (variant, comparison) in enumerate(compared.items()):
            _draw_row(axes, row, comparison.rate, looks[variant])
            _count_images(axes, row, comparison)
        axes.set_yticks(range(len(compared)), names)
        axes.set_ylim(len(compared) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        gain_axis(axes, "x", [gain for comparison in compared.values() for gain in _shown(comparison.rate)])
        axes.set_xlabel(f"BD-rate in {label} against {chosen} (per cent)")
        axes.set_title("left: fewer bits at equal quality")
        below(figure, _legend(), _notes(compared))
    return figure


def comparisons(run: Run, metric: str, anchor: str | None) -> tuple[str, dict[str, BdComparison]]:
    """Return the anchor, `Run.anchor` by default, and all that is compared with it."""
    chosen = run.anchor if anchor is None else anchor
    compared = run.bd_rate(anchor, metric) if run.variants else {}
    if not any(comparison.images for comparison in compared.values()):
        raise NothingToDrawError(
            f"nothing can be compared with {chosen} in {metric_of(metric).label}: it takes two variants, and images "
            "that both coded at every setting"
        )
    return chosen, compared


def gain_axis(axes: Axes, name: str, gains: Iterable[float]) -> None:
    """Make an axis one of BD-rates in per cent, stretched as ln(1 + gain) so that half and double are equally far.

    Parameters
    ----------
    axes : Axes
    name : str
        ``x`` or ``y``.
    gains : iterable of float
        What it has to hold, in per cent above −100; zero is always in sight.
    """
    stretched = [float(_stretch(gain)) for gain in gains if math.isfinite(gain)]
    low, high = min([*stretched, 0.0]), max([*stretched, 0.0])
    margin = max((high - low) * 0.06, 0.01)
    limits = math.expm1(low - margin) * 100, math.expm1(high + margin) * 100
    axis: Axis
    if name == "x":
        axes.set_xscale("function", functions=(_stretch, _unstretch))
        axes.set_xlim(*limits)
        axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
        axis = axes.xaxis
    else:
        axes.set_yscale("function", functions=(_stretch, _unstretch))
        axes.set_ylim(*limits)
        axes.axhline(0, color=INK, linewidth=0.9, zorder=1)
        axis = axes.yaxis
    inside = [[tick for tick in ticks if limits[0] <= tick <= limits[1]] for ticks in _TICKS]
    axis.set_major_locator(FixedLocator(next((ticks for ticks in inside if len(ticks) <= _MOST_TICKS), inside[-1])))
    axis.set_major_formatter(FuncFormatter(_percent))
    axis.set_minor_locator(NullLocator())


def _draw_row(axes: Axes, row: int, rate: BdStatistics, look: Style) -> None:
    """Draw one variant: its images spread over the height of the row, its mean with the interval, its median."""
    images = sorted(rate.per_image)
    if images:
        heights = [row + _SPREAD * ((i * 0.618034 + 0.5) % 1 - 0.5) for i in range(len(images))]
        gains = [rate.per_image[image] for image in images]
        axes.plot(gains, heights, label="images", **{**point_style(look), "markersize": 3.5, "alpha": 0.75})
        axes.plot(
            rate.interval, (row, row), label="interval", color=INK, linewidth=1.6, solid_capstyle="butt", zorder=4
        )
        axes.plot([rate.median] * 2, (row - 0.3, row + 0.3), label="median", color=INK, linewidth=1.0, zorder=4)
        axes.plot([rate.mean], [row], label="mean", zorder=5, **_MEAN)
    if not rate.refusal:
        axes.plot([rate.of_mean_curve], [row], label="of the mean curve", zorder=6, **_OF_MEAN_CURVE)
    if not images and rate.refusal:
        axes.text(
            0.5,
            row,
            "refused on every image",
            transform=axes.get_yaxis_transform(),
            ha="center",
            va="center",
            color=GREY,
        )


def _count_images(axes: Axes, row: int, comparison: BdComparison) -> None:
    text = f"{len(comparison.rate.per_image)} of {comparison.images}"
    axes.text(1.015, row, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8)


def _shown(rate: BdStatistics) -> list[float]:
    return [*rate.per_image.values(), *rate.interval, rate.of_mean_curve]


def _legend() -> list[Artist]:
    dot = mark("an image", marker="o", color=GREY, linestyle="none", markersize=3.5)
    mean = mark(f"mean, {CONFIDENCE:.0%} interval", **{**_MEAN, "linestyle": "-", "linewidth": 1.6})
    median = mark("median", marker="|", color=INK, linestyle="none", markersize=10)
    return [dot, mean, median, mark("of the mean curve", **_OF_MEAN_CURVE)]


def _notes(compared: Mapping[str, BdComparison]) -> list[str]:
    """Explain the numbers at the right, and say why figures are missing."""
    texts = ["At the right: images with a figure, of those compared. Intervals are bootstrapped over images."]
    for variant, comparison in compared.items():
        reasons = comparison.rate.refused
        if reasons:
            why = dict.fromkeys(reason.partition(":")[0] for reason in reasons.values())
            texts.append(f"{variant} is refused on {count(len(reasons), 'image')}: {some(list(why), 2)}.")
    return texts


def _stretch(gain: npt.ArrayLike) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        stretched: npt.NDArray[np.float64] = np.log1p(np.asarray(gain, np.float64) / 100)
    return stretched


def _unstretch(stretched: npt.ArrayLike) -> npt.NDArray[np.float64]:
    gain: npt.NDArray[np.float64] = np.expm1(np.asarray(stretched, np.float64)) * 100
    return gain


def _percent(gain: float, _: float | None = None) -> str:
    return "0" if abs(gain) < 1e-9 else f"{gain:+g}".replace("-", "−")
