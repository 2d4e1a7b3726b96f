"""Codecs that stand in for others, in a module that child processes can import."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aebench.codecs import Codec, Rgb, parameter


@dataclass(frozen=True)
class Nothing(Codec):
    """Writes the size and decodes to black."""

    name = "nothing"
    sweep = "level=1"
    level: int = parameter(1)

    def encode(self, rgb: Rgb) -> bytes:
        return int(rgb.shape[0]).to_bytes(2) + int(rgb.shape[1]).to_bytes(2)

    def decode(self, data: bytes) -> Rgb:
        return np.zeros((int.from_bytes(data[:2]), int.from_bytes(data[2:]), 3), np.uint8)

    def version(self) -> str:
        return "1"
