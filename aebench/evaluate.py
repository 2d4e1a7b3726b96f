"""Ray Data: every image through every codec, CPU tasks and accelerator actors at the same time.

A work item is one image and one codec with all its settings; only names, paths and rows travel, never pixels. CPU
codecs run as tasks of one CPU, networks in actors that keep them loaded, one a GPU, or of one CPU where there is none.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray
import ray.data
from ray.data import ActorPoolStrategy, DataContext, Dataset

from aebench.cluster import Cluster, native_stderr_to
from aebench.codecs.base import Codec
from aebench.images import ImageRef
from aebench.measure import Original, Row, failed, measure, measure_batch
from aebench.results import ROWS, RowWriter, RunFolder

BATCH_IMAGES = 8
"""Images of equal shape that an accelerator codes together."""

MOST_BLOCKS = 4096
"""A block costs Ray tens of milliseconds, so a long list of items is cut into no more blocks than this."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured; it travels to every worker once."""

    images: Sequence[ImageRef]
    families: Sequence[Sequence[Codec]]
    done: frozenset[tuple[str, str, str]]

    def items(self, batched: bool) -> list[dict[str, int]]:
        """List the work items of one branch, as positions in `images` and `families`."""
        chosen = [index for index, family in enumerate(self.families) if family[0].batched == batched]
        return [{"image": i, "family": f} for f in chosen for i in range(len(self.images))]


def plan(images: Sequence[ImageRef], codecs: Iterable[Codec], run: RunFolder) -> Plan:
    """Group settings by codec and leave out what the run has measured already."""
    families: dict[str, list[Codec]] = defaultdict(list)
    for codec in codecs:
        families[codec.name].append(codec)
    rows = run.rows().select(["image_digest", "setting", "codec_version", "error"]).to_pylist()
    done = frozenset((row["image_digest"], row["setting"], row["codec_version"]) for row in rows if not row["error"])
    return Plan(tuple(images), tuple(tuple(family) for family in families.values()), done)


def evaluate(
    work: Plan,
    run: RunFolder,
    cluster: Cluster,
    on_rows: Callable[[list[Row]], None] = lambda rows: None,
) -> None:
    """Measure a plan, writing rows to ``RUN/rows`` as they are made.

    Parameters
    ----------
    work : Plan
    run : RunFolder
    cluster : Cluster
    on_rows : callable
        Called in this process with new rows.
    """
    context = DataContext.get_current()
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
                rows = [{**row, "run": run.name} for row in batch.to_pylist()]
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

    def run_item(table: pa.Table) -> pa.Table:
        plan: Plan = ray.get(shared)
        rows = [
            measure(plan.images[item["image"]], plan.families[item["family"]], plan.done) for item in table.to_pylist()
        ]
        return _table(itertools.chain.from_iterable(rows))

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

    def __call__(self, table: pa.Table) -> pa.Table:
        return _table(self._measure(table.to_pylist()))

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
            for codec in family:
                for originals in by_shape.values():
                    yield from measure_batch(originals, codec, self.plan.done)


def _dataset(items: list[dict[str, int]], rows_a_block: int = 1) -> Dataset:
    blocks = min(MOST_BLOCKS, -(-len(items) // rows_a_block))
    return ray.data.from_items(items, override_num_blocks=blocks)


def _table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=ROWS)
