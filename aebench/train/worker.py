"""What runs on every worker of a training."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path
from typing import Any

import psutil
import ray
import ray.train
import torch
from ray.train import Checkpoint
from ray.train.backend import BackendConfig
from ray.train.torch import TorchConfig, get_device, prepare_model
from ray.train.torch.config import _TorchBackend

from aebench.crops import Files
from aebench.images import open_rgb
from aebench.models.weights import Weights, build
from aebench.training import Epoch, Recipe, Trainer

BEST = "validation_loss"
"""The checkpoint of the epoch where this is smallest becomes the model."""


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
    """Make this worker's part of a distributed training, at its start."""
    context = ray.train.get_context()
    recipe: Recipe = config["recipe"]
    torch.set_num_threads(config["threads"])
    torch.manual_seed(recipe.seed)
    start: Weights | None = config["start"]
    network = build(config["model"])
    return Trainer(
        network if start is None else start.start(network),
        recipe,
        Files(config["images"]),
        [open_rgb(image.uri) for image in config["validation"]],
        device=get_device(),
        rank=context.get_world_rank(),
        world=context.get_world_size(),
        wrap=lambda module: prepare_model(module, move_to_device=False),
    )


class GlooConfig(TorchConfig):
    """gloo on the network interfaces by whose addresses Ray knows the nodes.

    Left to itself, gloo takes the interface to which the host's name resolves. That is often loopback, and workers on
    different machines then wait for each other in vain.
    """

    def __init__(self) -> None:
        super().__init__(backend="gloo")

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        """The class whose `on_start` connects the workers."""
        return _GlooBackend


class _GlooBackend(_TorchBackend):
    def on_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        worker_group.execute(_choose_interface)
        super().on_start(worker_group, backend_config)  # type: ignore[arg-type]


def _choose_interface() -> None:
    """Name the interface that gloo is to use on this node, unless whoever started Ray here has done so."""
    address = ray.util.get_node_ip_address()
    for name, addresses in psutil.net_if_addrs().items():
        if any(known.address == address for known in addresses):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
