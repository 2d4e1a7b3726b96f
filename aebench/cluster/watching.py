"""Telling which nodes are lost and which join while a run goes on: Ray itself tells nobody."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import ray

from aebench.cluster import describe

EVERY = 1.0
"""Seconds between two looks at the nodes that Ray believes to be alive."""


@contextlib.contextmanager
def watching(say: Callable[[str], None]) -> Iterator[None]:
    """Say in a sentence, from a thread of its own, that the connected Ray has lost a node or gained one."""
    known, over = _alive(), threading.Event()

    def watch() -> None:
        nonlocal known
        while not over.wait(EVERY):
            alive = _alive()
            for node in known.keys() - alive.keys():
                say(f"Ray: the node {known[node]} is lost; left are {describe()}")
            for node in alive.keys() - known.keys():
                say(f"Ray: the node {alive[node]} has joined; now there are {describe()}")
            known = alive

    thread = threading.Thread(target=watch, name="nodes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _alive() -> dict[str, str]:
    """Return the addresses of the nodes that are alive, by Ray's names for them."""
    return {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
