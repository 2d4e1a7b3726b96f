"""JPEG (ITU-T T.81) in a JFIF file, by the libjpeg-turbo inside Pillow."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import PIL
from PIL import Image, ImageFile, features
from PIL.JpegImagePlugin import JpegImageFile

from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError

_MOST_SIDE = 65_500
"""libjpeg's JPEG_MAX_DIMENSION, above which it complains on standard error."""

_BUFFER_LOCK = threading.Lock()


@dataclass(frozen=True)
class Jpeg(Codec):
    """JPEG; the defaults are Pillow's own, which published curves use.

    Kodak images take 0.17 bits per pixel at quality 1 and 2, which are alike, on average: there is nothing below.
    """

    name = "jpeg"
    sweep = "quality=2|5|10|20|30|40|50|60|70|75|80|85|90|95"
    cost = 0.01

    quality: int = parameter(75, low=1, high=100, help="libjpeg's quality: scales the example tables of T.81, annex K")
    chroma: str = parameter("420", choices=("420", "422", "444"), help="subsampling of Cb and Cr (JFIF, BT.601)")
    optimize: bool = parameter(False, help="Huffman tables made for the image: 9 % fewer bytes on average")
    progressive: bool = parameter(False, help="progressive mode, always with optimised Huffman tables")

    def encode(self, rgb: Rgb) -> bytes:
        """Write a JFIF file; `CodecError` for sides above libjpeg's 65500 pixels."""
        image = Image.fromarray(check_rgb(rgb))
        if max(image.size) > _MOST_SIDE:
            raise CodecError(f"jpeg codes sides of up to {_MOST_SIDE} pixels, not {image.width}×{image.height}")
        file = io.BytesIO()
        try:
            with _room_for(image) if self.optimize or self.progressive else nullcontext():
                image.save(
                    file,
                    "JPEG",
                    quality=self.quality,
                    subsampling=":".join(self.chroma),
                    optimize=self.optimize,
                    progressive=self.progressive,
                )
        except (OSError, ValueError) as error:
            raise CodecError(f"{self.setting} cannot code {image.width}×{image.height} pixels: {error}") from error
        return file.getvalue()

    def decode(self, data: bytes) -> Rgb:
        """Read any JPEG file of three components; damage within the coded data is often invisible to the format."""
        try:
            # Image.open would try other formats, and warn of sizes that are refused here
            with JpegImageFile(io.BytesIO(data)) as image:
                if image.mode != "RGB":
                    raise CodecError(f"the JPEG file holds an image of mode {image.mode}, not three components")
                check_size(*image.size)
                return np.array(image)
        except CodecError:
            raise
        except Exception as error:  # Pillow fails in many ways on bytes that no encoder made
            raise CodecError(f"not a whole JPEG file: {error}") from error

    def version(self) -> str:
        """Name Pillow and its libjpeg."""
        turbo = features.version("libjpeg_turbo")
        library = f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {features.version('jpg')}"
        return f"pillow {PIL.__version__}, {library}"


@contextmanager
def _room_for(image: Image.Image) -> Iterator[None]:
    """Let Pillow hold a whole JPEG file: optimised ones must fit its buffer, and noise does not fit its guess."""
    # 6 bytes a pixel and 2 KiB of headers is the bound of libjpeg-turbo's tjBufSize for 4:4:4
    enough = 6 * (image.width + 15) * (image.height + 15) + 2048
    with _BUFFER_LOCK:
        before = ImageFile.MAXBLOCK
        ImageFile.MAXBLOCK = max(before, enough)
        try:
            yield
        finally:
            ImageFile.MAXBLOCK = before
