"""Where two images are compared closely, and how their difference is made visible."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aebench.codecs.base import Rgb
from aebench.color import rgb_to_ycbcr_bt601

CROP: Final = 128
"""Pixels a side of a crop, or the image's own where it is smaller."""

_STEP: Final = 16
_AMPLIFICATIONS: Final = (64, 32, 16, 8, 4, 2, 1)
_IN_RANGE: Final = 0.95


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, rgb: Rgb) -> Rgb:
        """Cut it out."""
        return rgb[self.top : self.top + self.height, self.left : self.left + self.width]


def busiest(original: Rgb) -> Window:
    """Choose the window of `CROP` pixels a side whose luma (BT.601) varies most.

    Windows lie on a grid of 16 pixels; of equal ones the first in reading order is taken. Only the original is looked
    at, so that the window is the same for all codecs and favours none.
    """
    luma = rgb_to_ycbcr_bt601(original)[..., 0]
    height, width = min(CROP, luma.shape[0]), min(CROP, luma.shape[1])
    first, second = _sums(luma, height, width), _sums(luma**2, height, width)
    variance = second / (height * width) - (first / (height * width)) ** 2
    row, column = np.unravel_index(int(np.argmax(variance.round(6))), variance.shape)
    return Window(_STEP * int(row), _STEP * int(column), height, width)


def differences(original: Rgb, decoded: Sequence[Rgb]) -> tuple[list[npt.NDArray[np.uint8]], int]:
    """Draw where reconstructions differ: white where they do not, the darker the more, all equally amplified.

    Returns
    -------
    maps : list of uint8 array, shape (height, width)
        255 less the mean absolute difference of R, G and B, times the amplification.
    amplification : int
        The largest power of two up to 64 that leaves 95 % of every map above black.
    """
    means = [np.abs(original.astype(np.int16) - rgb).mean(axis=2) for rgb in decoded]
    worst = max((float(np.quantile(mean, _IN_RANGE)) for mean in means), default=0.0)
    amplification = next(factor for factor in _AMPLIFICATIONS if factor == 1 or factor * worst < 255)
    return [(255 - np.minimum(mean * amplification, 255)).round().astype(np.uint8) for mean in means], amplification


def _sums(values: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.float64]:
    """Sum every window on the grid, by differences of cumulated sums."""
    total = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    corners = [
        total[top : total.shape[0] - height + top : _STEP, left : total.shape[1] - width + left : _STEP]
        for top, left in itertools.product((0, height), (0, width))
    ]
    sums: npt.NDArray[np.float64] = corners[3] - corners[1] - corners[2] + corners[0]
    return sums
