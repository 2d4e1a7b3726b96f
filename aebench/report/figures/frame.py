"""Which part of the plane a figure shows, and what it then has to say of the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aebench.analysis.curves import Metric, RdCurve
from aebench.report.layout import some

MOST_RATE: Final = 24.0
"""Bits per pixel of the image itself: a point above it compresses nothing."""

_REACH: Final = 0.5
_LEAST_REACH_RATE: Final = math.log(8)
_LEAST_REACH_QUALITY: Final = 10.0
_MARGIN: Final = 0.04
_LEAST_MARGIN_RATE: Final = 0.05
_LEAST_MARGIN_QUALITY: Final = 0.5


@dataclass(frozen=True)
class Frame:
    """Limits of a figure: rates in bits per pixel, qualities on the metric's scale."""

    rates: tuple[float, float]
    qualities: tuple[float, float]

    def holds(self, bpp: float, quality: float) -> bool:
        """Tell whether a point is inside."""
        return self.rates[0] <= bpp <= self.rates[1] and self.qualities[0] <= quality <= self.qualities[1]


def frame_of(curves: Iterable[RdCurve]) -> Frame:
    """Choose a frame in which no few curves squeeze the others.

    It ends at `MOST_RATE`, and on each side at half the usual span beyond where three quarters of the curves end, the
    usual span being that between those two places (fences as in J. W. Tukey, "Exploratory data analysis", 1977). It is
    never wider than what there is to see.
    """
    points = [[p for p in finite(curve) if p[0] <= MOST_RATE] or list(finite(curve)) for curve in curves]
    points = [own for own in points if own]
    if not points:
        return Frame((0.1, 10.0), (0.0, 1.0))
    rates = [(math.log(min(own)[0]), math.log(max(own)[0])) for own in points]
    qualities = [(min(q for _, q in own), max(q for _, q in own)) for own in points]
    low, high = _fenced(rates, _LEAST_REACH_RATE, _LEAST_MARGIN_RATE)
    return Frame((math.exp(low), math.exp(high)), _fenced(qualities, _LEAST_REACH_QUALITY, _LEAST_MARGIN_QUALITY))


def finite(curve: RdCurve) -> Iterator[tuple[float, float]]:
    """Yield a curve's points that have a place on an axis: rate and quality on the metric's scale."""
    return ((b, q) for b, q in zip(curve.bpp, curve.qualities, strict=True) if math.isfinite(q) and b > 0)


def unseen(curves: Iterable[RdCurve], frame: Frame, metric: Metric) -> list[str]:
    """Say which points a figure does not show: those beyond its frame, and lossless ones."""
    beyond, lossless = [], []
    for curve in curves:
        for setting, bpp, quality in zip(curve.settings, curve.bpp, curve.qualities, strict=True):
            name = setting or curve.variant
            if math.isinf(quality):
                lossless.append(f"{name} ({bpp:.3g} bpp)")
            elif not frame.holds(bpp, quality):
                beyond.append(f"{name} ({bpp:.3g} bpp, {quality:.4g} {metric.unit}".rstrip() + ")")
    return [
        f"Beyond the frame: {some(beyond)}." if beyond else "",
        f"Lossless, without a place on this axis: {some(lossless)}." if lossless else "",
    ]


def _fenced(spans: Sequence[tuple[float, float]], least_reach: float, least_margin: float) -> tuple[float, float]:
    lows, highs = zip(*spans, strict=True)
    usual_low, usual_high = float(np.quantile(lows, 0.25)), float(np.quantile(highs, 0.75))
    reach = max((usual_high - usual_low) * _REACH, least_reach)
    low, high = max(min(lows), usual_low - reach), min(max(highs), usual_high + reach)
    margin = max((high - low) * _MARGIN, least_margin)
    return low - margin, high + margin
