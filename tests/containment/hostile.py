"""Codecs that misbehave on chosen images."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from aebench.codecs import Codec, Rgb, parameter
from aebench.images import ImageRef

RAISES, HANGS, LEAKS, CRASHES, CRASHES_LATE, HANGS_LATE = range(1, 7)
"""What the red of an image's first pixel tells a codec to do; LATE is when it decodes."""

HARMLESS = 100


@dataclass(frozen=True)
class Hostile(Codec):
    """Stores pixels as they are, and does on the way what the image says."""

    name = "hostile"
    sweep = "level=1|2"
    level: int = parameter(1)
    harmless: bool = parameter(False)
    seconds: float = parameter(0.0, help="CPU time to spend on every image")

    def encode(self, rgb: Rgb) -> bytes:
        end = time.process_time() + self.seconds
        while time.process_time() < end:
            pass
        if not self.harmless:
            misbehave(int(rgb[0, 0, 0]))
        return bytes(rgb.shape[:2]) + rgb.tobytes()

    def decode(self, data: bytes) -> Rgb:
        if not self.harmless and data[2] in (CRASHES_LATE, HANGS_LATE):
            misbehave(CRASHES if data[2] == CRASHES_LATE else HANGS)
        return np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)

    def version(self) -> str:
        return "1"


@dataclass(frozen=True)
class HostileBatches(Hostile):
    """The same for batches."""

    name = "hostile-batches"
    batched = True

    def encode_batch(self, images: Sequence[Rgb]) -> list[bytes]:
        return [self.encode(rgb) for rgb in images]

    def decode_batch(self, streams: Sequence[bytes]) -> list[Rgb]:
        return [self.decode(data) for data in streams]


def misbehave(how: int) -> None:
    """Raise, hang, leak or crash."""
    if how == RAISES:
        raise ZeroDivisionError("on purpose")
    if how == HANGS:
        ctypes.PyDLL(None).sleep(1000)  # holds the interpreter's lock, as a hanging extension may
    if how == LEAKS:
        held = []
        while True:
            held.append(bytearray(b"\1") * 20_000_000)
    if how == CRASHES:
        os.kill(os.getpid(), signal.SIGSEGV)


def write_images(folder: Path, kinds: Sequence[int]) -> list[ImageRef]:
    """Write small images that make codecs misbehave, each in its way."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(kinds):
        rgb = np.full((12, 16, 3), number % 256, np.uint8)
        rgb[0, 0, 0] = kind
        Image.fromarray(rgb).save(folder / f"{number:03}.png")
    return [ImageRef(f"{number:03}.png", str(folder / f"{number:03}.png")) for number in range(len(kinds))]
