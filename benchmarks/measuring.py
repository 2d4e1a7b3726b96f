"""Measuring the same work by aebench and by bare loops, warm: processes run, and what they need is imported."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path
from unittest import mock

from aebench.cluster import Cluster, connected
from aebench.codecs import Codec
from aebench.codecs.registry import codecs
from aebench.evaluate import evaluate, plan
from aebench.evaluate.plan import group
from aebench.images import ImageRef
from aebench.measure import Request, Row, measure
from aebench.metrics import DEFAULT_METRICS
from aebench.results import RunFolder
from benchmarks.processes import cpu_seconds, wall


@dataclass(frozen=True)
class Taken:
    """What some work took.

    Attributes
    ----------
    rows : int
    wall, cpu : float
        Seconds, CPU time being that of all processes that took part.
    codecs : float
        CPU seconds of `cpu` in ``encode`` and ``decode``.
    """

    rows: int
    wall: float
    cpu: float
    codecs: float


@contextlib.contextmanager
def ray() -> Iterator[Cluster]:
    """Start a Ray of our own, whatever else runs on this machine."""
    with mock.patch.dict(os.environ, RAY_ADDRESS="local"), connected() as cluster:
        yield cluster


def by_aebench(
    images: Sequence[ImageRef],
    settings: Sequence[Codec],
    cluster: Cluster,
    metrics: Sequence[str] = DEFAULT_METRICS,
    on_rows: Callable[[list[Row]], None] = lambda rows: None,
) -> Taken:
    """Measure as ``aebench evaluate`` does, up to the Parquet file."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        return _taken(lambda: _evaluate(images, settings, cluster, metrics, run, on_rows))


def warm_up(images: Sequence[ImageRef], settings: Sequence[Codec], cluster: Cluster) -> None:
    """Let every worker start its child process, and the codecs load their libraries."""
    by_aebench(list(images[:1]) * 4 * max(cluster.cpus, 1), settings, cluster)


def by_pool(
    pool: Pool, images: Sequence[ImageRef], settings: Sequence[Codec], metrics: Sequence[str] = DEFAULT_METRICS
) -> Taken:
    """Do the same in a plain loop over a pool of processes, an image and a codec at a time, the slowest codec first."""
    return _taken(lambda: _collect(pool.imap_unordered(measure_item, _items(images, settings, metrics))))


def by_loop(images: Sequence[ImageRef], settings: Sequence[Codec], metrics: Sequence[str] = DEFAULT_METRICS) -> Taken:
    """Do the same in a loop in this process."""
    return _taken(lambda: _collect(map(measure_item, _items(images, settings, metrics))))


@contextlib.contextmanager
def warm_pool(processes: int, images: Sequence[ImageRef], settings: Sequence[Codec]) -> Iterator[Pool]:
    """Start a pool, each process of which has coded an image at every setting."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        by_pool(pool, list(images[:1]) * 4 * processes, settings)
        yield pool


def parse(text: str) -> list[Codec]:
    """Build every setting that a list names."""
    return codecs(text)


Item = tuple[ImageRef, tuple[Codec, ...], tuple[str, ...]]


def measure_item(item: Item) -> list[Row]:
    """Measure an image with a codec at all its settings."""
    image, family, metrics = item
    return list(measure([image], family, Request(frozenset(metrics))))


def _items(images: Sequence[ImageRef], settings: Sequence[Codec], metrics: Sequence[str]) -> list[Item]:
    families = sorted(group(settings), key=lambda family: -family[0].cost * len(family))
    return [(image, family, tuple(metrics)) for family in families for image in images]


def _evaluate(
    images: Sequence[ImageRef],
    settings: Sequence[Codec],
    cluster: Cluster,
    metrics: Sequence[str],
    run: RunFolder,
    on_rows: Callable[[list[Row]], None],
) -> Counted:
    counted = Counted()

    def take(rows: list[Row]) -> None:
        counted.add(rows)
        on_rows(rows)

    evaluate(plan(images, settings, run, metrics), run, cluster, take)
    return counted


@dataclass
class Counted:
    """How many rows there were, and their CPU seconds in codecs; a failure ends the benchmark."""

    rows: int = 0
    codecs: float = 0.0

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.get("error"):
                raise SystemExit(f"a measurement failed: {row['error']}")
            self.rows += 1
            self.codecs += row["encode_cpu_seconds"] + row["decode_cpu_seconds"]


def _collect(results: Iterable[list[Row]]) -> Counted:
    """Gather rows and write them to one Parquet file."""
    rows = [row for some in results for row in some]
    with tempfile.TemporaryDirectory() as folder:
        RunFolder(folder).append_rows(rows)
    counted = Counted()
    counted.add(rows)
    return counted


def _taken(work: Callable[[], Counted]) -> Taken:
    began_wall, began_cpu = wall(), cpu_seconds()
    counted = work()
    return Taken(counted.rows, wall() - began_wall, cpu_seconds() - began_cpu, counted.codecs)
