"""Codecs that are slow enough for a node to die meanwhile, and that tell which node ran them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from aebench.codecs import Codec, Rgb, parameter
from aebench.codecs.paper import Paper

NODE = "AEBENCH_TEST_NODE"
"""Environment variable of a node: what the test calls it."""

NOTES = "AEBENCH_TEST_NOTES"
"""Environment variable of all nodes: a folder, in which every encoding leaves a file named after its node."""


def leave_note(codec: str) -> None:
    """Say that this node has begun to encode."""
    (Path(os.environ[NOTES]) / f"{os.environ[NODE]} {codec} {uuid.uuid4().hex}").touch()


def encodings(notes: Path, node: str, codec: str = "") -> int:
    """Count the encodings that a node has begun."""
    return len(list(notes.glob(f"{node} {codec}*")))


@dataclass(frozen=True)
class Slow(Codec):
    """Stores every level-th of the 256 levels of a sample, after a while."""

    name = "slow"
    sweep = "level=1|2|4"
    level: int = parameter(1)

    def encode(self, rgb: Rgb) -> bytes:
        leave_note(self.name)
        if os.environ[NODE] != "head":  # where nobody waits for a node to join, there is no need to wait either
            time.sleep(0.5)
        return bytes(rgb.shape[:2]) + (rgb // self.level * self.level).tobytes()

    def decode(self, data: bytes) -> Rgb:
        return np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)

    def version(self) -> str:
        return "1"


@dataclass(frozen=True)
class SlowPaper(Paper):
    """The paper's network, after a while."""

    name = "slow-paper"

    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        leave_note(self.name)
        time.sleep(1)
        return super().compress(network, rgb)

    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        return super().decompress(network, payloads, height, width)
