"""AVIF (AV1 intra in a HEIF container), by the libavif, libaom and dav1d inside Pillow."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import PIL
from PIL import AvifImagePlugin, Image, features

from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError, SettingError

_MOST_SIDE = 32_768
"""The largest that libavif reads; it writes larger ones, too."""

_THREADS_LOCK = threading.Lock()


@dataclass(frozen=True)
class Avif(Codec):
    """AVIF: one tile, one thread, full-range BT.601 YCbCr; the defaults are those of libavif and Pillow.

    They are tuned for the eye, and for speed. What other values do to BD-rate (of PSNR-RGB) and to the CPU time of
    encoding, as the mean of kodim03, 08, 13 and 23:

    ==============================  =======  =====
    setting                         BD-rate  time
    ==============================  =======  =====
    tune=psnr                       −7.2 %   ×0.8
    tune=ssim                       −7.4 %   ×0.9
    chroma=444                      −1.4 %   ×1.3
    chroma=444,tune=psnr            −11.7 %  ×1.1
    speed=4                         −6.0 %   ×6.4
    chroma=444,tune=psnr,speed=4    −19.7 %  ×6.9
    ==============================  =======  =====

    Raises
    ------
    SettingError
        If this Pillow has no AVIF.
    """

    name = "avif"
    sweep = "quality=5|10|20|30|40|50|60|70|80|85|90"
    cost = 2.4

    quality: int = parameter(75, low=0, high=100, help="libavif's quality")
    chroma: str = parameter("420", choices=("420", "422", "444"), help="subsampling of Cb and Cr")
    tune: str = parameter(
        "iq", choices=("iq", "ssim", "psnr"), help="libaom's aim; iq is what libavif takes for images"
    )
    speed: int = parameter(6, low=0, high=10, help="libavif's speed: 0 is slow, 10 fast")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not AvifImagePlugin.SUPPORTED:
            raise SettingError(
                f"codec {self.name!r} is not available: this Pillow was built without AVIF, its wheels are not"
            )

    def encode(self, rgb: Rgb) -> bytes:
        """Write an AVIF file; `CodecError` where libavif cannot take the size."""
        image = Image.fromarray(check_rgb(rgb))
        if max(image.size) > _MOST_SIDE:
            raise CodecError(f"avif codes sides of up to {_MOST_SIDE} pixels, not {image.width}×{image.height}")
        file = io.BytesIO()
        try:
            image.save(
                file,
                "AVIF",
                codec="aom",
                quality=self.quality,
                subsampling=":".join(self.chroma),
                speed=self.speed,
                advanced={"tune": self.tune},
                max_threads=1,  # with more, libaom codes rows apart, into other bytes
                autotiling=False,
            )
        except (OSError, ValueError) as error:
            raise CodecError(f"{self.setting} cannot code {image.width}×{image.height} pixels: {error}") from error
        return file.getvalue()

    def decode(self, data: bytes) -> Rgb:
        """Read any AVIF file of one opaque image; much damage within the coded data is invisible to the format."""
        try:
            # Image.open would try other formats, and warn of sizes that are refused here
            with _one_thread(), AvifImagePlugin.AvifImageFile(io.BytesIO(data)) as image:
                if image.mode != "RGB" or image.n_frames != 1:
                    raise CodecError(
                        f"the AVIF file holds {image.n_frames} images, of mode {image.mode}, not one of RGB"
                    )
                check_size(*image.size)
                return np.array(image)
        except CodecError:
            raise
        except Exception as error:  # Pillow fails in many ways on bytes that no encoder made
            raise CodecError(f"not a whole AVIF file: {error}") from error

    def version(self) -> str:
        """Name Pillow, libavif, libaom and dav1d."""
        find = AvifImagePlugin.get_codec_version
        return (
            f"pillow {PIL.__version__}, libavif {features.version('avif')}, "
            f"libaom {find('aom') or 'none'}, dav1d {find('dav1d') or 'none'}"
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep Pillow from decoding in as many threads as there are cores: nothing but a global of its says so."""
    with _THREADS_LOCK:
        before = AvifImagePlugin.DEFAULT_MAX_THREADS
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        try:
            yield
        finally:
            AvifImagePlugin.DEFAULT_MAX_THREADS = before
