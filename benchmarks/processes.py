"""What this process and all that it has started take: CPU time, memory."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
MIB = 2**20


def family(roots: Iterable[int]) -> set[int]:
    """Return processes and all that descend from them."""
    children: dict[int, list[int]] = defaultdict(list)
    for process, stat in _stats():
        children[int(stat[1])].append(process)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += children[process]
    return found


def cpu_seconds() -> float:
    """Return the CPU time that this process, all that it has started, and what of those has ended, have taken."""
    ours = family([os.getpid()])
    return sum(sum(map(int, stat[11:15])) for process, stat in _stats() if process in ours) / _TICKS


def memory(processes: Iterable[int]) -> tuple[int, int]:
    """Sum resident and proportional set sizes, in bytes."""
    resident = proportional = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
        resident += sizes.get("Rss", 0)
        proportional += sizes.get("Pss", 0)
    return resident, proportional


class Peaks:
    """Samples, while it is entered, the memory of this process and of all that it has started.

    Attributes
    ----------
    here : int
        Largest resident set of this process, in bytes, without shared memory: that is Ray's store of objects, which
        has a limit of its own.
    others : int
        Largest sum of the others' proportional sets, in bytes: what they share is counted once.
    kinds : dict
        Kind of process (see `kind`) to the largest number of its processes, and the largest sum of their proportional
        sets in bytes.
    """

    def __init__(self, seconds: float = 0.25) -> None:
        self.here = self.others = 0
        self.kinds: dict[str, tuple[int, int]] = {}
        self._seconds, self._over = seconds, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        own = os.getpid()
        while True:
            self.here = max(self.here, private())
            kinds: dict[str, list[int]] = defaultdict(list)
            for process in family([own]) - {own}:
                kinds[kind(process)].append(process)
            taken = {name: (len(them), memory(them)[1]) for name, them in kinds.items()}
            self.others = max(self.others, sum(size for _, size in taken.values()))
            for name, (number, size) in taken.items():
                most, largest = self.kinds.get(name, (0, 0))
                self.kinds[name] = max(most, number), max(largest, size)
            if self._over.wait(self._seconds):
                return


def private() -> int:
    """Return the resident set of this process without shared memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
    return sum(1024 * int(sizes[name].split()[0]) for name in ("RssAnon", "RssFile"))


def kind(process: int) -> str:
    """Say what a process is to a run."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        command = ""
    if "aebench.containment" in command:
        return "fork servers and children"
    return "Ray's workers" if command.startswith("ray::") else "Ray's own processes"


def _stats() -> Iterable[tuple[int, list[str]]]:
    """Read every process's number and its fields in proc_pid_stat(5) from the third on, which is at 0."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield int(path.parent.name), path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile


def wall() -> float:
    """Return the seconds of a clock on the wall."""
    return time.perf_counter()
