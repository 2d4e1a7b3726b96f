"""How far a decoded image is from its original: MSE, PSNR (RGB, luma, YCbCr 6:1:1), MS-SSIM and SSIMULACRA2.

`Reference` holds an original with all that can be computed once for every setting of every codec; its `score` gives
the `Scores` of one decoded image. Means over images are means of these values, never values of means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from aebench.codecs.base import Rgb
from aebench.errors import CodecError
from aebench.metrics import ms_ssim, ssimulacra2
from aebench.metrics.squared_error import error_moments, mse, psnr, ycbcr_mses

__all__ = ["DEFAULT_METRICS", "METRICS", "Reference", "Scores", "is_defined", "mse", "psnr"]

METRICS: Final[Mapping[str, str]] = {"psnr": "psnr_rgb", "ms-ssim": "ms_ssim", "ssimulacra2": "ssimulacra2"}
"""What can be asked for, and the column of `Scores` that shows whether it was. PSNR is always computed."""

DEFAULT_METRICS: Final = ("psnr", "ms-ssim")


@dataclass(frozen=True)
class Scores:
    """The quality of one decoded image. PSNR is in dB, with peak 255; a lossless image has infinite PSNR.

    Attributes
    ----------
    mse : float
        Mean squared error over all pixels and all three channels of the 8-bit RGB images.
    psnr_rgb : float
        PSNR of `mse`.
    psnr_y : float
        PSNR of full-range BT.601 luma (`aebench.color`), not rounded.
    psnr_yuv : float
        ``(6 * PSNR_Y + PSNR_Cb + PSNR_Cr) / 8``, the mean *of decibels*, of the three planes of full-range BT.601
        YCbCr. The weights are those of JCT-VC: Ohm, Sullivan, Schwarz, Tan, Wiegand, "Comparison of the Coding
        Efficiency of Video Coding Standards", IEEE TCSVT 22(12), 2012. Unlike there, the planes are those of the
        decoded RGB image, with chroma at full resolution, whatever the codec did inside. Infinite as soon as one
        plane has no error, as the chroma of a grey image may have: then read `psnr_y`.
    ms_ssim : float or None
        0 to 1; None where it is undefined (short side of 160 pixels or less) or was not asked for.
    ssimulacra2 : float or None
        At most 100; None where it is undefined (short side of 112 pixels or less) or was not asked for.
    """

    mse: float
    psnr_rgb: float
    psnr_y: float
    psnr_yuv: float
    ms_ssim: float | None
    ssimulacra2: float | None


def is_defined(metric: str, height: int, width: int) -> bool:
    """Tell whether one of `METRICS` is defined on images of a size."""
    match metric:
        case "ms-ssim":
            return ms_ssim.is_defined(height, width)
        case "ssimulacra2":
            return ssimulacra2.is_defined(height, width)
    return True


class Reference:
    """An original, ready to be compared with many decoded images.

    Parameters
    ----------
    rgb : uint8 array, shape (height, width, 3)
        Kept, not copied: it must not change afterwards. What MS-SSIM and SSIMULACRA2 need of it is kept too, from
        their first score on: 48 bytes per pixel each.
    """

    def __init__(self, rgb: Rgb) -> None:
        self._rgb = rgb

    def score(self, decoded_rgb: Rgb, metrics: Collection[str] = DEFAULT_METRICS) -> Scores:
        """Measure a decoded image.

        Parameters
        ----------
        decoded_rgb : uint8 array, shape (height, width, 3)
        metrics : collection of str
            Of `METRICS`.

        Raises
        ------
        CodecError
            If its shape is not that of the original, or it is not ``uint8``.
        """
        if decoded_rgb.dtype != np.uint8:
            raise CodecError(f"decoded to {decoded_rgb.dtype}, a codec returns uint8")
        if decoded_rgb.shape != self._rgb.shape:
            raise CodecError(f"decoded to {_size(decoded_rgb)}, the original is {_size(self._rgb)}")
        moments = error_moments(self._rgb, decoded_rgb)
        error = float(moments.trace()) / self._rgb.size
        luma, *chroma = (psnr(plane) for plane in ycbcr_mses(moments, self._rgb.size // 3))
        asked = {metric for metric in metrics if is_defined(metric, *self._rgb.shape[:2])}
        return Scores(
            mse=error,
            psnr_rgb=psnr(error),
            psnr_y=luma,
            psnr_yuv=(6 * luma + sum(chroma)) / 8,
            ms_ssim=(1.0 if error == 0 else self._ms_ssim.score(decoded_rgb)) if "ms-ssim" in asked else None,
            ssimulacra2=self._ssimulacra2.score(decoded_rgb) if "ssimulacra2" in asked else None,
        )

    # computed at the first score: an original of which nothing is measured costs nothing

    @cached_property
    def _ms_ssim(self) -> ms_ssim.MsSsim:
        return ms_ssim.MsSsim(self._rgb)

    @cached_property
    def _ssimulacra2(self) -> ssimulacra2.Ssimulacra2:
        return ssimulacra2.Ssimulacra2(self._rgb)


def _size(image: Rgb) -> str:
    """Write a shape as ``width×height``, or whole where it is not that of an RGB image."""
    if image.ndim == 3 and image.shape[2] == 3:
        return f"{image.shape[1]}×{image.shape[0]}"
    return f"an array of shape {image.shape}"
