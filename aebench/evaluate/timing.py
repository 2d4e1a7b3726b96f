"""The timing pass on a cluster: one task a node at a time, taking all its CPUs, so that nothing of ours disturbs it.

Plain tasks rather than Ray Data, which has no way to say so: this process hands every node that is free the next item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aebench.cluster import native_stderr_to
from aebench.codecs.base import Codec
from aebench.errors import ClusterError
from aebench.evaluate.plan import group
from aebench.images import ImageRef
from aebench.measure import Row, failed
from aebench.results import RunFolder
from aebench.timing import time_image


@dataclass(frozen=True)
class Place:
    """A node of the cluster that runs tasks, and all that it offers."""

    id: str
    cpus: float
    gpus: float


@dataclass(frozen=True)
class Item:
    """An image, and a codec with all its settings."""

    image: ImageRef
    codecs: tuple[Codec, ...]


def time_codecs(
    images: Sequence[ImageRef],
    codecs: Iterable[Codec],
    repeats: int,
    run: RunFolder,
    on_rows: Callable[[list[Row]], None] = lambda rows: None,
) -> None:
    """Time every image at every setting, writing rows to ``RUN/times``.

    Networks are timed on nodes that have GPUs, where there are any.

    Parameters
    ----------
    images : sequence of ImageRef
    codecs : iterable of Codec
    repeats : int
        See `aebench.timing.time_image`.
    run : RunFolder
    on_rows : callable
        Called in this process with new rows.

    Raises
    ------
    ClusterError
        If no node is left to run on.
    """
    waiting = [Item(image, family) for family in group(codecs) for image in images]
    with_gpus = any(node.gpus for node in _nodes())
    busy: dict[Any, tuple[Place, Item]] = {}
    with native_stderr_to(run.path / "ray.log"):
        while waiting or busy:
            _hand_out(waiting, busy, repeats, with_gpus)
            if not busy:
                kind = " with GPUs" if with_gpus else ""
                raise ClusterError(f"no node{kind} is left in the cluster to time {waiting[0].codecs[0].name} on")
            (task,), _ = ray.wait(list(busy))
            _, item = busy.pop(task)
            rows = [{**row, "run": run.name} for row in _result(task, item)]
            run.append_times(rows)
            on_rows(rows)
    run.compact()


def _hand_out(waiting: list[Item], busy: dict[Any, tuple[Place, Item]], repeats: int, with_gpus: bool) -> None:
    """Give every node that has nothing to do the next item that it can take."""
    occupied = {node.id for node, _ in busy.values()}
    for node in _nodes():
        if node.id in occupied:
            continue
        suitable = (item for item in waiting if node.gpus or not (with_gpus and item.codecs[0].batched))
        item = next(suitable, None)
        if item is not None:
            waiting.remove(item)
            busy[_start(item, node, repeats)] = (node, item)


def _start(item: Item, node: Place, repeats: int) -> Any:
    """Start the task of an item on a node; return the reference to its rows."""
    task = ray.remote(_time_item).options(
        num_cpus=node.cpus,
        num_gpus=1 if item.codecs[0].batched and node.gpus else 0,
        max_retries=0,  # a codec that kills its worker would do so again
        scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
    )
    return task.remote(item, repeats)


def _time_item(item: Item, repeats: int) -> list[Row]:
    return list(time_image(item.image, item.codecs, repeats))


def _result(task: Any, item: Item) -> list[Row]:
    """Fetch the rows of a task; those of failures where it died."""
    try:
        rows: list[Row] = ray.get(task)
    except RayError as error:
        died = ClusterError(f"the worker that timed it died: {str(error).splitlines()[0]}")
        return [failed(item.image, codec, died) for codec in item.codecs]
    return rows


def _nodes() -> list[Place]:
    """List the nodes of the cluster that run tasks."""
    found = [(node["NodeID"], node["Resources"]) for node in ray.nodes() if node["Alive"]]
    return [Place(name, has["CPU"], has.get("GPU", 0)) for name, has in found if has.get("CPU", 0) >= 1]
