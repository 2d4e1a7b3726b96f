"""WebP (RFC 9649), by the libwebp inside Pillow."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import PIL
from PIL import Image, features
from PIL.WebPImagePlugin import WebPImageFile

from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError

_MOST_SIDE = 16_383
"""The largest that the format has room for."""


@dataclass(frozen=True)
class WebP(Codec):
    """WebP: a VP8 key frame, always 4:2:0, or its lossless format; one thread.

    Pillow's method is 4. At 6, the most thorough, Kodak images take 2 % fewer bytes (BD-rate) for twice the time of
    encoding, so 6 is the default here. Pillow leaves libwebp's other options, such as sharp YUV, at their defaults.
    Kodak images take 0.10 bits per pixel at quality 0, on average: there is nothing below.
    """

    name = "webp"
    sweep = "quality=0|1|5|10|20|30|40|50|60|70|80|85|90|95"
    cost = 0.2

    quality: float = parameter(80.0, low=0, high=100, help="libwebp's quality; the effort where lossless")
    method: int = parameter(6, low=0, high=6, help="effort: 0 is fast, 6 slow; Pillow's default is 4")
    lossless: bool = parameter(False, help="keep every pixel, whatever quality")

    def encode(self, rgb: Rgb) -> bytes:
        """Write a WebP file; `CodecError` for sides above 16383 pixels."""
        image = Image.fromarray(check_rgb(rgb))
        if max(image.size) > _MOST_SIDE:
            raise CodecError(f"webp codes sides of up to {_MOST_SIDE} pixels, not {image.width}×{image.height}")
        file = io.BytesIO()
        try:
            image.save(file, "WEBP", quality=self.quality, method=self.method, lossless=self.lossless)
        except (OSError, ValueError) as error:
            raise CodecError(f"{self.setting} cannot code {image.width}×{image.height} pixels: {error}") from error
        return file.getvalue()

    def decode(self, data: bytes) -> Rgb:
        """Read any WebP file of one opaque image; some damage within the coded data is invisible to the format."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large sizes are refused or not, below
                image = WebPImageFile(io.BytesIO(data))  # Image.open would try other formats
            with image:
                if image.mode != "RGB" or image.n_frames != 1:
                    raise CodecError(
                        f"the WebP file holds {image.n_frames} images, of mode {image.mode}, not one of RGB"
                    )
                check_size(*image.size)
                return np.array(image)
        except CodecError:
            raise
        except Exception as error:  # Pillow fails in many ways on bytes that no encoder made
            raise CodecError(f"not a whole WebP file: {error}") from error

    def version(self) -> str:
        """Name Pillow and libwebp."""
        return f"pillow {PIL.__version__}, libwebp {features.version('webp')}"
