"""Speed against BD-rate: what a codec's bits cost in time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aebench.analysis.bd import BdComparison
from aebench.analysis.curves import metric_of
from aebench.analysis.speed import Speeds
from aebench.analysis.timing import Spread
from aebench.report.figures.gains import comparisons, gain_axis
from aebench.report.figures.look import WIDE, NothingToDrawError, below, drawing, log_axis, look, mark, point_style
from aebench.report.layout import some
from aebench.report.style import Style, styles

if TYPE_CHECKING:
    from aebench.analysis.run import Run


def speed_figure(run: Run, metric: str = "psnr_rgb", anchor: str | None = None) -> Figure:
    """Draw encoding and decoding speed against BD-rate: a variant's median setting, from its slowest to its fastest.

    Raises
    ------
    ResultsError
        If the run has no such variant, or there is no such metric.
    NothingToDrawError
        If no variant has both a speed and a BD-rate.
    """
    chosen, compared = comparisons(run, metric, anchor)
    speeds, label = run.speeds, metric_of(metric).label
    gains = {variant: _gain(variant, chosen, compared) for variant in run.variants if variant in speeds.variants}
    placed = {variant: gain for variant, gain in gains.items() if math.isfinite(gain)}
    if not placed.keys() - {chosen}:
        raise NothingToDrawError(f"no variant has both a speed and a BD-rate in {label} against {chosen}")
    looks = styles(run.variants)
    with look():
        figure = drawing(WIDE, 2.9, f"Speed and BD-rate in {label} against {chosen}: {', '.join(placed)}")
        left, right = figure.subplots(1, 2, sharey=True)
        gain_axis(left, "y", placed.values())
        gain_axis(right, "y", placed.values())
        _draw(left, {v: speeds.variants[v].encode for v in placed}, placed, looks)
        _draw(right, {v: speeds.variants[v].decode for v in placed}, placed, looks)
        left.set_title("encoding")
        right.set_title("decoding")
        left.set_ylabel(f"mean BD-rate in {label}\nagainst {chosen} (per cent)")
        for axes in (left, right):
            axes.set_xlabel(f"megapixels per second of {_clock(speeds)}")
        refused = [variant for variant in gains if variant not in placed]
        untimed = [variant for variant in run.variants if variant not in gains]
        below(figure, [mark(v, **point_style(looks[v])) for v in placed], _notes(speeds, refused, untimed))
    return figure


def _gain(variant: str, anchor: str, compared: Mapping[str, BdComparison]) -> float:
    return 0.0 if variant == anchor else compared[variant].rate.mean


def _draw(axes: Axes, speeds: Mapping[str, Spread], gains: Mapping[str, float], looks: Mapping[str, Style]) -> None:
    for variant, speed in speeds.items():
        how, gain = point_style(looks[variant]), gains[variant]
        axes.plot((speed.smallest, speed.largest), (gain, gain), color=how["color"], linewidth=1.0, label="settings")
        axes.plot([speed.median], [gain], label=variant, **{**how, "markersize": 6.5})
    low, high = min(s.smallest for s in speeds.values()), max(s.largest for s in speeds.values())
    log_axis(axes, "x", low / 1.5, high * 1.5, most=100)


def _clock(speeds: Speeds) -> str:
    return "wall time" if speeds.clock == "wall" else "CPU time"


def _notes(speeds: Speeds, refused: Sequence[str], untimed: Sequence[str]) -> list[str]:
    elsewhere = [name for name, speed in speeds.variants.items() if speed.devices != ("cpu",)]
    source = (
        "Wall time of one thread in the timing pass."
        if speeds.clock == "wall"
        else "CPU time of the rows: the run has no timing pass."
    )
    return [
        f"{source} A marker is the variant's median setting, its line goes from the slowest to the fastest.",
        f"Not on the CPU alone: {some(elsewhere)}." if elsewhere else "",
        f"Without a BD-rate, so not drawn: {some(refused)}." if refused else "",
        f"Not timed, so not drawn: {some(untimed)}." if untimed else "",
    ]
