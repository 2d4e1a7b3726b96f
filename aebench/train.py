"""Ray Train around `aebench.training`: data-parallel over GPUs, or over CPU workers where there are none.

One code path: `TorchTrainer` starts N workers (NCCL between GPUs, gloo between CPUs), each runs the same `Trainer` on
its share of every batch, and rank 0 leaves a checkpoint after every epoch. Running again with the same output goes on
from the last one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ray
import ray.train
import torch
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig, UserCallback
from ray.train.torch import TorchConfig, TorchTrainer, get_device, prepare_model
from ray.util.queue import Empty, Queue

from aebench.cluster import Cluster
from aebench.errors import ClusterError, JobError
from aebench.images import ImageRef, open_rgb
from aebench.job import TrainSection
from aebench.models.weights import CONFIGURATION, Weights, build, read_weights
from aebench.results import RunFolder
from aebench.storage import Place, RemotePath
from aebench.training import Epoch, Recipe, Trainer, network_tensors

log = logging.getLogger(__name__)

BEST = "validation_loss"
"""The checkpoint of the epoch where this is smallest becomes the model."""


@dataclasses.dataclass(frozen=True)
class Workers:
    """How many workers, each with how many CPUs (torch threads), on GPUs or not."""

    number: int
    cpus: int
    gpu: bool


def plan_workers(section: TrainSection, cluster: Cluster) -> Workers:
    """Choose the workers: one a GPU, else one a CPU, as many as share the batch equally."""
    available = cluster.gpus or cluster.cpus
    if not available:
        raise ClusterError(f"the cluster has {cluster}: nothing to train on; wait until nodes with CPUs have joined it")
    if section.workers == "auto":
        number = max(n for n in range(1, min(available, section.batch) + 1) if section.batch % n == 0)
    elif section.workers > available:
        raise JobError(
            f"train.workers: {section.workers} workers wanted, the cluster has {cluster}; "
            f'write workers = {available} or workers = "auto"'
        )
    else:
        number = section.workers
    return Workers(number, _cpus_each(cluster, max(number, cluster.gpus)), gpu=cluster.gpus > 0)


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


def train(
    section: TrainSection,
    seed: int,
    images: list[ImageRef],
    run: RunFolder,
    cluster: Cluster,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Weights:
    """Train a network and leave its best epoch in ``RUN/model``, its curve in ``RUN/epochs``.

    Parameters
    ----------
    section : TrainSection
    seed : int
    images : list of ImageRef
        The last `section.validation` of them validate, the others train.
    run : RunFolder
        Where an interrupted training with the same settings goes on, and a finished one is not repeated.
    on_epoch : callable
        Called in this process after every epoch, while the training goes on.

    Raises
    ------
    JobError
        If the run holds a training with other settings.
    ClusterError
        If the training failed.
    """
    workers = plan_workers(section, cluster)
    recipe = make_recipe(section, seed, workers)
    identity = _identity(section.model, recipe, section.validation, images)
    if (finished := _finished(run, identity)) is not None:
        return finished
    config = {
        "model": section.model,
        "recipe": recipe,
        "images": images[: -section.validation],
        "validation": images[-section.validation :],
        "threads": workers.cpus,
    }
    started = time.perf_counter()
    with _live(run, on_epoch) as callback:
        try:
            result = _trainer(config, workers, run.training, callback).fit()
        except Exception as error:
            raise ClusterError(
                f"the training failed: {_cause(error)}; running again goes on from the last epoch in {run.training}"
            ) from error
    if not result.best_checkpoints:
        raise ClusterError("the training ended without a checkpoint")
    best, metrics = min(result.best_checkpoints, key=lambda pair: pair[1][BEST])
    weights = _weights_of(
        best,
        section.model,
        {
            **identity,
            "best_epoch": metrics["epoch"],
            BEST: metrics[BEST],
            "seconds": time.perf_counter() - started,
            "workers": dataclasses.asdict(workers),
            "torch": torch.__version__,
        },
    )
    weights.save(run.model)
    return weights


def _trainer(config: dict[str, Any], workers: Workers, folder: Place, callback: UserCallback) -> TorchTrainer:
    """Set up Ray Train: the workers, and the checkpoints from which they go on."""
    return TorchTrainer(
        train_worker,
        train_loop_config=config,
        torch_config=TorchConfig(backend="nccl" if workers.gpu else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=workers.number, use_gpu=workers.gpu, resources_per_worker=_resources(workers)
        ),
        run_config=RunConfig(
            name="checkpoints",
            **_storage(folder),
            callbacks=[callback],  # type: ignore[list-item]  # a UserCallback is what it takes
            failure_config=FailureConfig(max_failures=2),
            checkpoint_config=CheckpointConfig(
                num_to_keep=1, checkpoint_score_attribute=BEST, checkpoint_score_order="min"
            ),
        ),
    )


def train_worker(config: dict[str, Any]) -> None:
    """Train on one worker: what Ray Train runs N times."""
    trainer = make_trainer(config)
    if (checkpoint := ray.train.get_checkpoint()) is not None:
        with checkpoint.as_directory() as folder:
            trainer.load(Path(folder))

    def report(epoch: Epoch) -> None:
        with tempfile.TemporaryDirectory() as folder:
            if trainer.rank == 0:
                trainer.save(Path(folder))
            history = [dataclasses.asdict(past) for past in trainer.history]
            ray.train.report(
                {"epoch": epoch.epoch, BEST: epoch.validation_loss, "history": history},
                checkpoint=Checkpoint.from_directory(folder) if trainer.rank == 0 else None,
            )

    trainer.run(report)


def make_trainer(config: dict[str, Any]) -> Trainer:
    """Make this worker's part of a distributed training."""
    context = ray.train.get_context()
    recipe: Recipe = config["recipe"]
    torch.set_num_threads(config["threads"])
    torch.manual_seed(recipe.seed)
    return Trainer(
        build(config["model"]),
        recipe,
        [open_rgb(image.uri) for image in config["images"]],
        [open_rgb(image.uri) for image in config["validation"]],
        device=get_device(),
        rank=context.get_world_rank(),
        world=context.get_world_size(),
        wrap=lambda module: prepare_model(module, move_to_device=False),
    )


class _Reporter(UserCallback):
    """Runs beside Ray Train's controller and sends every epoch to the driver."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Checkpoint | None) -> None:
        self.queue.put(metrics[0]["history"])


@contextlib.contextmanager
def _live(run: RunFolder, on_epoch: Callable[[Epoch], None]) -> Iterator[_Reporter]:
    """Write every epoch to Parquet, and hand it on, as it is reported.

    A report holds all epochs so far: one that an earlier driver did not live to write is written now.
    """
    written = set(run.epochs()["epoch"].to_pylist())
    queue = Queue(actor_options={"num_cpus": 0})
    over = threading.Event()

    def listen() -> None:
        while True:
            try:
                history = queue.get(timeout=0.5)
            except Empty:
                if over.is_set():
                    return
                continue
            for values in [past for past in history[:-1] if past["epoch"] not in written] + history[-1:]:
                run.append_epoch(values)
                written.add(values["epoch"])
            on_epoch(Epoch(**history[-1]))

    listener = threading.Thread(target=listen, name="epochs", daemon=True)
    listener.start()
    try:
        yield _Reporter(queue)
    finally:
        over.set()
        listener.join()
        queue.shutdown()


def _identity(model: str, recipe: Recipe, validation: int, images: list[ImageRef]) -> dict[str, Any]:
    """Describe all on which the trained weights depend, but the hardware."""
    return {
        "model": model,
        "recipe": dataclasses.asdict(recipe),
        "validation": validation,
        "images": [image.name for image in images],
    }


def _finished(run: RunFolder, identity: dict[str, Any]) -> Weights | None:
    """Return the weights of a training that is over; refuse one, over or not, that was another."""
    known = run.info().get("training")
    if known is not None and known != identity:
        changed = [key for key in identity if known.get(key) != identity[key]]
        if changed == ["recipe"]:
            changed = [key for key, value in identity["recipe"].items() if known["recipe"].get(key) != value]
        raise JobError(
            f"{run.path} holds a training with other settings ({', '.join(changed)}): "
            "choose another --output, or --fresh to begin anew"
        )
    run.update_info(training=identity)
    return read_weights(run.model) if (run.model / CONFIGURATION).is_file() else None


def _weights_of(checkpoint: Checkpoint, model: str, facts: dict[str, Any]) -> Weights:
    network = build(model)
    with checkpoint.as_directory() as folder:
        network.load_state_dict(network_tensors(Path(folder)))
    return Weights.of(model, network, facts)


def _storage(folder: Place) -> dict[str, Any]:
    """Say where Ray Train keeps checkpoints, as arguments of its `RunConfig`."""
    if isinstance(folder, RemotePath):
        return {"storage_path": folder.key, "storage_filesystem": folder.system}
    folder.mkdir(parents=True, exist_ok=True)
    return {"storage_path": str(folder.resolve())}


def _resources(workers: Workers) -> dict[str, float]:
    return {"CPU": workers.cpus, **({"GPU": 1} if workers.gpu else {})}


def _cause(error: BaseException) -> str:
    """Return the first line of what really went wrong, under Ray's wrappers."""
    failures = getattr(error, "worker_failures", None)
    if failures:
        error = next(iter(failures.values()))
    while isinstance(error, ray.exceptions.RayTaskError):
        error = error.cause
    return f"{type(error).__name__}: {error}".strip().splitlines()[-1]
