"""Telling which nodes are lost and which join while a run goes on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aebench.cluster import describe
from aebench.repeating import repeating

EVERY = 1.0
"""Seconds between two looks at the nodes that Ray believes to be alive."""

SILENT = 10.0
"""Seconds after which the head, which knows of the nodes, is said not to answer."""

LOST_AFTER = 120.0
"""Seconds after which Ray has noticed that a node is dead: 15 where it refuses connections, 60 where it is silent."""

_SILENCE = "Ray: its head does not answer; after a minute without it the run ends, and the same command goes on with it"


@contextlib.contextmanager
def watching(say: Callable[[str], None]) -> Iterator[None]:
    """Say in a sentence, from a thread of its own, that the connected Ray has lost a node or gained one."""
    known = _alive()

    def look() -> dict[str, str]:
        warning = threading.Timer(SILENT, say, [_SILENCE])  # the look itself lasts until Ray ends this process
        warning.start()
        try:
            return _alive()
        finally:
            warning.cancel()

    def watch() -> None:
        nonlocal known
        alive = look()
        for node in known.keys() - alive.keys():
            say(f"Ray: the node {known[node]} is lost; left are {describe()}")
        for node in alive.keys() - known.keys():
            say(f"Ray: the node {alive[node]} has joined; now there are {describe()}")
        known = alive

    with repeating(watch, EVERY, "nodes"):
        yield


def find_the_lost() -> None:
    """Return when Ray knows which nodes are lost.

    For a while it believes that they live. So each node is given something to do: it is done, or fails with the node.
    """
    ping = ray.remote(num_cpus=0, max_retries=0)(_nothing)
    pings = [
        ping.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote() for node in _alive()
    ]
    ray.wait(pings, num_returns=len(pings), timeout=LOST_AFTER)


def _nothing() -> None: ...


def _alive() -> dict[str, str]:
    """Return the addresses of the nodes that are alive, by Ray's names for them."""
    return {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
