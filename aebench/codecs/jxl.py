"""JPEG XL (ISO/IEC 18181), by the libjxl inside imagecodecs, an optional package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError, SettingError

_SIGNATURE = b"\xff\x0a"

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height, where the header gives only the height (ISO/IEC 18181-1, SizeHeader)."""


@dataclass(frozen=True)
class Jxl(Codec):
    """JPEG XL: a bare codestream, one thread; coded in XYB, whose aim is the Butteraugli distance, not PSNR.

    Kodak images take 0.13 bits per pixel at distance 25, libjxl's largest, on average: there is nothing below.

    Raises
    ------
    SettingError
        If imagecodecs is not installed.
    """

    name = "jxl"
    sweep = "distance=25|15|10|8|6|4|3|2|1.5|1|0.7|0.5"
    cost = 0.5

    distance: float = parameter(
        1.0, low=0.01, high=25, help="Butteraugli distance: 1 is visually lossless, more is worse"
    )
    effort: int = parameter(7, low=1, high=10, help="libjxl's effort: 1 is fast, 10 slow")
    lossless: bool = parameter(False, help="keep every pixel, whatever distance")

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            _imagecodecs()
        except CodecError as error:
            raise SettingError(str(error)) from error.__cause__

    def encode(self, rgb: Rgb) -> bytes:
        """Write a JPEG XL codestream."""
        rgb = check_rgb(rgb)
        library = _imagecodecs()
        try:
            data = library.jpegxl_encode(
                rgb,
                distance=self.distance,
                effort=self.effort,
                lossless=self.lossless,
                usecontainer=False,
                numthreads=1,
            )
        except library.JpegxlError as error:
            raise CodecError(f"{self.setting} cannot code {rgb.shape[1]}×{rgb.shape[0]} pixels: {error}") from error
        return bytes(data)

    def decode(self, data: bytes) -> Rgb:
        """Read a JPEG XL codestream as `encode` writes it."""
        width, height = _declared_size(data)
        library = _imagecodecs()
        try:
            rgb = library.jpegxl_decode(data, numthreads=1, keeporientation=True)
        except Exception as error:  # JpegxlError, and ValueError for what numpy cannot hold
            raise CodecError(f"not a whole JPEG XL codestream: {error}") from error
        if rgb.dtype != np.uint8 or rgb.shape != (height, width, 3):
            raise CodecError(f"the codestream declares {width}×{height} pixels and holds {rgb.dtype} {rgb.shape}")
        return np.ascontiguousarray(rgb)

    def version(self) -> str:
        """Name imagecodecs and libjxl."""
        library = _imagecodecs()
        return f"imagecodecs {library.__version__}, {library.jpegxl_version()}"


def _imagecodecs() -> Any:
    """Import the package; `CodecError` where it is missing, as it may be on a worker alone."""
    try:
        import imagecodecs
    except ImportError as error:
        raise CodecError("codec 'jxl' is not available: it needs imagecodecs; pip install 'aebench[jxl]'") from error
    return imagecodecs


def _declared_size(data: bytes) -> tuple[int, int]:
    """Read width and height from the header, before libjxl allocates them (ISO/IEC 18181-1, SizeHeader)."""
    if not data.startswith(_SIGNATURE):
        raise CodecError("not a JPEG XL codestream: it does not start with FF 0A")
    bits = _Bits(data[2:14])
    small = bits.take(1)
    height = 8 * (bits.take(5) + 1) if small else bits.take_side()
    ratio = bits.take(3)
    if ratio:
        numerator, denominator = _RATIOS[ratio - 1]
        width = height * numerator // denominator
    else:
        width = 8 * (bits.take(5) + 1) if small else bits.take_side()
    check_size(width, height)
    return width, height


class _Bits:
    """The bits of a header, the least significant of each byte first; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        self.rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self.rest & ((1 << count) - 1)
        self.rest >>= count
        return value

    def take_side(self) -> int:
        """Read one side of the image, in 9, 13, 18 or 30 bits."""
        return self.take((9, 13, 18, 30)[self.take(2)]) + 1
