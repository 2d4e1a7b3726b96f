"""SSIMULACRA 2.1, a perceptual metric that was fitted to people's judgements of compressed images.

J. Sneyers, Cloudinary, 2022 and 2023; there is no paper. The definition is the reference implementation in C++,
``ssimulacra2.cc`` of cloudinary/ssimulacra2 and of libjxl (BSD-3-Clause, © Jon Sneyers, Cloudinary), from which all
constants are. At six scales, halved in linear light, original and decoded image are compared in a variant of the
colour space XYB by three maps of errors: structure (1 - SSIM without its luminance denominators), ringing (edges that
were not there) and blur (edges that are gone). Mean and 4-norm of each map of each channel, 108 numbers, are weighted
and bent to a scale on which 100 is lossless, 90 cannot be told from the original when flickering between the two, 70
is high, 50 medium and 30 low quality; very strong distortions are below 0.

It is written here because the Python package of that name is up to 6 points off the reference at low quality: it
replaces the reference's recursive filter, whose window is a sum of cosines, by a Gaussian, and zeros beyond the edges
by reflection. Here the window is that of the definition, without the recursion, whose rounding the reference sums up:
where quality is high and areas are flat that costs it a few tenths. On Kodak as JPEG this is 0.004, 0.008 and 0.10
above the reference at quality 5, 50 and 90 (medians of 24), at worst 0.03, 0.20 and 0.95 (image 20, half white sky).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from aebench.codecs.base import Rgb
from aebench.metrics.windows import Samples, window_means

_SCALES: Final = 6
_SMALLEST: Final = 8
"""Samples along the shorter side of an image that is halved once more."""

_C2: Final = np.float32(0.0009)

_STRIP: Final = 64
"""Rows handled at a time, so that temporary arrays stay in the cache and small beside the image."""

_OPSIN: Final = np.array(
    [
        [0.30, 1 - 0.078 - 0.30, 0.078],
        [0.23, 1 - 0.078 - 0.23, 0.078],
        [0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821],
    ],
    np.float32,
)
"""Linear RGB to the responses of long, medium and short cones: ``opsin_params.h`` of libjxl."""

_BIAS: Final = np.float32(0.0037930732552754493)

# fmt: off
_WEIGHTS: Final = np.array([
    # structure, ringing, blur: by mean and by 4-norm, at each scale, finest first
    # X
    0.0, 0.0007376606707406586, 0.0, 0.0, 0.0007793481682867309, 0.0,
    0.0, 0.0004371155730107379, 0.0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
    0.0, 0.0016406437456599754, 0.0, 1.8422455520539298, 11.441172603757666, 0.0,
    0.0007989109436015163, 0.000176816438078653, 0.0, 1.8787594979546387, 10.94906990605142, 0.0,
    0.0007289346991508072, 0.9677937080626833, 0.0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
    0.0004550992113792063, 0.0, 0.0, 0.0013648766163243398, 0.0, 0.0,
    # Y
    0.0, 0.0, 0.0, 7.466890328078848, 0.0, 17.445833984131262,
    0.0006235601634041466, 0.0, 0.0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
    225.20515300849274, 0.0, 0.0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
    176.39317598450694, 0.0, 0.0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
    0.0, 0.0, 0.0, 34.77906344483772, 44.835625328877896, 0.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    # B - Y
    0.0, 0.0008680556573291698, 0.0, 0.0, 0.0, 0.0,
    0.0, 0.0005313191874358747, 0.0, 0.00016533814161379112, 0.0, 0.0,
    0.0, 0.0, 0.0, 0.0004179171803251336, 0.0017290828234722833, 0.0,
    0.0020827005846636437, 0.0, 0.0, 8.826982764996862, 23.19243343998926, 0.0,
    95.1080498811086, 0.9863978034400682, 0.9834382792465353,
    0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
    0.0, 0.0, 0.0, 0.0005130064588990679, 0.0, 0.00010854057858411537,
]).reshape(3, _SCALES, 2, 3)
# fmt: on


class _Scale(NamedTuple):
    """The original at one scale, in XYB: its samples, and the weighted means of samples and squares around each."""

    xyb: Samples
    mean: Samples
    square: Samples


def is_defined(height: int, width: int) -> bool:
    """Tell whether the image can be halved five times, as the weights suppose: short side above 112 pixels.

    The reference gives a value for smaller ones too, but applies the weights of one scale to another.
    """
    return min(height, width) > (_SMALLEST - 1) << (_SCALES - 2)


class Ssimulacra2:
    """An original and its local means at every scale, ready to be compared with many decoded images.

    Parameters
    ----------
    rgb : uint8 array, shape (height, width, 3)
        sRGB, with `is_defined` true.
    """

    def __init__(self, rgb: Rgb) -> None:
        self._scales = [_Scale(xyb, _local_means(xyb), _local_means(xyb * xyb)) for xyb in _pyramid(rgb)]

    def score(self, decoded_rgb: Rgb) -> float:
        """SSIMULACRA 2.1 of a decoded image, uint8 of the original's shape: 100 where they are equal, no lowest."""
        scales = zip(self._scales, _pyramid(decoded_rgb), strict=True)
        norms = np.stack([_norms(scale, decoded) for scale, decoded in scales], axis=1)
        distance = 0.9562382616834844 * float((_WEIGHTS * norms).sum())
        bent = 2.326765642916932 * distance - 0.020884521182843837 * distance**2 + 6.248496625763138e-05 * distance**3
        return 100 - 10 * bent**0.6276336467831387 if bent > 0 else 100.0


def _window() -> npt.NDArray[np.float32]:
    """Weights of the recursive filter of libjxl for a Gaussian of σ 1.5.

    D. Charalampidis, "Recursive Implementation of the Gaussian Filter Using Truncated Cosine Functions", IEEE TSP
    64(14), 2016: the sum of three cosines of (55) and (57), whose amplitudes make the weights sum to 1 and their
    variance σ², and leave the highest frequency as in a Gaussian.
    """
    sigma = 1.5
    radius = round(3.2795 * sigma + 0.2546)
    frequencies = np.array([1, 3, 5]) * math.pi / (2 * radius)
    signs = np.array([1, -1, 1])
    p = signs / np.tan(frequencies / 2)
    r = signs * p**2 / np.sin(frequencies)
    rho = np.exp(-((sigma * frequencies) ** 2) / 2) / radius
    zeta = np.cross(p, r)
    zeta = zeta / zeta[2]
    amplitudes = np.linalg.solve(np.stack([p, r, zeta]), [1, radius**2 - sigma**2, zeta @ rho])
    taps = np.arange(1 - radius, radius)  # at ± radius all three cosines are 0
    window: npt.NDArray[np.float64] = amplitudes @ np.cos(np.outer(frequencies, taps))
    return window.astype(np.float32)


_WINDOW: Final = _window()
_MARGIN: Final = len(_WINDOW) // 2


def _linear() -> npt.NDArray[np.float32]:
    """Tabulate the inverse of sRGB's transfer function (IEC 61966-2-1) for every 8-bit sample; 0 to 1."""
    encoded = np.arange(256) / 255
    linear: npt.NDArray[np.float64] = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


_LINEAR: Final = _linear()


def _pyramid(rgb: Rgb) -> Iterator[Samples]:
    """Halve an image five times in linear light, by means of 2×2 samples, the last of an odd side counting twice."""
    linear = _LINEAR[rgb]
    yield _xyb(linear)
    for _ in range(1, _SCALES):
        height, width = linear.shape[:2]
        linear = np.pad(linear, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        rows = linear[0::2] + linear[1::2]
        linear = (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)
        yield _xyb(linear)


def _xyb(linear_rgb: Samples) -> Samples:
    """Convert linear RGB to X, Y and B - Y, shifted and scaled to 0 to 1 (``MakePositiveXYB`` of the reference)."""
    xyb = np.empty_like(linear_rgb)
    for top in range(0, len(linear_rgb), _STRIP):
        rows = slice(top, top + _STRIP)
        cones = np.cbrt(np.einsum("rnk,ck->rnc", linear_rgb[rows], _OPSIN) + _BIAS) - np.cbrt(_BIAS)
        long, medium, short = np.moveaxis(cones, 2, 0)
        y = (long + medium) / 2
        xyb[rows, :, 0] = (long - medium) * 7 + np.float32(0.42)
        xyb[rows, :, 1] = y + np.float32(0.01)
        xyb[rows, :, 2] = short - y + np.float32(0.55)
    return xyb


def _local_means(samples: Samples) -> Samples:
    """Weighted mean around every sample, with zeros beyond the edges."""
    means = np.empty_like(samples)
    padded = np.pad(samples, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)))
    for top in range(0, len(samples), _STRIP):
        means[top : top + _STRIP] = window_means(padded[top : top + _STRIP + 2 * _MARGIN], _WINDOW)
    return means


def _norms(original: _Scale, decoded: Samples) -> npt.NDArray[np.float64]:
    """Mean and 4-norm of the maps of structure, ringing and blur, per channel: shape (3, 2, 3)."""
    mean, square = _local_means(decoded), _local_means(decoded * decoded)
    product = _local_means(original.xyb * decoded)
    sums = np.zeros((3, 2, 3))
    for top in range(0, len(decoded), _STRIP):
        rows = slice(top, top + _STRIP)
        mean_x, mean_y = original.mean[rows], mean[rows]
        covariance = product[rows] - mean_x * mean_y
        variances = (original.square[rows] - mean_x * mean_x) + (square[rows] - mean_y * mean_y)
        similarity = (1 - (mean_x - mean_y) ** 2) * (2 * covariance + _C2) / (variances + _C2)
        edges = (1 + abs(decoded[rows] - mean_y)) / (1 + abs(original.xyb[rows] - mean_x)) - 1
        for index, errors in enumerate((1 - similarity, edges, -edges)):
            errors = np.maximum(errors, 0).reshape(-1, 3)
            squares = errors * errors
            sums[:, 0, index] += errors.sum(axis=0, dtype=np.float64)
            sums[:, 1, index] += np.einsum("nc,nc->c", squares, squares, dtype=np.float64)
    means = sums / (decoded.size / 3)
    means[:, 1] **= 0.25
    return means
