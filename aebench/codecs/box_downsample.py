"""Averages of square boxes, uncompressed: the floor that a codec must beat.

Stream: height and width (4 bytes each, big-endian), then the averages as 8-bit RGB, row by row.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError

_HEADER = struct.Struct(">II")


@dataclass(frozen=True)
class BoxDownsample(Codec):
    """Downsampling by averages over factor×factor pixels, and upsampling by repetition.

    An average is rounded to the nearest 8-bit value, halves upwards. Boxes start at the top left; those that reach
    over the right or the bottom edge average the pixels that they have.
    """

    name = "box-downsample"
    sweep = "factor=16|12|10|8|6|5|4|3|2"
    cost = 0.02

    factor: int = parameter(4, low=1, high=256, help="side of a box in pixels: 24 / factor² bits per pixel")

    def encode(self, rgb: Rgb) -> bytes:
        rgb = check_rgb(rgb)
        height, width, _ = rgb.shape
        tops, lefts = np.arange(0, height, self.factor), np.arange(0, width, self.factor)
        sums = np.add.reduceat(np.add.reduceat(rgb, tops, axis=0, dtype=np.uint32), lefts, axis=1)
        counts = np.outer(np.diff(tops, append=height), np.diff(lefts, append=width)).astype(np.uint32)[..., None]
        averages = (sums + counts // 2) // counts
        return _HEADER.pack(height, width) + averages.astype(np.uint8).tobytes()

    def decode(self, data: bytes) -> Rgb:
        """Read a stream of the same factor; every number of bytes but the right one is refused."""
        if len(data) < _HEADER.size:
            raise CodecError(f"not a box-downsample stream: {len(data)} bytes are less than its header")
        height, width = _HEADER.unpack_from(data)
        check_size(width, height)
        shape = -(-height // self.factor), -(-width // self.factor), 3
        if len(data) != _HEADER.size + shape[0] * shape[1] * shape[2]:
            raise CodecError(f"{len(data)} bytes are not those of {width}×{height} pixels at {self.setting}")
        averages = np.frombuffer(data, np.uint8, offset=_HEADER.size).reshape(shape)
        return averages.repeat(self.factor, axis=0)[:height].repeat(self.factor, axis=1)[:, :width].copy()

    def version(self) -> str:
        """Name the version of the format: nothing but this module has a part in it."""
        return "box-downsample 1"
