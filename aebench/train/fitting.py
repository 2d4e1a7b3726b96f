"""A training from its section of a job to the weights in the run's folder."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, Result, RunConfig, ScalingConfig, UserCallback
from ray.train.torch import TorchConfig, TorchTrainer

from aebench.cluster import Cluster
from aebench.errors import ClusterError, JobError
from aebench.images import ImageRef, open_rgb
from aebench.job import TrainSection
from aebench.models.weights import CONFIGURATION, Weights, build, read_weights
from aebench.results import RunFolder
from aebench.storage import Place, RemotePath
from aebench.train.live import live
from aebench.train.planning import Workers, make_recipe, plan_workers
from aebench.train.recovery import recover
from aebench.train.worker import BEST, GlooConfig, train_worker
from aebench.training import Epoch, Recipe, network_tensors


def train(
    section: TrainSection,
    seed: int,
    images: list[ImageRef],
    run: RunFolder,
    cluster: Cluster,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Weights:
    """Train a network and leave its best epoch in ``RUN/model/NETWORK``, its curve in ``RUN/epochs``.

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
    say : callable
        Called with a sentence when the training is interrupted, and when it goes on.

    Raises
    ------
    JobError
        If the run holds a training of the same network with other settings.
    ClusterError
        If the training failed.
    """
    workers = plan_workers(section, cluster)
    recipe = make_recipe(section, seed, workers)
    start = None if section.start is None else read_weights(section.start, section.model)
    identity = _identity(section.model, start, recipe, section.validation, images)
    if (finished := _finished(run, identity)) is not None:
        return finished
    training = images[: -section.validation]
    config = {
        "model": section.model,
        "start": start,
        "recipe": recipe,
        "images": training,
        "validation": images[-section.validation :],
    }
    started = time.perf_counter()
    with live(run, section.model, on_epoch) as callback:
        result, workers = recover(lambda workers: _fit(config, workers, run, callback), section, run, workers, say)
    if not result.best_checkpoints:
        raise ClusterError("the training ended without a checkpoint")
    best, metrics = min(result.best_checkpoints, key=lambda pair: pair[1][BEST])
    weights = _weights_of(
        best,
        section.model,
        training,
        {
            **identity,
            "best_epoch": metrics["epoch"],
            BEST: metrics[BEST],
            "seconds": time.perf_counter() - started,
            "workers": dataclasses.asdict(workers),
            "torch": torch.__version__,
        },
    )
    weights.save(run.weights_of(section.model))
    return weights


def _fit(config: dict[str, Any], workers: Workers, run: RunFolder, callback: UserCallback) -> Result:
    """Train from the last checkpoint, or from the start, to the end; `TrainingFailedError` where a worker is lost."""
    trainer = TorchTrainer(
        train_worker,
        train_loop_config={**config, "threads": workers.cpus},
        torch_config=TorchConfig(backend="nccl") if workers.gpu else GlooConfig(),
        scaling_config=ScalingConfig(
            num_workers=workers.number, use_gpu=workers.gpu, resources_per_worker=_resources(workers)
        ),
        run_config=RunConfig(
            name="checkpoints",
            **_storage(run.training_of(config["model"])),
            callbacks=[callback],  # type: ignore[list-item]  # a UserCallback is what it takes
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0),  # type: ignore[call-arg]
            checkpoint_config=CheckpointConfig(
                num_to_keep=1, checkpoint_score_attribute=BEST, checkpoint_score_order="min"
            ),
        ),
    )
    return trainer.fit()


def _identity(
    model: str, start: Weights | None, recipe: Recipe, validation: int, images: list[ImageRef]
) -> dict[str, Any]:
    """Describe all on which the trained weights depend, but the hardware."""
    return {
        "model": model,
        "start": None if start is None else start.digest,
        "recipe": dataclasses.asdict(recipe),
        "validation": validation,
        "images": [image.name for image in images],
    }


def _finished(run: RunFolder, identity: dict[str, Any]) -> Weights | None:
    """Return the weights of a training that is over; refuse one, over or not, that was another."""
    trainings, network = run.info().get("training", {}), identity["model"]
    known = trainings.get(network)
    changed = [key for key in identity if known is not None and known.get(key) != identity[key]]
    if known is not None and changed:
        if changed == ["recipe"]:
            changed = [key for key, value in identity["recipe"].items() if known["recipe"].get(key) != value]
        raise JobError(
            f"{run.path} holds a training of {network} with other settings ({', '.join(changed)}): "
            "choose another --output, or --fresh to begin anew"
        )
    run.update_info(training={**trainings, network: identity})
    folder = run.weights_of(network)
    return read_weights(folder) if (folder / CONFIGURATION).is_file() else None


def _weights_of(checkpoint: Checkpoint, model: str, images: list[ImageRef], facts: dict[str, Any]) -> Weights:
    """Take the weights of a checkpoint, and let the network see the training images again if it wants to."""
    network = build(model).eval()
    with checkpoint.as_directory() as folder:
        network.load_state_dict(network_tensors(Path(folder)))
    finish = getattr(network, "after_training", None)
    if finish is not None:
        finish(open_rgb(image.uri) for image in images)
    return Weights.of(model, network, facts)


def _storage(folder: Place) -> dict[str, Any]:
    """Say where Ray Train keeps checkpoints, as arguments of its `RunConfig`."""
    if isinstance(folder, RemotePath):
        return {"storage_path": folder.key, "storage_filesystem": folder.system}
    folder.mkdir(parents=True, exist_ok=True)
    return {"storage_path": str(folder.resolve())}


def _resources(workers: Workers) -> dict[str, float]:
    return {"CPU": workers.cpus, **({"GPU": 1} if workers.gpu else {})}
