"""How many workers train, and what of the recipe the hardware decides."""

from __future__ import annotations

from dataclasses import dataclass

from aebench.cluster import Cluster, Node
from aebench.errors import ClusterError, JobError
from aebench.job import TrainSection
from aebench.training import Recipe


@dataclass(frozen=True)
class Workers:
    """How many workers, each with how many CPUs (torch threads), on GPUs or not."""

    number: int
    cpus: int
    gpu: bool

    def __str__(self) -> str:
        workers, cpus = ("" if count == 1 else "s" for count in (self.number, self.cpus))
        return f"{self.number} worker{workers} of {'1 GPU and ' if self.gpu else ''}{self.cpus} CPU{cpus}"


def plan_workers(section: TrainSection, cluster: Cluster) -> Workers:
    """Choose the workers: one a GPU, else one a CPU, as many as share the batch equally."""
    available = cluster.gpus or cluster.cpus
    if not available:
        raise ClusterError(f"the cluster has {cluster}: nothing to train on; wait until nodes with CPUs have joined it")
    if section.workers == "auto":
        number = _sharing(section.batch, available)
    elif section.workers > available:
        raise JobError(
            f"train.workers: {section.workers} workers wanted, the cluster has {cluster}; "
            f'write workers = {available} or workers = "auto"'
        )
    else:
        number = section.workers
    return Workers(number, _cpus_each(cluster, max(number, cluster.gpus)), gpu=cluster.gpus > 0)


def plan_again(section: TrainSection, gpu: bool, cluster: Cluster) -> Workers | None:
    """Choose the workers of a training that goes on, on what the cluster has by now.

    They are of the kind that it began with, as its recipe was made for that, and may be fewer than the job says.

    Returns
    -------
    Workers or None
        None where the cluster has nothing of that kind.
    """
    cluster = cluster if gpu else Cluster(tuple(Node(node.cpus) for node in cluster.nodes))
    available = cluster.gpus if gpu else cluster.cpus
    if not available:
        return None
    number = _sharing(section.batch, available if section.workers == "auto" else min(available, section.workers))
    return Workers(number, _cpus_each(cluster, max(number, cluster.gpus)), gpu)


def _sharing(batch: int, most: int) -> int:
    """Return the largest number of workers, up to some, that share a batch equally."""
    return max(n for n in range(1, min(most, batch) + 1) if batch % n == 0)


def _cpus_each(cluster: Cluster, workers: int) -> int:
    """Return the most CPUs that each of so many workers can have on one node, beside a GPU where there are any."""

    def room(cpus: int) -> int:
        return sum(min(node.cpus // cpus, node.gpus if cluster.gpus else workers) for node in cluster.nodes)

    most = max(node.cpus for node in cluster.nodes)
    return next((cpus for cpus in range(most, 0, -1) if room(cpus) >= workers), 1)


def make_recipe(section: TrainSection, seed: int, workers: Workers) -> Recipe:
    """Settle what the job leaves to the hardware."""
    on_gpu = workers.gpu
    return Recipe(
        seed=seed,
        crop=section.crop,
        batch=section.batch,
        epochs=section.epochs,
        steps=section.steps,
        learning_rate=section.learning_rate,
        warmup=section.warmup,
        # measured on CPUs: bfloat16 without AMX is 3 times slower, compiled code 1.35 times
        precision=("bfloat16" if on_gpu else "float32") if section.precision == "auto" else section.precision,
        compile=on_gpu if section.compile == "auto" else section.compile,
        ema=section.ema,
    )
