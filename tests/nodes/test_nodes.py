"""Nodes that die and nodes that join while a run goes on.

Everything runs twice: on nodes that `ray.cluster_utils` starts, and, where the machine allows it, on nodes in network
namespaces, where loopback is another on each, as on real machines.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aebench.codecs import Rgb, codecs
from aebench.evaluate.plan import group
from aebench.images import ImageRef
from aebench.measure import Request, Row, measure
from aebench.models.weights import build, read_weights
from aebench.results import RunFolder
from aebench.training import Epoch, Recipe, Trainer
from tests.nodes.codecs import NODE, NOTES, encodings
from tests.nodes.machines import LocalNodes, NamespacedNodes, Nodes, folder_for_ray

pytestmark = pytest.mark.alone

KEYS = ("image", "image_digest", "setting", "codec_version")
MEASURED = ("bytes", "bpp", "mse", "psnr_rgb", "psnr_y", "psnr_yuv")

PATIENCE = {
    "health_check_period": 1_000,
    "health_check_timeout": 2_000,
    "grpc_client_keepalive_time": 10_000,
    "grpc_client_keepalive_timeout": 5_000,
}
"""For how long Ray believes that a node lives which does not answer: by default a minute, and in some matters seven."""


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which nodes leave their notes."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("notes")
        patch.setenv(NOTES, str(folder))
        patch.setenv(NODE, "head")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        for name, milliseconds in PATIENCE.items():
            patch.setenv(f"RAY_{name}_ms", str(milliseconds))
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
        yield folder


@pytest.fixture(scope="module", params=["one-address", pytest.param("namespaces", marks=pytest.mark.namespaces)])
def nodes(request: pytest.FixtureRequest, notes: Path) -> Iterator[Nodes]:
    with folder_for_ray():
        if request.param == "one-address":
            found: LocalNodes | NamespacedNodes = LocalNodes()
        else:
            try:
                found = NamespacedNodes()
            except (OSError, subprocess.CalledProcessError) as error:
                pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', None) or error}")
        try:
            yield found
        finally:
            found.close()


@pytest.fixture
def images(tmp_path: Path, photograph: Rgb) -> list[ImageRef]:
    found = []
    for index in range(24):
        path = tmp_path / f"{index:02}.png"
        Image.fromarray(photograph[16 * index :, 16 * index :][:48, :64]).save(path)
        found.append(ImageRef(path.name, str(path)))
    return found


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something that a running command does."""
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a command to end well; return what it printed, which nobody needs to know Ray to read."""
    printed, _ = process.communicate(timeout=400)
    print(printed)
    assert process.returncode == 0
    for foreign in ("Traceback", "(raylet)", "Rpc", "Actor"):
        assert foreign not in printed
    return printed


@pytest.mark.slow
def test_an_evaluation_loses_a_node_and_gains_another(
    tmp_path: Path, nodes: Nodes, notes: Path, images: list[ImageRef], paper_weights: Path
) -> None:
    for note in notes.iterdir():
        note.unlink()
    run = RunFolder(tmp_path / "run")
    settings = f"tests.nodes.codecs:Slow,tests.nodes.codecs:SlowPaper[bits=32,weights={paper_weights}]"
    nodes.join("first", "second", cpus=2, gpus=1)

    def busy() -> list[str]:
        """Name the nodes that have begun with both codecs."""
        names = ("first", "second")
        return [name for name in names if encodings(notes, name, "slow ") and encodings(notes, name, "slow-paper ")]

    process = nodes.aebench("evaluate", "--images", tmp_path / "*.png", "--codecs", settings, "--output", run.path)
    wait_until(lambda: bool(busy()), process)
    dead = busy()[0]  # and its GPU, with images that wait for the network there, for good
    nodes.kill(dead)
    before = encodings(notes, dead)
    assert len(run.rows()) < 4 * len(images)
    nodes.join("late", cpus=1)
    printed = finish(process)
    assert re.search(r"^Ray: the node \S+ is lost; left are ", printed, re.M)
    assert re.search(r"^Ray: the node \S+ has joined; now there are ", printed, re.M)
    nodes.kill("second" if dead == "first" else "first")
    nodes.kill("late")
    assert encodings(notes, dead) == before
    assert encodings(notes, "late") > 0

    families = group(codecs(settings))
    expected: list[Row] = [row for family in families for row in measure(images, family, Request())]
    by_key = {tuple(row[key] for key in KEYS): row for row in expected}
    rows = run.rows().to_pylist()
    assert sorted(tuple(row[key] for key in KEYS) for row in rows) == sorted(by_key)
    for row in rows:
        assert row["error"] is None
        same = by_key[tuple(row[key] for key in KEYS)]
        for name in MEASURED:
            # a network computes a batch and one image alike but for rounding
            known = pytest.approx(same[name], rel=1e-3) if row["codec"] == "slow-paper" else same[name]
            assert row[name] == known, (name, row)


def undisturbed(recipe: Recipe, images: list[ImageRef]) -> list[Epoch]:
    """Train in this process, as one worker."""
    pixels = [np.asarray(Image.open(image.uri)) for image in images]
    torch.manual_seed(recipe.seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer, epochs = Trainer(build("paper"), recipe, pixels[:-1], pixels[-1:]), list[Epoch]()
    trainer.run(epochs.append)
    torch.set_num_threads(threads)
    return epochs


@pytest.mark.slow
def test_a_training_goes_on_with_the_node_that_is_left(tmp_path: Path, nodes: Nodes, images: list[ImageRef]) -> None:
    run = RunFolder(tmp_path / "run")
    recipe = Recipe(crop=16, batch=4, epochs=8, steps=10, learning_rate=2e-4)  # small: rounding must not grow
    names = ("crop", "batch", "epochs", "steps", "learning_rate")
    options = [f"--set=train.{name}={getattr(recipe, name)}" for name in names]
    nodes.join("stays", "dies", cpus=1)
    process = nodes.aebench(
        "train", "--images", tmp_path / "*.png", "--set=train.validation=1", *options, "--output", run.path
    )
    wait_until(lambda: len(run.epochs()) >= 2, process)
    nodes.kill("dies")
    printed = finish(process)
    assert re.search(r"^Ray: the node \S+ is lost; left are 2 nodes, 1 CPU, no GPU$", printed, re.M)
    said = re.findall(r"^training: (interrupted|goes on) after epoch (\d+)(: | with 1 worker of 1 CPU)", printed, re.M)
    assert [sentence[0] for sentence in said] == ["interrupted", "goes on"]
    assert int(said[0][1]) == int(said[1][1]) >= 2
    nodes.kill("stays")

    epochs = run.epochs().to_pylist()
    assert [epoch["epoch"] for epoch in epochs] == list(range(1, 9))
    workers = [epoch["workers"] for epoch in epochs]
    assert workers == sorted(workers, reverse=True)
    assert set(workers) == {1, 2}
    # the loss is what it would have been on one worker all along
    whole = undisturbed(recipe, images)
    np.testing.assert_allclose(
        [epoch["train_loss"] for epoch in epochs], [epoch.train_loss for epoch in whole], rtol=1e-3
    )
    facts = json.loads((run.weights_of("paper") / "model.json").read_text())["training"]
    best = min(epochs, key=lambda epoch: epoch["validation_loss"])
    assert (facts["best_epoch"], facts["validation_loss"]) == (best["epoch"], best["validation_loss"])
    read_weights(run.weights_of("paper")).load_into(build("paper"))
