"""Trainings on real workers, from a section of a job to weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aebench.cluster import Cluster
from aebench.codecs.neural import NeuralCodec
from aebench.codecs.registry import codec
from aebench.errors import JobError
from aebench.images import ImageRef
from aebench.models.weights import read_weights
from aebench.results import RunFolder
from aebench.train import Workers, make_recipe, train
from aebench.training import Epoch
from tests.test_cli import ROOT, aebench
from tests.train.trainings import alone, section


@pytest.mark.slow
def test_training_leaves_weights_epochs_and_facts(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    run, seen = RunFolder(tmp_path / "run"), list[Epoch]()
    weights = train(section(epochs=3), 1, images, run, cluster, seen.append)
    assert [epoch.epoch for epoch in seen] == [1, 2, 3]
    table = run.epochs().to_pylist()
    assert [row["train_loss"] for row in table] == [epoch.train_loss for epoch in seen]
    assert read_weights(run.weights_of("paper")) == weights
    best = min(seen, key=lambda epoch: epoch.validation_loss)
    facts = json.loads((run.weights_of("paper") / "model.json").read_text())["training"]
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


@pytest.mark.slow
def test_a_training_starts_from_the_weights_of_another(
    tmp_path: Path, images: list[ImageRef], cluster: Cluster
) -> None:
    first = train(section(), 1, images, RunFolder(tmp_path / "paper"), cluster)
    start = str(tmp_path / "paper")
    options = section(model="paper-rate", start=start, epochs=1, steps=1, learning_rate=1e-9, batch=8, compile=False)
    run = RunFolder(tmp_path / "rate")
    second = train(options, 1, images, run, cluster)
    torch.testing.assert_close(
        second.state()["conv2d_3.weight"].float(), first.state()["conv2d_3.weight"], rtol=1e-3, atol=1e-4
    )
    assert json.loads((run.weights_of("paper-rate") / "model.json").read_text())["training"]["start"] == first.digest
    coder = codec("paper-rate")
    assert isinstance(coder, NeuralCodec)
    image = np.asarray(Image.open(images[0].uri))
    bound = coder.bind(second)
    assert bound.decode(bound.encode(image)).shape == image.shape, "its contexts are fitted"
    assert train(options, 1, images, run, cluster) == second
    with pytest.raises(JobError, match=r"other settings \(start\)"):
        train(options.model_copy(update={"start": None}), 1, images, run, cluster)


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
    assert "training paper: 1/6" not in said
    aebench(*command, "--output", tmp_path / "whole", cwd=tmp_path)
    whole = RunFolder(tmp_path / "whole")
    assert killed.epochs()["epoch"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert killed.epochs()["train_loss"] == whole.epochs()["train_loss"]
    assert read_weights(killed.weights_of("paper")).digest == read_weights(whole.weights_of("paper")).digest
