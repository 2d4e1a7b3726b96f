"""HEVC intra (ITU-T H.265) in a HEIC file, by the x265 and the libde265 inside pillow-heif."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass

import numpy as np
import pillow_heif
from PIL import Image

from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError

_LEAST_SIDE = 64
"""x265 takes no picture smaller than one coding tree unit."""

_MOST_SIDE = 65_528
"""The largest that libde265 takes: above, libheif cannot read what it wrote."""

_X265 = {
    "ipratio": "1.0",  # otherwise an intra picture is coded three steps of QP finer than asked
    # libheif tunes for the eye by default; PSNR-tuned: no adaptive quantisation, no psycho-visual terms
    "aq-mode": "0",
    "cutree": "0",
    "psy-rd": "0",
    "psy-rdoq": "0",
    "scaling-list": "off",
    # exhaustive search, as the reference encoder does
    "rd": "6",
    "rdoq-level": "2",
    "tu-intra-depth": "4",
    "tu-inter-depth": "4",
    "amp": "1",
    "max-tu-size": "32",
    # one thread
    "pools": "1",
    "frame-threads": "1",
    "wpp": "0",
}

_PADDING = struct.Struct(">I4sBB")


@dataclass(frozen=True)
class Heif(Codec):
    """HEVC intra tuned for PSNR, one thread; full-range BT.601 YCbCr, converted and resampled by libheif.

    x265 takes even sides from 64 pixels on. Other images are padded by repeating the last row and column, and the
    HEIC file then ends with a ``free`` box, which other readers pass over, whose two bytes are the number of columns
    and rows to cut off again.
    """

    name = "heif"
    sweep = "qp=17..47:3"
    cost = 1.2

    qp: int = parameter(26, low=0, high=51, help="quantisation parameter: 6 more double the step")
    chroma: str = parameter("444", choices=("420", "444"), help="subsampling of Cb and Cr")

    def encode(self, rgb: Rgb) -> bytes:
        """Write a HEIC file; `CodecError` where x265 cannot take the size."""
        rgb = check_rgb(rgb)
        height, width, _ = rgb.shape
        if max(width, height) > _MOST_SIDE:
            raise CodecError(f"heif codes sides of up to {_MOST_SIDE} pixels, not {width}×{height}")
        right, bottom = _missing(width), _missing(height)
        padded = Image.fromarray(np.pad(rgb, ((0, bottom), (0, right), (0, 0)), mode="edge"))
        settings = {f"x265:{key}": value for key, value in _X265.items()}
        file = io.BytesIO()
        try:
            pillow_heif.from_pillow(padded).save(
                file,
                quality=50,  # has no effect beside a constant QP; named so that no global option takes its place
                chroma=self.chroma,
                save_nclx_profile=True,
                tile_size=0,
                enc_params={"preset": "slow", "tune": "psnr", "x265:qp": str(self.qp), **settings},
            )
        except (RuntimeError, ValueError, OSError, SyntaxError) as error:
            raise CodecError(f"{self.setting} cannot code {width}×{height} pixels: {error}") from error
        if right or bottom:
            file.write(_PADDING.pack(_PADDING.size, b"free", right, bottom))
        return file.getvalue()

    def decode(self, data: bytes) -> Rgb:
        """Read a HEIC file as `encode` writes it; libde265 conceals much of the damage within the coded data."""
        if data[4:12] not in (b"ftypheic", b"ftypheix"):
            raise CodecError("not a HEIC file: it does not start with a file type of that brand")
        right, bottom = _padding(data)
        try:
            file = pillow_heif.open_heif(io.BytesIO(data))
            width, height = file.size
            check_size(width, height)
            if file.mode != "RGB" or len(file) != 1:
                raise CodecError(f"the HEIC file holds {len(file)} images, of mode {file.mode}, not one of 8-bit RGB")
            if right >= width or bottom >= height:
                raise CodecError(f"the HEIC file declares more padding than its {width}×{height} pixels")
            return np.array(file)[: height - bottom, : width - right].copy()
        except CodecError:
            raise
        except Exception as error:  # libheif's errors come as five types, and as IndexError where it found no image
            raise CodecError(f"not a whole HEIC file: {error}") from error

    def version(self) -> str:
        """Name pillow-heif, libheif, x265 and libde265."""
        info = pillow_heif.libheif_info()
        x265 = re.search(r"\((.*)\)", info["HEIF"])
        libde265 = re.search(r"[\d.]+$", info["decoders"].get("libde265", ""))
        return (
            f"pillow-heif {pillow_heif.__version__}, libheif {info['libheif']}, "
            f"x265 {x265[1] if x265 else 'none'}, libde265 {libde265[0] if libde265 else 'none'}"
        )


def _missing(side: int) -> int:
    """Count the rows or columns to add until x265 takes them."""
    return max(side + side % 2, _LEAST_SIDE) - side


def _padding(data: bytes) -> tuple[int, int]:
    """Read the columns and rows to cut off, from the box after the HEIC file proper."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if size < 8 or position + size > len(data):
            break
        if kind == b"free" and size == _PADDING.size:
            return data[position + 8], data[position + 9]
        position += size
    if position != len(data):
        raise CodecError("not a whole HEIC file: a box is damaged or cut short")
    return 0, 0
