"""Ray Train on real workers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray.train
import torch
from PIL import Image
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from aebench.cluster import Cluster, Node
from aebench.codecs.neural import NeuralCodec
from aebench.codecs.registry import codec
from aebench.errors import ClusterError, JobError
from aebench.images import ImageRef
from aebench.job import TrainSection
from aebench.models.weights import build, read_weights
from aebench.results import RunFolder
from aebench.train import Workers, make_recipe, make_trainer, plan_workers, train
from aebench.training import Epoch, Recipe, Trainer, cut_crops
from tests.test_cli import ROOT, aebench


@pytest.fixture
def images(tmp_path: Path) -> list[ImageRef]:
    random = np.random.default_rng(7)
    found = []
    for index in range(4):
        rgb = random.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        path = tmp_path / f"{index}.png"
        Image.fromarray(rgb).save(path)
        found.append(ImageRef(path.name, str(path)))
    return found


def section(**values: Any) -> TrainSection:
    return TrainSection(
        **{"images": "-", "validation": 1, "crop": 16, "batch": 4, "epochs": 2, "steps": 2, "workers": 1, **values}
    )


def alone(recipe: Recipe, images: list[ImageRef]) -> dict[str, torch.Tensor]:
    """Train without Ray, in this process, on the same images."""
    pixels = [np.asarray(Image.open(image.uri)) for image in images]
    torch.manual_seed(recipe.seed)
    trainer = Trainer(build("paper"), recipe, pixels[:-1], pixels[-1:])
    epochs: list[Epoch] = []
    trainer.run(epochs.append)
    return dict(trainer.network.state_dict())


@pytest.mark.slow
def test_training_leaves_weights_epochs_and_facts(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    run, seen = RunFolder(tmp_path / "run"), list[Epoch]()
    weights = train(section(epochs=3), 1, images, run, cluster, seen.append)
    assert [epoch.epoch for epoch in seen] == [1, 2, 3]
    table = run.epochs().to_pylist()
    assert [row["train_loss"] for row in table] == [epoch.train_loss for epoch in seen]
    assert read_weights(run.model) == weights
    best = min(seen, key=lambda epoch: epoch.validation_loss)
    facts = json.loads((run.model / "model.json").read_text())["training"]
    assert (facts["best_epoch"], facts["validation_loss"]) == (best.epoch, best.validation_loss)
    assert facts["images"] == [image.name for image in images]

    again = list[Epoch]()
    assert train(section(epochs=3), 1, images, run, cluster, again.append) == weights
    assert again == []  # a finished training is not repeated
    with pytest.raises(JobError, match=r"other settings \(epochs\)"):
        train(section(epochs=4), 1, images, run, cluster)


@pytest.mark.slow
def test_one_worker_repeats_to_the_bit_and_is_the_loop_without_ray(
    tmp_path: Path, images: list[ImageRef], cluster: Cluster
) -> None:
    first = train(section(epochs=1), 5, images, RunFolder(tmp_path / "a"), cluster)
    second = train(section(epochs=1), 5, images, RunFolder(tmp_path / "b"), cluster)
    assert first.digest == second.digest
    recipe = make_recipe(section(epochs=1), 5, Workers(1, cluster.cpus, gpu=False))
    for name, tensor in alone(recipe, images).items():
        torch.testing.assert_close(first.state()[name], tensor, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_killed_training_goes_on_and_ends_as_an_undisturbed_one(tmp_path: Path, images: list[ImageRef]) -> None:
    options = ["epochs=6", "steps=2", "batch=4", "crop=16", "workers=1", "validation=1"]
    command = [
        "train",
        "--images",
        str(tmp_path / "*.png"),
        *(part for o in options for part in ("--set", f"train.{o}")),
    ]
    killed = RunFolder(tmp_path / "killed")
    environment = {**os.environ, "RAY_ADDRESS": "local", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "aebench", *command, "--output", str(killed.path)],
        cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while len(killed.epochs()) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    said = aebench(*command, "--output", killed.path, cwd=tmp_path)
    assert "training: 1/6" not in said
    aebench(*command, "--output", tmp_path / "whole", cwd=tmp_path)
    whole = RunFolder(tmp_path / "whole")
    assert killed.epochs()["epoch"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert killed.epochs()["train_loss"] == whole.epochs()["train_loss"]
    assert read_weights(killed.model).digest == read_weights(whole.model).digest


@pytest.mark.slow
def test_a_network_that_codes_bits_trains_on_two(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    if cluster.cpus < 2:
        pytest.skip("two workers need two CPUs")
    run, seen = RunFolder(tmp_path / "run"), list[Epoch]()
    options = section(model="lapped", crop=48, batch=2, epochs=2, steps=1, workers=2, ema=0.9)
    weights = train(options, 1, images, run, cluster, seen.append)
    for row, epoch in zip(run.epochs().to_pylist(), seen, strict=True):
        assert row["estimated_bpp"] == epoch.estimated_bpp is not None
        assert row["real_bpp"] == epoch.real_bpp > 0
    coder = codec("lapped[step=30]")
    assert isinstance(coder, NeuralCodec)
    image = np.asarray(Image.open(images[0].uri))
    bound = coder.bind(weights)
    assert bound.decode(bound.encode(image)).shape == image.shape
    assert bound.version() != coder.version()


def probe(config: dict[str, Any]) -> None:
    """Train a little on one of several workers, and write down what it saw and what it holds."""
    trainer = make_trainer(config)
    crops = cut_crops(trainer.images, trainer.recipe, 0, trainer.rank, trainer.world)
    epoch = trainer.epoch()
    facts = {
        "crops": hashlib.sha256(crops.numpy().tobytes()).hexdigest(),
        "weights": {name: tensor.tolist() for name, tensor in trainer.network.state_dict().items() if "bias" in name},
        "epoch": asdict(epoch),
    }
    (Path(config["folder"]) / f"{trainer.rank}.json").write_text(json.dumps(facts))
    ray.train.report({})


@pytest.mark.slow
def test_two_workers_use_the_data_of_both_and_agree(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    if cluster.cpus < 2:
        pytest.skip("two workers need two CPUs")
    recipe = Recipe(seed=3, crop=16, batch=4, epochs=1, steps=3)
    config = {
        "model": "paper", "recipe": recipe, "images": images[:-1], "validation": images[-1:], "threads": 1,
        "folder": str(tmp_path),
    }  # fmt: skip
    TorchTrainer(
        probe,
        train_loop_config=config,
        torch_config=TorchConfig(backend="gloo"),
        scaling_config=ScalingConfig(num_workers=2, resources_per_worker={"CPU": 1}),
        run_config=RunConfig(name="two", storage_path=str(tmp_path / "storage")),
    ).fit()
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert ranks[0]["crops"] != ranks[1]["crops"]
    assert ranks[0]["weights"] == ranks[1]["weights"]
    for key in ("train_loss", "validation_loss", "validation_psnr", "workers"):
        assert ranks[0]["epoch"][key] == ranks[1]["epoch"][key]

    # the same global batches in one process give the same weights; half of each batch does not
    whole = alone(recipe, images)
    for name, values in ranks[0]["weights"].items():
        np.testing.assert_allclose(values, whole[name], rtol=0, atol=2e-6)
    half = alone(Recipe(**{**asdict(recipe), "batch": 2}), images)
    apart = [np.abs(values - half[name].numpy()).max() for name, values in ranks[0]["weights"].items()]
    assert max(apart) > 2e-5


def test_workers_are_planned_from_the_cluster_and_the_batch() -> None:
    cpus = Cluster((Node(6),))
    gpus = Cluster((Node(16, 2), Node(16, 2)))
    assert plan_workers(section(batch=8, workers="auto"), cpus) == Workers(4, 1, gpu=False)
    assert plan_workers(section(batch=9, workers="auto"), cpus) == Workers(3, 2, gpu=False)
    assert plan_workers(section(batch=8, workers="auto"), gpus) == Workers(4, 8, gpu=True)
    assert plan_workers(section(batch=8, workers=2), cpus) == Workers(2, 3, gpu=False)
    with pytest.raises(JobError, match="5 workers wanted, the cluster has 2 nodes, 32 CPUs, 4 GPUs"):
        plan_workers(section(batch=10, workers=5), gpus)


def test_workers_fit_on_the_nodes() -> None:
    auto = section(batch=8, workers="auto")
    apart = Cluster((Node(0), Node(32), Node(1, 1), Node(1, 1)))  # a head, codecs' CPUs, GPUs
    assert plan_workers(auto, apart) == Workers(2, 1, gpu=True)
    assert plan_workers(auto, Cluster((Node(0), Node(8, 2), Node(4, 2)))) == Workers(4, 2, gpu=True)
    small = Cluster((Node(2), Node(2), Node(2)))
    assert plan_workers(section(batch=2, workers="auto"), small) == Workers(2, 2, gpu=False)
    assert plan_workers(section(batch=4, workers="auto"), small) == Workers(4, 1, gpu=False)
    with pytest.raises(ClusterError, match="1 node, 0 CPUs, no GPU: nothing to train on"):
        plan_workers(auto, Cluster((Node(0),)))


def test_hardware_decides_what_the_job_leaves_open() -> None:
    gpu = make_recipe(section(workers="auto"), 1, Workers(1, 4, gpu=True))
    cpu = make_recipe(section(workers="auto"), 1, Workers(1, 4, gpu=False))
    assert (gpu.precision, gpu.compile, cpu.precision, cpu.compile) == ("bfloat16", True, "float32", False)
    named = make_recipe(section(precision="float32", compile=False), 1, Workers(1, 4, gpu=True))
    assert (named.precision, named.compile) == ("float32", False)
