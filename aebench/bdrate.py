"""BD-rate and BD-PSNR: the mean distance of two rate-distortion curves, in per cent of rate or in units of quality.

G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001, with the piecewise cubic
Hermite interpolation (PCHIP) that ITU-T HSTR-VID-WPOM (2020), "Working practices using objective metrics for
evaluation of video coding efficiency experiments", puts in the place of his cubic fit. Rates enter as logarithms.

Where the number would mislead there is none: `BdRateError` says why.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aebench.errors import BdRateError

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

_Axis = tuple[float, ...]

LEAST_POINTS: Final = 4
"""Points that each curve needs (VCEG-M33 uses four)."""

LEAST_OVERLAP: Final = 0.25
"""Least length of the common interval, as a share of the shorter of the two curves' own intervals."""


@dataclass(frozen=True)
class Curve:
    """A rate-distortion curve: the points of one codec on one image, or their means over the same images.

    Made ready on construction: points are sorted by rate, equal points are merged into one, and points of infinite
    quality (lossless ones, which no curve can reach) are dropped.

    Parameters
    ----------
    rates : sequence of float
        In bits per pixel, above 0.
    qualities : sequence of float
        As many as `rates`; PSNR in dB, or any metric that grows with quality, such as MS-SSIM.

    Raises
    ------
    BdRateError
        If the lengths differ, a rate is not a number above 0, or a quality is NaN or minus infinity.
    """

    rates: tuple[float, ...]
    qualities: tuple[float, ...]

    def __init__(self, rates: Sequence[float], qualities: Sequence[float]) -> None:
        if len(rates) != len(qualities):
            raise BdRateError(f"a curve has as many rates as qualities, not {len(rates)} and {len(qualities)}")
        points = sorted({(float(rate), float(quality)) for rate, quality in zip(rates, qualities, strict=True)})
        for rate, quality in points:
            if not (math.isfinite(rate) and rate > 0) or math.isnan(quality) or quality == -math.inf:
                raise BdRateError(f"a curve cannot hold the point {_point(rate, quality)}: leave it out")
        kept = [point for point in points if point[1] != math.inf]
        object.__setattr__(self, "rates", tuple(rate for rate, _ in kept))
        object.__setattr__(self, "qualities", tuple(quality for _, quality in kept))


def bd_rate(anchor: Curve, test: Curve) -> float:
    """Mean difference in rate at equal quality, in per cent of the anchor's; negative where `test` needs fewer bits.

    ``(exp(mean of ln(rate_test) - ln(rate_anchor)) - 1) * 100``, the mean being taken over the qualities that both
    curves reach.

    Raises
    ------
    BdRateError
        If a curve has fewer than `LEAST_POINTS` points or its quality does not grow with every step in rate, or if the
        curves share less than `LEAST_OVERLAP` of the shorter one's range of quality.
    """
    _check(anchor, "anchor")
    _check(test, "test")
    mean = _mean_difference(anchor.qualities, _logs(anchor), test.qualities, _logs(test), "quality")
    return math.expm1(mean) * 100


def bd_psnr(anchor: Curve, test: Curve) -> float:
    """Mean difference in quality at equal rate, in the unit of the metric; positive where `test` is better.

    The mean is taken over the logarithm of the rates that both curves reach.

    Raises
    ------
    BdRateError
        As `bd_rate`, with the overlap measured in the logarithm of the rate.
    """
    _check(anchor, "anchor")
    _check(test, "test")
    return _mean_difference(_logs(anchor), anchor.qualities, _logs(test), test.qualities, "ln(rate)")


def quality_at(curve: Curve, rate: float) -> float:
    """Read a curve's quality at a rate in bits per pixel, by PCHIP over the logarithm of the rate.

    Raises
    ------
    BdRateError
        If the curve has fewer than two points, or does not reach the rate: nothing is extrapolated. Points that take
        more bits for no more quality are left out, as nobody would use them.
    """
    curve = _undominated(curve)
    _check_reach(curve.rates, rate, f"{rate:.4g} bpp")
    return float(_pchip(_logs(curve), curve.qualities)(math.log(rate)))


def rate_at(curve: Curve, quality: float) -> float:
    """Read a curve's rate, in bits per pixel, at a quality, by PCHIP of the logarithm of the rate.

    Raises
    ------
    BdRateError
        As `quality_at`.
    """
    curve = _undominated(curve)
    _check_reach(curve.qualities, quality, f"quality {quality:.4g}")
    return math.exp(_pchip(curve.qualities, _logs(curve))(quality))


def _logs(curve: Curve) -> tuple[float, ...]:
    return tuple(math.log(rate) for rate in curve.rates)


def _check(curve: Curve, role: str) -> None:
    """Refuse a curve with too few points, or one that is not strictly increasing."""
    points = list(zip(curve.rates, curve.qualities, strict=True))
    if len(points) < LEAST_POINTS:
        raise BdRateError(
            f"the {role} has {len(points)} points of finite quality, {LEAST_POINTS} are needed: measure more settings"
        )
    for lower, upper in itertools.pairwise(points):
        # neighbouring floats of rate can have one logarithm
        if math.log(upper[0]) <= math.log(lower[0]) or upper[1] <= lower[1]:
            raise BdRateError(
                f"the {role} is not monotone: {_point(*lower)} is followed by {_point(*upper)}; "
                "more bits must mean more quality at every step"
            )


def _mean_difference(anchor_x: _Axis, anchor_y: _Axis, test_x: _Axis, test_y: _Axis, axis: str) -> float:
    """Mean of test minus anchor, both interpolated by PCHIP, over the interval of x that they share."""
    low, high = max(anchor_x[0], test_x[0]), min(anchor_x[-1], test_x[-1])
    shorter = min(anchor_x[-1] - anchor_x[0], test_x[-1] - test_x[0])
    share = max(high - low, 0) / shorter
    if share < LEAST_OVERLAP:
        raise BdRateError(
            f"the curves share {share:.0%} of the shorter one's range of {axis}, {LEAST_OVERLAP:.0%} is needed: the "
            f"anchor spans {anchor_x[0]:.4g} to {anchor_x[-1]:.4g}, the test {test_x[0]:.4g} to {test_x[-1]:.4g}"
        )
    anchor_area, test_area = (
        float(_pchip(x, y).integrate(low, high)) for x, y in ((anchor_x, anchor_y), (test_x, test_y))
    )
    return (test_area - anchor_area) / (high - low)


def _undominated(curve: Curve) -> Curve:
    """Leave out points that take more bits for no more quality."""
    best = -math.inf
    kept: list[tuple[float, float]] = []
    for rate, quality in zip(curve.rates, curve.qualities, strict=True):
        if quality > best and (not kept or math.log(rate) > math.log(kept[-1][0])):
            kept.append((rate, quality))
            best = quality
    return Curve([rate for rate, _ in kept], [quality for _, quality in kept])


def _check_reach(axis: _Axis, at: float, wanted: str) -> None:
    """Refuse to read a curve off outside of its points."""
    if len(axis) < 2:
        raise BdRateError(f"the curve has too few points of finite, growing quality: {len(axis)}, and 2 are needed")
    if not axis[0] <= at <= axis[-1]:
        raise BdRateError(f"the curve does not reach {wanted}: it grows from {axis[0]:.4g} to {axis[-1]:.4g}")


@lru_cache(maxsize=4096)  # a curve is compared with many others
def _pchip(x: _Axis, y: _Axis) -> PchipInterpolator:
    from scipy.interpolate import PchipInterpolator  # takes half a second to import

    return PchipInterpolator(x, y)


def _point(rate: float, quality: float) -> str:
    return f"({rate:.6g} bpp, quality {quality:.6g})"
