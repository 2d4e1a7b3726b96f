"""What a child process may take, and what it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """What a child process may take.

    Attributes
    ----------
    seconds : float
        Wall time from one stage that it announces, or result that it yields, to the next.
    memory : int
        Bytes of resident memory, with the processes that it has started.
    """

    seconds: float = 300.0
    memory: int = 4 * 10**9


def resident(pid: int) -> int:
    """Return the bytes of resident memory of a process and of all that it has started; 0 where that is not known.

    What is resident is watched, as a limit on addresses (``RLIMIT_AS``, ``RLIMIT_DATA``) also counts what is only
    reserved, of which threads and CUDA take many times what they use.
    """
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it has just ended, or this system has no /proc
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(resident, children(pid)))


def children(pid: int) -> list[int]:
    """List the processes that the main thread of a process has started; none where that is not known."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
