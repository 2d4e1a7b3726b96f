"""Codecs at exactly the same rate, or the same quality: read off their curves, image by image, never extrapolated."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from aebench.analysis.curves import RdCurve, RdCurves
from aebench.analysis.rows import Basis
from aebench.analysis.summary import mean
from aebench.bdrate import Curve, quality_at, rate_at
from aebench.errors import BdRateError

RATES: Final = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""Rates in bits per pixel among which a comparison chooses its own, if it is told none."""

USUAL_RATE: Final = 0.5
USUAL_QUALITY: Final = 32
"""Bits per pixel, and dB: of rates or qualities that equally many codecs reach, the one nearest to these is chosen."""


@dataclass(frozen=True)
class Matched:
    """Every variant at one rate, or at one quality.

    Attributes
    ----------
    target : float
        The rate in bits per pixel, or the quality on the metric's scale.
    cells : dict
        (image, variant) to quality, or to rate; absent where the curve does not reach the target.
    refused : dict
        (image, variant) to the reason why there is no cell.
    means : dict
        Variant to the mean over `basis`, in the order in which variants were given; NaN for those in its `uncoded`.
    images : tuple of str
        Every image that any variant coded, sorted.
    basis : Basis
        Images on which every variant reaches the target, variants that reach it on none (`uncoded`) left aside.
    """

    target: float
    cells: dict[tuple[str, str], float]
    refused: dict[tuple[str, str], str]
    means: dict[str, float]
    images: tuple[str, ...]
    basis: Basis

    def ranked(self) -> list[str]:
        """Order the images of the basis by their mean over the variants."""

        def average(image: str) -> float:
            return mean([self.cells[image, variant] for variant in self.means if (image, variant) in self.cells])

        return sorted(sorted(self.basis.images), key=average)


def at_rate(curves: RdCurves, variants: Iterable[str], bpp: float) -> Matched:
    """Read off every variant's quality, on the metric's scale, at a rate in bits per pixel."""
    return _matched(curves, list(variants), bpp, quality_at)


def at_quality(curves: RdCurves, variants: Iterable[str], quality: float) -> Matched:
    """Read off every variant's rate, in bits per pixel, at a quality on the metric's scale."""
    return _matched(curves, list(variants), quality, rate_at)


def nearest(curve: RdCurve, bpp: float) -> int:
    """Return the position in a curve of the setting whose rate is nearest; of two equally near the lower."""
    return min(range(len(curve.bpp)), key=lambda i: abs(curve.bpp[i] - bpp))


def usual_rate(curves: RdCurves) -> float:
    """Choose the one of `RATES` whose means have most behind them, and of equal ones the nearest to `USUAL_RATE`."""
    return max(RATES, key=lambda bpp: (_behind(curves, bpp, quality_at), -abs(math.log(bpp / USUAL_RATE))))


def usual_quality(curves: RdCurves) -> float:
    """Choose the whole quality whose means have most behind them, of equal ones the nearest to `USUAL_QUALITY`."""
    finite = [q for curve in curves.means.values() for q in curve.qualities if math.isfinite(q)]
    wholes = range(math.floor(min(finite)), math.ceil(max(finite)) + 1) if finite else [USUAL_QUALITY]
    return max(wholes, key=lambda q: (_behind(curves, q, rate_at), -abs(q - USUAL_QUALITY)))


def _behind(curves: RdCurves, target: float, read: Callable[[Curve, float], float]) -> int:
    """Count the curves that the means at a target are taken over: images that all who reach it have, times variants."""
    variants = curves.variants
    matched = _matched(curves, variants, target, read)
    return len(matched.basis.images) * (len(variants) - len(matched.basis.uncoded))


def _matched(curves: RdCurves, variants: list[str], target: float, read: Callable[[Curve, float], float]) -> Matched:
    images = tuple(sorted(curves.images))
    cells: dict[tuple[str, str], float] = {}
    refused: dict[tuple[str, str], str] = {}
    for image, variant in itertools.product(images, variants):
        if variant not in curves.images[image]:
            refused[image, variant] = "the curve was not measured"
            continue
        try:
            cells[image, variant] = read(curves.images[image][variant].curve, target)
        except BdRateError as error:
            refused[image, variant] = str(error)
    reaching = {variant for _, variant in cells}
    shared = frozenset(image for image in images if all((image, variant) in cells for variant in reaching))
    over = Basis(
        shared if reaching else frozenset(),
        tuple(image for image in images if image not in shared),
        tuple(variant for variant in variants if variant not in reaching),
    )
    means = {
        variant: mean([cells[image, variant] for image in sorted(over.images)]) if variant in reaching else math.nan
        for variant in variants
    }
    return Matched(target, cells, refused, means, images, over)
