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
        means = [figures[random.integers(len(figures), size=len(figures))].mean() for _ in range(RESAMPLES)]
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
    images = sorted(curves.basis.images)
    pairs = {image: (_of(curves.images[image], anchor), _of(curves.images[image], test)) for image in images}
    means = _of(curves.means, anchor), _of(curves.means, test)
    return BdComparison(
        anchor,
        test,
        _statistics(bd_rate, means, pairs, lower_is_better=True),
        _statistics(bd_psnr, means, pairs, lower_is_better=False),
        len(images),
    )


def bd_against(curves: RdCurves, anchor: str, tests: Iterable[str]) -> dict[str, BdComparison]:
    """Compare variants with one anchor, which itself is left out."""
    return {test: compare_bd(curves, anchor, test) for test in tests if test != anchor}


def bd_matrix(curves: RdCurves, variants: Iterable[str]) -> dict[tuple[str, str], BdComparison]:
    """Compare every variant with every other: (anchor, test) to comparison."""
    names = list(variants)
    return {(anchor, test): found for anchor in names for test, found in bd_against(curves, anchor, names).items()}


def _of(curves: Mapping[str, RdCurve], variant: str) -> Curve:
    """Find a variant's curve; one without points where nothing was coded."""
    return curves[variant].curve if variant in curves else Curve([], [])


def _statistics(
    figure: Callable[[Curve, Curve], float],
    means: tuple[Curve, Curve],
    pairs: Mapping[str, tuple[Curve, Curve]],
    lower_is_better: bool,
) -> BdStatistics:
    per_image: dict[str, float] = {}
    refused: dict[str, str] = {}
    for image, pair in pairs.items():
        try:
            per_image[image] = figure(*pair)
        except BdRateError as error:
            refused[image] = str(error)
    try:
        of_mean_curve, refusal = figure(*means), ""
    except BdRateError as error:
        of_mean_curve, refusal = math.nan, str(error)
    return BdStatistics(of_mean_curve, refusal, per_image, refused, lower_is_better)
