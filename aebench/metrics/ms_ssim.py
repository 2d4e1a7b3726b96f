"""Multi-scale structural similarity of RGB images.

Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multi-scale structural similarity for image quality assessment", Asilomar
2003, with the choices of the package pytorch-msssim 1.0.0. At each of five scales, for each
channel, SSIM's contrast-structure term is averaged over every position where the 11-tap Gaussian window fits inside
the image; at the last scale it is multiplied, position by position, by the luminance term first. Negative averages
become 0. The weighted product over the scales is taken per channel, and the mean of the three channels is the result.

On photographs the result is within 1e-5 of pytorch-msssim's in double precision (2e-5 on extreme images, such as black
against white), and of its usual single precision except where large areas are flat: there it squares samples without
centring them and errs, by 4e-5 on Kodak's image 20 (white sky, JPEG quality 5) and by up to 2e-4 on charts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from aebench.codecs.base import Rgb
from aebench.metrics.windows import Samples, window_means

WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, finest first (Wang et al. 2003, section 3.2)."""

_TAPS: Final = 11
_MARGIN: Final = _TAPS - 1
_GAUSSIAN: Final = np.exp(-((np.arange(_TAPS) - _TAPS // 2) ** 2) / (2 * 1.5**2))
_WINDOW: Final = (_GAUSSIAN / _GAUSSIAN.sum()).astype(np.float32)

_C1: Final = np.float32((0.01 * 255) ** 2)
_C2: Final = np.float32((0.03 * 255) ** 2)

_MIDDLE: Final = np.float32(128)
"""Subtracted before squaring: variances do not change, and float32 loses less of them."""

_STRIP: Final = 64
"""Rows of windows handled at a time, so that temporary arrays stay in the cache and small beside the image."""


class _Scale(NamedTuple):
    """The original at one scale: its samples (height, width, 3), and mean and variance in every window.

    Samples and means are less `_MIDDLE`.
    """

    samples: Samples
    mean: Samples
    variance: Samples


def is_defined(height: int, width: int) -> bool:
    """Tell whether the window still fits inside the image at the coarsest scale: short side above 160 pixels."""
    return min(height, width) > _MARGIN << (len(WEIGHTS) - 1)


class MsSsim:
    """An original and its moments at every scale, ready to be compared with many decoded images.

    Parameters
    ----------
    rgb : uint8 array, shape (height, width, 3)
        With `is_defined` true.
    """

    def __init__(self, rgb: Rgb) -> None:
        self._scales = [_Scale(samples, *_moments(samples)) for samples in _pyramid(rgb)]

    def score(self, decoded_rgb: Rgb) -> float:
        """MS-SSIM of a decoded image, uint8 of the original's shape: 1 where they are equal, 0 at the worst."""
        product = np.ones(3)
        for scale, decoded, weight in zip(self._scales, _pyramid(decoded_rgb), WEIGHTS, strict=True):
            similarity = _similarity(scale, decoded, luminance=scale is self._scales[-1])
            product *= np.maximum(similarity, 0) ** weight
        return float(product.mean())


def _pyramid(rgb: Rgb) -> Iterator[Samples]:
    """Halve an image four times, by means of 2×2 samples; arrays of shape (height, width, 3), less `_MIDDLE`.

    A side of odd length gets a row or column of black in front, as ``avg_pool2d(padding=1)`` adds and counts it.
    """
    samples = rgb.astype(np.float32) - _MIDDLE
    yield samples
    for _ in WEIGHTS[1:]:
        odd_height, odd_width = samples.shape[0] % 2, samples.shape[1] % 2
        if odd_height or odd_width:
            samples = np.pad(samples, ((odd_height, 0), (odd_width, 0), (0, 0)), constant_values=-_MIDDLE)
        rows = samples[0::2] + samples[1::2]
        samples = (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)
        yield samples


def _moments(samples: Samples) -> tuple[Samples, Samples]:
    """Mean (less `_MIDDLE`) and variance of the samples in every window."""
    height, width, channels = samples.shape
    mean = np.empty((height - _MARGIN, width - _MARGIN, channels), np.float32)
    variance = np.empty_like(mean)
    for top in range(0, len(mean), _STRIP):
        x = samples[top : top + _STRIP + _MARGIN]
        windows = slice(top, top + _STRIP)
        mean[windows] = window_means(x, _WINDOW)
        variance[windows] = window_means(x * x, _WINDOW) - mean[windows] ** 2
    return mean, variance


def _similarity(original: _Scale, decoded: Samples, luminance: bool) -> npt.NDArray[np.float64]:
    """Mean over all windows of SSIM's contrast-structure term, times its luminance term if asked for, per channel."""
    columns = np.zeros(original.mean.shape[1:])
    for top in range(0, len(original.mean), _STRIP):
        windows, strip = slice(top, top + _STRIP), slice(top, top + _STRIP + _MARGIN)
        x, y = original.samples[strip], decoded[strip]
        mean_x, mean_y = original.mean[windows], window_means(y, _WINDOW)
        variances = original.variance[windows] + (window_means(y * y, _WINDOW) - mean_y * mean_y)
        covariance = window_means(x * y, _WINDOW) - mean_x * mean_y
        terms = (2 * covariance + _C2) / (variances + _C2)
        if luminance:
            mean_x, mean_y = mean_x + _MIDDLE, mean_y + _MIDDLE
            terms *= (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
        columns += terms.sum(axis=0)
    means: npt.NDArray[np.float64] = columns.sum(axis=0) / (original.mean.size / 3)
    return means
