"""Ray Data: every image through every codec, CPU tasks and accelerator actors at the same time.

A block of work (`aebench.evaluate.blocks`) is some images and one codec with all its settings; only names, paths and
rows travel, never pixels. CPU codecs run as tasks of one CPU, networks in actors that keep them loaded: two share a
GPU, so that it works for one while the other reads images, codes entropy and scores; where there is none, each has a
CPU. Each worker measures in a child process (`aebench.containment`), so that a codec that crashes costs a row and no
worker, of which Ray would start another and try the same again.

Workers may be on machines that do not see the run's folder. What is to be kept of a measurement therefore travels with
its row, as bytes of a bitstream or a PNG file, and this process writes it. Such rows leave a worker one by one, and Ray
makes blocks of `MOST_BLOCK` bytes of them, of which it holds no more than its object store takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import ray
import ray.data
from ray.data import ActorPoolStrategy, DataContext, Dataset

from aebench.cluster import Cluster, native_stderr_to
from aebench.codecs.base import Codec
from aebench.containment import Limits
from aebench.containment.harness import ContainedHarness, Harness
from aebench.evaluate.blocks import Block, Work
from aebench.evaluate.plan import Plan
from aebench.images import ImageRef
from aebench.kept import IMAGE, ORIGINAL, STREAM, Keep, write_kept
from aebench.measure import Row
from aebench.results import ROWS, RowWriter, RunFolder
from aebench.storage import THREADS

BATCH_IMAGES = 8
"""Images of equal shape that an accelerator codes together."""

ACTORS_A_GPU = 2

MOST_BLOCK = 32 * 2**20
"""Bytes of rows, with what is to be kept, that this process takes at a time; one row may be larger."""

_REPORT = pa.schema([("block", pa.int64()), ("measured", pa.int64()), ("seconds", pa.float64())])
"""Columns of the last row of a block, which is no measurement: its number in the round, how many of its images were
measured, in what time."""

_KEPT = (STREAM, IMAGE, ORIGINAL)

_CARRIED = pa.schema([*ROWS, *((name, pa.large_binary()) for name in _KEPT), *_REPORT])
"""Rows on their way from the workers, with what is to be kept."""


def evaluate(
    work: Plan,
    run: RunFolder,
    cluster: Cluster,
    on_rows: Callable[[list[Row]], None] = lambda rows: None,
) -> None:
    """Measure a plan, writing rows to ``RUN/rows`` as they are made, and what is kept of each before its row.

    Parameters
    ----------
    work : Plan
    run : RunFolder
    cluster : Cluster
    on_rows : callable
        Called in this process with new rows.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # the default one keeps what threads free: a third more for large runs
    context = DataContext.get_current()
    context.target_max_block_size = MOST_BLOCK
    context.op_resource_reservation_enabled = False  # reserved for each branch alike, CPUs would stand idle
    branches = [branch for branch in (_tasks(work, cluster), _actors(work, cluster)) if branch is not None]
    # looking for kept files that a row proves stale takes longer than some rows
    keeps = work.request.keep is not None or (run.path / "streams").is_dir()
    writer = RowWriter(run)
    try:
        with native_stderr_to(run.path / "ray.log"), ThreadPoolExecutor(THREADS) as pool:
            while handed_out := [(branch, block) for branch in branches for block in branch.left.hand_out()]:
                waiting = dict(enumerate(handed_out))
                for rows, reports in _results(work, waiting, keeps):
                    for number, measured, seconds in reports:
                        branch, block = waiting.pop(number)
                        branch.left.take_back(block, measured, seconds)
                    plain = pool.map(lambda row: write_kept(run, row), rows) if keeps else rows
                    rows = [{**row, "run": run.name} for row in plain]
                    writer.add(rows)
                    if rows:
                        on_rows(rows)
                for branch, block in waiting.values():  # a node that died took their reports along
                    branch.left.take_back(block, 0, 0.0)
    finally:
        writer.flush()
    run.compact()


@dataclass(frozen=True)
class Branch:
    """The codecs of a plan that run in workers of one kind: what is left to do, and how blocks become rows."""

    left: Work
    measure: Callable[[Dataset], Dataset]


def _results(
    work: Plan, blocks: Mapping[int, tuple[Branch, Block]], keeps: bool
) -> Iterator[tuple[list[Row], list[tuple[int, int, float]]]]:
    """Yield the rows of numbered blocks as workers make them, perhaps with what is to be kept, and blocks' reports."""
    datasets = []
    for branch in dict.fromkeys(branch for branch, _ in blocks.values()):
        items = [_item(number, block, work.images) for number, (own, block) in blocks.items() if own is branch]
        datasets.append(branch.measure(ray.data.from_items(items, override_num_blocks=len(items))))
    dataset = datasets[0] if len(datasets) == 1 else datasets[0].union(*datasets[1:])
    for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        assert isinstance(batch, pa.Table)
        is_row = pc.is_null(batch["block"])
        reports = batch.filter(pc.invert(is_row)).select(_REPORT.names).to_pylist()
        rows = batch.filter(is_row).select([*ROWS.names, *(_KEPT if keeps else ())]).to_pylist()
        yield rows, [(report["block"], report["measured"], report["seconds"]) for report in reports]


def _item(number: int, block: Block, images: Sequence[ImageRef]) -> dict[str, Any]:
    """Write down a block with its images, which no worker needs to know all of."""
    own = images[block.start : block.stop]
    return {
        "block": number,
        "family": block.family,
        "names": [image.name for image in own],
        "uris": [image.uri for image in own],
    }


@dataclass(frozen=True)
class Errand:
    """A branch of a plan on its way to the workers, which pass the pickled harness on and import no codec."""

    harness: bytes
    limits: Limits
    keep: Keep | None
    together: int
    seconds: float

    @classmethod
    def of(cls, work: Plan, own: Mapping[int, Sequence[Codec]], seconds: float, together: int = 1) -> Errand:
        """Take of a plan what one branch needs, whose workers code so many images together, blocks of some seconds."""
        harness = Harness([own.get(index, ()) for index in range(len(work.families))], work.request)
        return cls(ray.cloudpickle.dumps(harness), work.limits, work.request.keep, together, seconds)


class Worker:
    """Measures in a child process that it keeps from block to block.

    Parameters
    ----------
    errand : Errand
    """

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._harness = ContainedHarness(errand.harness, errand.limits)

    def take(self, errand: Errand) -> None:
        """Measure for another errand from now on."""
        self._errand = errand
        self._harness.load(errand.harness, errand.limits)

    def tables(self, blocks: pa.Table) -> Iterator[pa.Table]:
        """Measure blocks; put the rows of each into one table, or into one each where they carry what is to be kept."""
        for block in blocks.to_pylist():
            rows = self._rows(**block)
            for some in ([row] for row in rows) if self._errand.keep else (list(rows),):
                yield pa.Table.from_pylist(some, schema=_CARRIED)

    def _rows(self, block: int, family: int, names: list[str], uris: list[str]) -> Iterator[Row]:
        """Measure images until there are no more or the time is up, and report how far that was."""
        images = [ImageRef(*pair) for pair in zip(names, uris, strict=True)]
        self._harness.start()
        began, measured = time.perf_counter(), 0
        while measured < len(images) and (not measured or time.perf_counter() < began + self._errand.seconds):
            some = images[measured : measured + self._errand.together]
            yield from self._harness.measure(some, family, self._errand.keep == "images" and family == 0)
            measured += len(some)
        yield {"block": block, "measured": measured, "seconds": time.perf_counter() - began}


def _tasks(work: Plan, cluster: Cluster) -> Branch | None:
    families = work.branch(batched=False)
    if not families:
        return None
    left = Work(families, len(work.images), cluster.cpus)
    shared = ray.put(Errand.of(work, families, left.seconds))

    def measure_block(table: pa.Table) -> Iterator[pa.Table]:
        yield from _worker(shared).tables(table)

    def measure(blocks: Dataset) -> Dataset:
        return blocks.map_batches(measure_block, batch_size=None, batch_format="pyarrow", num_cpus=1)

    return Branch(left, measure)


_kept_worker: list[tuple[str, Worker]] = []
"""The worker of the latest plan that ran tasks in this process of Ray, which runs tasks of one plan after another."""


def _worker(shared: ray.ObjectRef[Errand]) -> Worker:
    """Return the worker for an errand, which starts a child process only for the first of its tasks."""
    name = shared.hex()
    if not _kept_worker:
        _kept_worker[:] = [(name, Worker(ray.get(shared)))]
    latest, worker = _kept_worker[0]
    if latest != name:
        worker.take(ray.get(shared))
        _kept_worker[:] = [(name, worker)]
    return worker


def _actors(work: Plan, cluster: Cluster) -> Branch | None:
    families = work.branch(batched=True)
    if not families:
        return None
    together = BATCH_IMAGES if cluster.gpus else 1
    items = len(families) * -(-len(work.images) // together)
    # without a GPU each takes a CPU from the other codecs, and where there are none every CPU has one
    most = ACTORS_A_GPU * cluster.gpus or (1 if work.branch(batched=False) else cluster.cpus)
    size = max(1, min(most, items))
    part = 1 / ACTORS_A_GPU if cluster.gpus else 1
    left = Work(families, len(work.images), size, together)
    shared = ray.put(Errand.of(work, families, left.seconds, together))

    def measure(blocks: Dataset) -> Dataset:
        return blocks.map_batches(
            NetworkActor,
            fn_constructor_args=(lambda: ray.get(shared),),
            batch_size=1,  # a block is one item; Ray wants a number where there are GPUs
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=size),
            num_gpus=part if cluster.gpus else 0,
            num_cpus=part,
        )

    return Branch(left, measure)


class NetworkActor:
    """Has a child process that keeps networks loaded on one device and measures batches of images."""

    def __init__(self, fetch: Callable[[], Errand]) -> None:
        self._worker = Worker(fetch())

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        yield from self._worker.tables(table)
