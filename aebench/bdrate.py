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
from functools import cached_property
from typing import Final

from aebench.errors import BdRateError
from aebench.pchip import Pchip

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

    # kept, as a curve is compared with many others

    @cached_property
    def log_rates(self) -> tuple[float, ...]:
        """Natural logarithms of `rates`."""
        return tuple(math.log(rate) for rate in self.rates)

    @cached_property
    def undominated(self) -> Curve:
        """The curve without the points that take more bits for no more quality."""
        best = -math.inf
        kept: list[tuple[float, float]] = []
        for rate, quality in zip(self.rates, self.qualities, strict=True):
            if quality > best and (not kept or math.log(rate) > math.log(kept[-1][0])):
                kept.append((rate, quality))
                best = quality
        return Curve([rate for rate, _ in kept], [quality for _, quality in kept])

    @cached_property
    def defect(self) -> str:
        """Why no mean difference can be taken from the curve; empty if one can."""
        points = list(zip(self.rates, self.qualities, strict=True))
        if len(points) < LEAST_POINTS:
            return f"has {len(points)} points of finite quality, {LEAST_POINTS} are needed: measure more settings"
        for (lower, upper), (low, high) in zip(
            itertools.pairwise(points), itertools.pairwise(self.log_rates), strict=True
        ):
            if high <= low or upper[1] <= lower[1]:  # neighbouring floats of rate can have one logarithm
                return (
                    f"is not monotone: {_point(*lower)} is followed by {_point(*upper)}; "
                    "more bits must mean more quality at every step"
                )
        return ""

    @cached_property
    def quality_by_log_rate(self) -> Pchip:
        """PCHIP of the quality over the logarithm of the rate."""
        return Pchip(self.log_rates, self.qualities)

    @cached_property
    def log_rate_by_quality(self) -> Pchip:
        """PCHIP of the logarithm of the rate over the quality."""
        return Pchip(self.qualities, self.log_rates)


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
    low, high = _shared(anchor.qualities, test.qualities, "quality")
    area = test.log_rate_by_quality.integrate(low, high) - anchor.log_rate_by_quality.integrate(low, high)
    return math.expm1(area / (high - low)) * 100


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
    low, high = _shared(anchor.log_rates, test.log_rates, "ln(rate)")
    area = test.quality_by_log_rate.integrate(low, high) - anchor.quality_by_log_rate.integrate(low, high)
    return area / (high - low)


def quality_at(curve: Curve, rate: float) -> float:
    """Read a curve's quality at a rate in bits per pixel, by PCHIP over the logarithm of the rate.

    Raises
    ------
    BdRateError
        If the curve has fewer than two points, or does not reach the rate: nothing is extrapolated. Points that take
        more bits for no more quality are left out, as nobody would use them.
    """
    curve = curve.undominated
    _check_reach(curve.rates, rate, f"{rate:.4g} bpp")
    return curve.quality_by_log_rate(math.log(rate))


def rate_at(curve: Curve, quality: float) -> float:
    """Read a curve's rate, in bits per pixel, at a quality, by PCHIP of the logarithm of the rate.

    Raises
    ------
    BdRateError
        As `quality_at`.
    """
    curve = curve.undominated
    _check_reach(curve.qualities, quality, f"quality {quality:.4g}")
    return math.exp(curve.log_rate_by_quality(quality))


def _check(curve: Curve, role: str) -> None:
    """Refuse a curve with too few points, or one that is not strictly increasing."""
    if curve.defect:
        raise BdRateError(f"the {role} {curve.defect}")


def _shared(anchor: _Axis, test: _Axis, axis: str) -> tuple[float, float]:
    """Return the interval that two curves share, from the points of each along one axis; refuse a small one."""
    low, high = max(anchor[0], test[0]), min(anchor[-1], test[-1])
    shorter = min(anchor[-1] - anchor[0], test[-1] - test[0])
    share = max(high - low, 0) / shorter
    if share < LEAST_OVERLAP:
        raise BdRateError(
            f"the curves share {share:.0%} of the shorter one's range of {axis}, {LEAST_OVERLAP:.0%} is needed: the "
            f"anchor spans {anchor[0]:.4g} to {anchor[-1]:.4g}, the test {test[0]:.4g} to {test[-1]:.4g}"
        )
    return low, high


def _check_reach(axis: _Axis, at: float, wanted: str) -> None:
    """Refuse to read a curve off outside of its points."""
    if len(axis) < 2:
        raise BdRateError(f"the curve has too few points of finite, growing quality: {len(axis)}, and 2 are needed")
    if not axis[0] <= at <= axis[-1]:
        raise BdRateError(f"the curve does not reach {wanted}: it grows from {axis[0]:.4g} to {axis[-1]:.4g}")


def _point(rate: float, quality: float) -> str:
    return f"({rate:.6g} bpp, quality {quality:.6g})"
