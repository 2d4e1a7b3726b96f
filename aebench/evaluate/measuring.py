"""Ray Data: every image through every codec, CPU tasks and accelerator actors at the same time.

A work item is one image and one codec with all its settings; only names, paths and rows travel, never pixels. CPU
codecs run as tasks of one CPU, networks in actors that keep them loaded, one a GPU, or of one CPU where there is none.
Each worker measures in a child process (`aebench.containment`), so that a codec that crashes costs a row and no worker,
of which Ray would start another and try the same again.

Workers may be on machines that do not see the run's folder. What is to be kept of a measurement therefore travels with
its row, as bytes of a bitstream or a PNG file, and this process writes it. Such rows leave a worker one by one, and Ray
makes blocks of `MOST_BLOCK` bytes of them, of which it holds no more than its object store takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import ray
import ray.data
from ray.data import ActorPoolStrategy, DataContext, Dataset

from aebench.cluster import Cluster, native_stderr_to
from aebench.containment import Limits
from aebench.containment.harness import ContainedHarness, Harness
from aebench.evaluate.plan import Plan
from aebench.images import ImageRef
from aebench.kept import IMAGE, ORIGINAL, STREAM, Keep, write_kept
from aebench.measure import Row
from aebench.results import ROWS, RowWriter, RunFolder
from aebench.storage import THREADS

BATCH_IMAGES = 8
"""Images of equal shape that an accelerator codes together."""

MOST_BLOCKS = 4096
"""A block costs Ray tens of milliseconds, so a long list of items is cut into no more blocks than this."""

MOST_BLOCK = 32 * 2**20
"""Bytes of rows, with what is to be kept, that this process takes at a time; one row may be larger."""

_CARRIED = pa.schema([*ROWS, *((name, pa.large_binary()) for name in (STREAM, IMAGE, ORIGINAL))])
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
    context = DataContext.get_current()
    context.target_max_block_size = MOST_BLOCK
    context.op_resource_reservation_enabled = False  # reserved for each branch alike, CPUs would stand idle
    branches = [branch for branch in (_tasks(work), _actors(work, cluster)) if branch is not None]
    if not branches:
        return
    dataset = branches[0] if len(branches) == 1 else branches[0].union(*branches[1:])
    writer = RowWriter(run)
    try:
        with native_stderr_to(run.path / "ray.log"), ThreadPoolExecutor(THREADS) as pool:
            for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                assert isinstance(batch, pa.Table)
                plain = pool.map(lambda row: write_kept(run, row), batch.to_pylist())
                rows = [{**row, "run": run.name} for row in plain]
                writer.add(rows)
                if rows:
                    on_rows(rows)
    finally:
        writer.flush()
    run.compact()


@dataclass(frozen=True)
class Errand:
    """A branch of a plan on its way to the workers, which pass the pickled harness on and import no codec."""

    images: Sequence[ImageRef]
    harness: bytes
    limits: Limits
    keep: Keep | None

    @classmethod
    def of(cls, work: Plan, batched: bool) -> Errand:
        """Take of a plan what one branch needs."""
        families = [family if family[0].batched == batched else () for family in work.families]
        harness = ray.cloudpickle.dumps(Harness(families, work.request))
        return cls(work.images, harness, work.limits, work.request.keep)


class Worker:
    """Measures in a child process that it keeps from item to item.

    Parameters
    ----------
    errand : Errand
    """

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._harness = ContainedHarness(errand.harness, errand.limits)

    def tables(self, items: list[dict[str, int]]) -> Iterator[pa.Table]:
        """Measure items; put their rows into one table, or into one each where they carry what is to be kept."""
        rows = self._rows(items)
        for some in ([row] for row in rows) if self._errand.keep else (list(rows),):
            yield pa.Table.from_pylist(some, schema=_CARRIED)

    def close(self) -> None:
        """End the child process."""
        self._harness.close()

    def _rows(self, items: list[dict[str, int]]) -> Iterator[Row]:
        by_family: dict[int, list[ImageRef]] = defaultdict(list)
        for item in items:
            by_family[item["family"]].append(self._errand.images[item["image"]])
        for family, images in by_family.items():
            yield from self._harness.measure(images, family, self._errand.keep == "images" and family == 0)


def _tasks(work: Plan) -> Dataset | None:
    items = work.items(batched=False)
    if not items:
        return None
    shared = ray.put(Errand.of(work, batched=False))

    def run_item(table: pa.Table) -> Iterator[pa.Table]:
        yield from _worker(shared).tables(table.to_pylist())

    return _dataset(items).map_batches(run_item, batch_size=1, batch_format="pyarrow", num_cpus=1)


_kept_worker: list[tuple[str, Worker]] = []
"""The worker of the latest plan that ran tasks in this process of Ray, which runs tasks of one plan after another."""


def _worker(shared: ray.ObjectRef[Errand]) -> Worker:
    """Return the worker for an errand, which starts a child process only for the first of its tasks."""
    name = shared.hex()
    if not _kept_worker or _kept_worker[0][0] != name:
        for _, other in _kept_worker:
            other.close()
        _kept_worker[:] = [(name, Worker(ray.get(shared)))]
    return _kept_worker[0][1]


def _actors(work: Plan, cluster: Cluster) -> Dataset | None:
    items = work.items(batched=True)
    if not items:
        return None
    size = max(1, min(cluster.gpus or 1, len(items)))
    shared = ray.put(Errand.of(work, batched=True))
    return _dataset(items, BATCH_IMAGES if cluster.gpus else 1).map_batches(
        NetworkActor,
        fn_constructor_args=(lambda: ray.get(shared),),
        batch_size=BATCH_IMAGES if cluster.gpus else 1,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=size),
        num_gpus=1 if cluster.gpus else 0,
        num_cpus=1,
    )


class NetworkActor:
    """Has a child process that keeps networks loaded on one device and measures batches of images."""

    def __init__(self, fetch: Callable[[], Errand]) -> None:
        self._worker = Worker(fetch())

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        yield from self._worker.tables(table.to_pylist())


def _dataset(items: list[dict[str, int]], rows_a_block: int = 1) -> Dataset:
    blocks = min(MOST_BLOCKS, -(-len(items) // rows_a_block))
    return ray.data.from_items(items, override_num_blocks=blocks)
