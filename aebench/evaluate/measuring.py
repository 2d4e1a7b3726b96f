"""Ray Data: every image through every codec, CPU tasks and accelerator actors at the same time.

A work item is one image and one codec with all its settings; only names, paths and rows travel, never pixels. CPU
codecs run as tasks of one CPU, networks in actors that keep them loaded, one a GPU, or of one CPU where there is none.

Workers may be on machines that do not see the run's folder. What is to be kept of a measurement therefore travels with
its row, as bytes of a bitstream or a PNG file, and this process writes it. Such rows leave a worker one by one, and Ray
makes blocks of `MOST_BLOCK` bytes of them, of which it holds no more than its object store takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import ray
import ray.data
from ray.data import ActorPoolStrategy, DataContext, Dataset

from aebench.cluster import Cluster, native_stderr_to
from aebench.evaluate.plan import Plan
from aebench.kept import IMAGE, ORIGINAL, STREAM, write_kept
from aebench.measure import Original, Row, carry_originals, failed, measure, measure_batch
from aebench.results import ROWS, RowWriter, RunFolder

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
        with native_stderr_to(run.path / "ray.log"):
            for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                assert isinstance(batch, pa.Table)
                rows = [{**write_kept(run, row), "run": run.name} for row in batch.to_pylist()]
                writer.add(rows)
                if rows:
                    on_rows(rows)
    finally:
        writer.flush()
    run.compact()


def _tasks(work: Plan) -> Dataset | None:
    items = work.items(batched=False)
    if not items:
        return None
    shared = ray.put(work)

    def run_item(table: pa.Table) -> Iterator[pa.Table]:
        plan: Plan = ray.get(shared)
        (item,) = table.to_pylist()
        image, family = plan.images[item["image"]], plan.families[item["family"]]
        yield from _tables(measure(image, family, plan.request, plan.with_original(item["family"])), plan)

    return _dataset(items).map_batches(run_item, batch_size=1, batch_format="pyarrow", num_cpus=1)


def _actors(work: Plan, cluster: Cluster) -> Dataset | None:
    items = work.items(batched=True)
    if not items:
        return None
    size = max(1, min(cluster.gpus or 1, len(items)))
    shared = ray.put(work)
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
    """Keeps networks loaded on one device and measures batches of images."""

    def __init__(self, fetch: Callable[[], Plan]) -> None:
        import torch

        torch.set_num_threads(1)
        self.plan = fetch()

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        yield from _tables(self._measure(table.to_pylist()), self.plan)

    def _measure(self, items: list[dict[str, int]]) -> Iterator[Row]:
        by_family: dict[int, list[int]] = defaultdict(list)
        for item in items:
            by_family[item["family"]].append(item["image"])
        for index, image_indexes in by_family.items():
            family = self.plan.families[index]
            by_shape: dict[tuple[int, ...], list[Original]] = defaultdict(list)
            for image in (self.plan.images[i] for i in image_indexes):
                try:
                    original = Original.open(image)
                except Exception as error:
                    yield from (failed(image, codec, error) for codec in family)
                else:
                    by_shape[original.rgb.shape].append(original)
            for originals in by_shape.values():
                rows = (row for codec in family for row in measure_batch(originals, codec, self.plan.request))
                yield from carry_originals(rows, originals) if self.plan.with_original(index) else rows


def _dataset(items: list[dict[str, int]], rows_a_block: int = 1) -> Dataset:
    blocks = min(MOST_BLOCKS, -(-len(items) // rows_a_block))
    return ray.data.from_items(items, override_num_blocks=blocks)


def _tables(rows: Iterable[Row], plan: Plan) -> Iterator[pa.Table]:
    """Put rows into one table, or into one each where they carry what is to be kept."""
    for some in ([row] for row in rows) if plan.request.keep else (list(rows),):
        yield pa.Table.from_pylist(some, schema=_CARRIED)
