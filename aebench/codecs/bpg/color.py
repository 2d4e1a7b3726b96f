"""libbpg's integer arithmetic between RGB and the colour spaces of BPG.

Source: ``convert_init`` and ``rgb24_to_ycc`` of bpgenc.c, ``convert_init``, ``ycc_to_rgb24``, ``ycgco_to_rgb24``,
``rgb_to_rgb24`` and ``gray_to_rgb24`` of libbpg.c, libbpg 0.9.8. Matrices: BPG specification 0.9.5, clause 3.2
(ITU-R BT.601, BT.709 and BT.2020, and YCgCo of ITU-T H.265, Table E.5). Every operation, rounding included, is
libbpg's, and like there sums are 32-bit and wrap; so the pixels are bpgdec's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aebench.codecs.base import Rgb

Plane = npt.NDArray[np.integer[Any]]
"""One plane of samples, shape (height, width): ``uint8`` at 8 bits, ``uint16`` above, ``int32`` amid a calculation."""

_KR_KB: Final = {"ycbcr-bt601": (0.299, 0.114), "ycbcr-bt709": (0.2126, 0.0722), "ycbcr-bt2020": (0.2627, 0.0593)}
_PIXELS_A_BLOCK: Final = 1 << 16  # 256 KiB of int32: stays in the cache of one core


def rgb_to_ycbcr(rgb: Rgb, depth: int) -> tuple[Plane, Plane, Plane]:
    """Convert full-range RGB to full-range YCbCr (ITU-R BT.601), as bpgenc does.

    Parameters
    ----------
    rgb : uint8 array, shape (height, width, 3)
    depth : int
        Bits of the result, 8 or 10.

    Returns
    -------
    y, cb, cr : uint8 or uint16 array, shape (height, width)
        0 to 2^depth − 1; chroma is centred on 2^(depth−1).
    """
    shift = 31 - depth
    highest = (1 << depth) - 1
    weights = _forward_weights(highest * (1 << shift) / 255)
    planes = [np.empty(rgb.shape[:2], np.uint8 if depth == 8 else np.uint16) for _ in range(3)]
    for rows in row_blocks(*rgb.shape[:2]):
        red, green, blue = (rgb[rows, :, channel].astype(np.int32) for channel in range(3))
        for plane, weight, centre in zip(planes, weights, (0, 1 << depth - 1, 1 << depth - 1), strict=True):
            total = red * weight[0]
            total += green * weight[1]
            total += blue * weight[2]
            total += 1 << shift - 1
            total >>= shift
            total += centre
            plane[rows] = np.clip(total, 0, highest, out=total)
    y, cb, cr = planes
    return y, cb, cr


def to_rgb(y: Plane, cb: Plane, cr: Plane, color_space: str, depth: int, limited_range: bool) -> Rgb:
    """Convert planes of one size to full-range RGB, as bpgdec does.

    Parameters
    ----------
    y, cb, cr : uint8 or uint16 array, shape (height, width)
        Or G, B, R, or Y, Cg, Co.
    color_space : str
        One of `aebench.codecs.bpg.header.COLOR_SPACES`.
    depth : int
        Bits per sample of the planes.
    limited_range : bool
        Whether the planes have the range of video, 16–235 and 16–240 (of 255), instead of the full one.

    Returns
    -------
    uint8 array, shape (height, width, 3)
    """
    arithmetic = _Inverse(depth, limited_range)
    rgb = np.empty((*y.shape, 3), np.uint8)
    for rows in row_blocks(*y.shape):
        block = y[rows].astype(np.int32), cb[rows].astype(np.int32), cr[rows].astype(np.int32)
        if color_space == "rgb":
            channels = arithmetic.from_gbr(*block)
        elif color_space == "ycgco":
            channels = arithmetic.from_ycgco(*block)
        else:
            channels = arithmetic.from_ycbcr(*block, *_KR_KB[color_space])
        for channel, values in enumerate(channels):
            arithmetic.to_8_bits(values, rgb[rows, :, channel])
    return rgb


def grey_to_rgb(y: Plane, depth: int, limited_range: bool) -> Rgb:
    """Convert a plane of grey to full-range RGB, as bpgdec does; parameters as of `to_rgb`."""
    arithmetic = _Inverse(depth, limited_range)
    grey = np.empty(y.shape, np.uint8)
    arithmetic.to_8_bits(arithmetic.scaled(y.astype(np.int32)), grey)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)


_Int32 = npt.NDArray[np.int32]


class _Inverse:
    """Fixed-point arithmetic of ``convert_init`` in libbpg.c, for 8-bit output. Its methods reuse their arguments."""

    def __init__(self, depth: int, limited_range: bool) -> None:
        self._shift = 22
        self._centre = 1 << depth - 1
        span_luma, span_chroma = (219 << depth - 8, 224 << depth - 8) if limited_range else ((1 << depth) - 1,) * 2
        self._chroma_scale = 255 * (1 << self._shift) / span_chroma
        self._one = round(255 * (1 << self._shift) / span_luma)
        black = 16 << depth - 8 if limited_range else 0
        self._offset = (1 << self._shift - 1) - black * self._one

    def scaled(self, samples: _Int32) -> _Int32:
        samples *= self._one
        samples += self._offset
        return samples

    def to_8_bits(self, fixed: _Int32, out: npt.NDArray[np.uint8]) -> None:
        fixed >>= self._shift
        out[...] = np.clip(fixed, 0, 255, out=fixed)

    def from_gbr(self, green: _Int32, blue: _Int32, red: _Int32) -> tuple[_Int32, _Int32, _Int32]:
        return self.scaled(red), self.scaled(green), self.scaled(blue)

    def from_ycgco(self, y: _Int32, cg: _Int32, co: _Int32) -> tuple[_Int32, _Int32, _Int32]:
        cg -= self._centre
        co -= self._centre
        rest = y - cg
        return self.scaled(rest + co), self.scaled(y + cg), self.scaled(rest - co)

    def from_ycbcr(self, y: _Int32, cb: _Int32, cr: _Int32, kr: float, kb: float) -> tuple[_Int32, _Int32, _Int32]:
        scale, kg = self._chroma_scale, 1 - kb - kr
        luma = self.scaled(y)
        cb -= self._centre
        cr -= self._centre
        red = cr * round(2 * (1 - kr) * scale)
        red += luma
        blue = cb * round(2 * (1 - kb) * scale)
        blue += luma
        cb *= round(2 * kb * (1 - kb) / kg * scale)
        cr *= round(2 * kr * (1 - kr) / kg * scale)
        luma -= cb
        luma -= cr
        return red, luma, blue


def _forward_weights(scale: float) -> list[list[int]]:
    """Weights of R, G, B in Y, Cb, Cr (BT.601), times ``scale``, as ``convert_init`` in bpgenc.c rounds them."""
    kr, kb = _KR_KB["ycbcr-bt601"]
    kg = 1 - kr - kb
    rows = [
        [kr, kg, kb],
        [-0.5 * kr / (1 - kb), -0.5 * kg / (1 - kb), 0.5],
        [0.5, -0.5 * kg / (1 - kr), -0.5 * kb / (1 - kr)],
    ]
    return [[round(weight * scale) for weight in row] for row in rows]  # lrint and round: both half to even


def row_blocks(height: int, width: int, at_least: int = 1) -> Iterator[slice]:
    """Slices of rows, ``at_least`` so many, otherwise few enough for a block to stay in the cache."""
    rows = max(at_least, _PIXELS_A_BLOCK // width)
    return (slice(start, min(start + rows, height)) for start in range(0, height, rows))
