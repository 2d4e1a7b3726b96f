"""BD-rate and BD-PSNR between the codecs of a run: of the mean curve, image by image, with what the images say.

Which of the two means is meant changes verdicts, so both are always given, with the median, the number of images on
which the test wins, the best and the worst image, and a confidence interval over the images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from aebench.analysis.curves import RdCurve, RdCurves
from aebench.bdrate import Curve, bd_psnr, bd_rate
from aebench.errors import BdRateError

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 2000
_SEED: Final = 1

_Pair = tuple[Mapping[str, RdCurve], Mapping[str, RdCurve]]
"""Curves by variant: those of the anchor, and those of the test."""


@dataclass(frozen=True)
class BdStatistics:
    """How far a test lies from an anchor, in per cent of rate or in units of quality.

    Attributes
    ----------
    of_mean_curve : float
        Of the mean curves; NaN where refused.
    refusal : str
        Why it was refused; empty where it was not.
    per_image : dict
        Image to its own figure.
    refused : dict
        Image to the reason why it has none.
    lower_is_better : bool
        Of rate, less is better; of quality, more.
    """

    of_mean_curve: float
    refusal: str
    per_image: dict[str, float]
    refused: dict[str, str]
    lower_is_better: bool

    @property
    def mean(self) -> float:
        """Mean over the images that have a figure; NaN where none has."""
        return float(np.mean(self._figures)) if self.per_image else math.nan

    @property
    def median(self) -> float:
        """Median over these images; NaN where there is none."""
        return float(np.median(self._figures)) if self.per_image else math.nan

    @property
    def wins(self) -> int:
        """Images on which the test is better."""
        return int(np.sum(self._figures < 0 if self.lower_is_better else self._figures > 0))

    @property
    def best(self) -> str:
        """Image on which the test gains most; empty where there is none."""
        return self._ranked[0] if self.per_image else ""

    @property
    def worst(self) -> str:
        """Image on which it gains least, or loses most; empty where there is none."""
        return self._ranked[-1] if self.per_image else ""

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Bootstrap percentile interval of `mean` at `CONFIDENCE`; NaN below two images.

        Images are drawn with replacement `RESAMPLES` times, with a fixed seed: B. Efron, R. J. Tibshirani, "An
        introduction to the bootstrap", 1993, chapter 13. It speaks of other images like these, not of other runs.
        """
        if len(self.per_image) < 2:
            return math.nan, math.nan
        random = np.random.default_rng(_SEED)
        figures = self._figures
        means = figures[random.integers(len(figures), size=(RESAMPLES, len(figures)))].mean(axis=1)
        low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return float(low), float(high)

    @cached_property
    def _figures(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.fromiter(self.per_image.values(), np.float64, len(self.per_image))

    @cached_property
    def _ranked(self) -> list[str]:
        return sorted(sorted(self.per_image), key=self.per_image.__getitem__, reverse=not self.lower_is_better)


@dataclass(frozen=True)
class BdComparison:
    """A test against an anchor.

    Attributes
    ----------
    anchor, test : str
        Variants.
    rate : BdStatistics
        BD-rate in per cent of the anchor's rate; negative where the test needs fewer bits.
    quality : BdStatistics
        BD-PSNR, or the same of another metric, in its unit; positive where the test is better.
    images : int
        Images that were compared: those that both coded at every setting.
    """

    anchor: str
    test: str
    rate: BdStatistics
    quality: BdStatistics
    images: int


def compare_bd(curves: RdCurves, anchor: str, test: str) -> BdComparison:
    """Compare two variants over the images of the curves' basis."""
    pairs = {image: (curves.images[image], curves.images[image]) for image in sorted(curves.basis.images)}
    return _compare(anchor, test, (curves.means, curves.means), pairs)


def compare_runs(curves: RdCurves, other: RdCurves, variant: str) -> BdComparison:
    """Compare a variant in `other` with the same variant in `curves`, two runs' curves over one and the same basis."""
    pairs = {image: (curves.images[image], other.images[image]) for image in sorted(curves.basis.images)}
    return _compare(variant, variant, (curves.means, other.means), pairs)


def compare_published(curves: RdCurves, anchor: str, published: RdCurve) -> BdComparison:
    """Compare a published mean curve with a variant's mean curve: of single images nothing is known."""
    return _compare(anchor, published.variant, (curves.means, {published.variant: published}), {})


def bd_against(curves: RdCurves, anchor: str, tests: Iterable[str]) -> dict[str, BdComparison]:
    """Compare variants with one anchor, which itself is left out."""
    return {test: compare_bd(curves, anchor, test) for test in tests if test != anchor}


def _compare(anchor: str, test: str, means: _Pair, images: Mapping[str, _Pair]) -> BdComparison:
    """Compare the anchor's curve in the first of each pair with the test's in the second."""

    def statistics(figure: Callable[[Curve, Curve], float], lower_is_better: bool) -> BdStatistics:
        def of(pair: _Pair) -> tuple[float, str]:
            try:
                return figure(_curve(pair[0], anchor), _curve(pair[1], test)), ""
            except BdRateError as error:
                return math.nan, str(error)

        found = {image: of(pair) for image, pair in images.items()}
        per_image = {image: value for image, (value, refusal) in found.items() if not refusal}
        refused = {image: refusal for image, (_, refusal) in found.items() if refusal}
        return BdStatistics(*of(means), per_image, refused, lower_is_better)

    rate, quality = statistics(bd_rate, lower_is_better=True), statistics(bd_psnr, lower_is_better=False)
    return BdComparison(anchor, test, rate, quality, len(images))


def _curve(curves: Mapping[str, RdCurve], variant: str) -> Curve:
    """Find a variant's curve; one without points where nothing was coded."""
    return curves[variant].curve if variant in curves else Curve([], [])
