"""Memory in which a child says what it is doing, and which nobody reads before it is asked for.

A message through a socket would wake the process that asked at every stage: several times an image, to no purpose.

    offset 0    when the stage began, on the monotonic clock that all processes share; its name; where the stake is
    slots       the stake as JSON, in turns, so that a child that dies while it writes leaves the last one whole
"""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
import time
import weakref
from typing import Any, NamedTuple

_HEADER = struct.Struct("<dQQ64s")  # within one page, so that it is written whole or not at all
_SLOTS = (1 << 12, 1 << 32)
"""Offsets in a sparse file, of which only what is written takes memory."""

STARTING = "starting"
"""The stage of a call that has announced none."""


class Stage(NamedTuple):
    """What a child is doing, since when on the monotonic clock, and what is lost if it dies of it; None if nothing."""

    name: str
    began: float
    at_stake: Any


class Cell:
    """The memory, shared by all processes that have its descriptor.

    Parameters
    ----------
    descriptor : int, optional
        That of a cell which another process has made.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        if descriptor is None:
            descriptor = _memory()
            weakref.finalize(self, os.close, descriptor)
        self.descriptor = descriptor
        self._slot = self._length = 0

    def clear(self) -> None:
        """Announce that a call is made, before anything is at stake."""
        self._length = 0
        self.announce(STARTING)

    def announce(self, stage: str, at_stake: Any = None) -> None:
        """Name a stage that begins, and what is at stake in it; None means what was at stake before.

        Parameters
        ----------
        stage : str
            At most 64 bytes.
        at_stake : object
            Anything that JSON can hold: what a dying child leaves is data, and never code.
        """
        if at_stake is not None:
            data = json.dumps(at_stake).encode()
            self._slot, self._length = 1 - self._slot, len(data)
            os.pwrite(self.descriptor, data, _SLOTS[self._slot])
        header = _HEADER.pack(time.monotonic(), self._slot, self._length, stage.encode())
        os.pwrite(self.descriptor, header, 0)

    def began(self) -> tuple[str, float]:
        """Return the present stage, and when it began."""
        began, _, _, name = self._header()
        return name, began

    def read(self) -> Stage:
        """Return the last stage of a child that is dead, or waits."""
        began, slot, length, name = self._header()
        data = os.pread(self.descriptor, length, _SLOTS[slot])
        return Stage(name, began, json.loads(data) if data else None)

    def _header(self) -> tuple[float, int, int, str]:
        began, slot, length, name = _HEADER.unpack(os.pread(self.descriptor, _HEADER.size, 0))
        return began, slot, length, name.rstrip(b"\0").decode()


def _memory() -> int:
    if sys.platform == "linux":
        return os.memfd_create("aebench")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
