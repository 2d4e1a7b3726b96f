"""Mean squared error and PSNR, in RGB and in the planes of YCbCr."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from aebench.codecs.base import Rgb
from aebench.color import KB_BT601, KG_BT601, KR_BT601

_STRIP: Final = 64
"""Rows handled at a time, so that temporary arrays stay in the cache and small beside the image."""

_KR, _KG, _KB = (round(1000 * k) for k in (KR_BT601, KG_BT601, KB_BT601))

_YCBCR_RATIOS: Final = (
    ((_KR, _KG, _KB), 1000),
    ((-_KR, -_KG, 1000 - _KB), 2 * (1000 - _KB)),
    ((1000 - _KR, -_KG, -_KB), 2 * (1000 - _KR)),
)
"""The rows of `aebench.color.RGB_TO_YCBCR_BT601` as whole numerators and their denominator."""


def mse(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Mean squared error over all elements of two arrays of one shape.

    Computed in float64; for 8-bit images every sum is a whole number below 2**53, so it is exact.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape:
        raise ValueError(f"the arrays differ in shape: {first.shape} and {second.shape}")
    error: npt.NDArray[np.float64] = np.subtract(first, second, dtype=np.float64).ravel()
    # einsum, unlike dot, starts no BLAS threads
    return float(np.einsum("i,i->", error, error)) / error.size


def psnr(mse: float, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio, ``10 * log10(peak**2 / mse)``, in dB; infinite where ``mse`` is 0."""
    return 10 * math.log10(peak**2 / mse) if mse > 0 else math.inf


def error_moments(original_rgb: Rgb, decoded_rgb: Rgb) -> npt.NDArray[np.float64]:
    """Sum ``d dᵀ`` over the pixels, ``d`` being the RGB difference of a pixel.

    YCbCr is linear in RGB, so the squared error of any of its planes follows from these nine sums.

    Returns
    -------
    float64 array, shape (3, 3)
        Exact: every sum is a whole number below 2**53.
    """
    moments = np.zeros((3, 3))
    for top in range(0, original_rgb.shape[0], _STRIP):
        rows = slice(top, top + _STRIP)
        error = np.subtract(decoded_rgb[rows], original_rgb[rows], dtype=np.int16).transpose(2, 0, 1)
        planes = error.astype(np.float64, order="C").reshape(3, -1)
        moments += np.einsum("in,jn->ij", planes, planes)
    return moments


def ycbcr_mses(moments: npt.NDArray[np.float64], pixels: int) -> tuple[float, float, float]:
    """Mean squared errors of Y, Cb and Cr (full-range BT.601, not rounded) from `error_moments`.

    Evaluated in whole numbers, so that a plane without error gives 0 and not a residue of rounding.
    """
    sums = [[int(value) for value in row] for row in moments]
    y, cb, cr = (
        sum(row[i] * row[j] * sums[i][j] for i in range(3) for j in range(3)) / (denominator**2 * pixels)
        for row, denominator in _YCBCR_RATIOS
    )
    return y, cb, cr
