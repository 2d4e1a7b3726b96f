"""Wall and CPU time."""

from __future__ import annotations

import resource
import time
from typing import NamedTuple, Self


class Seconds(NamedTuple):
    """A moment, or the time between two, on both clocks: seconds of wall time and of CPU time."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Read both clocks; CPU time is that of this process with all threads, and of child processes that ended."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cls(time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime)

    def until(self, end: Seconds) -> Seconds:
        """Return the time between two moments."""
        return Seconds(end.wall - self.wall, end.cpu - self.cpu)
