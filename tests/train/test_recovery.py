"""Trainings whose workers die."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from ray.train import WorkerGroupError

from aebench.cluster import Cluster
from aebench.errors import ClusterError
from aebench.images import ImageRef
from aebench.models.weights import build, read_weights
from aebench.results import RunFolder
from aebench.train import Workers, recovery, train
from aebench.train.recovery import recover
from aebench.training import Epoch
from tests.train.trainings import section


def workers_of_ray() -> Iterator[psutil.Process]:
    """Find the processes that train."""
    for process in psutil.Process().children(recursive=True):
        if process.name().startswith("ray::") and "RayTrainWorker" in process.cmdline()[0]:
            yield process


@pytest.mark.slow
def test_a_training_whose_worker_is_killed_goes_on(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    run, said = RunFolder(tmp_path / "run"), list[str]()

    def kill_once(epoch: Epoch) -> None:
        if not killed:
            killed.extend(workers_of_ray())
            for worker in killed:
                worker.kill()

    killed: list[psutil.Process] = []
    weights = train(section(epochs=6, steps=20), 1, images, run, cluster, kill_once, said.append)
    assert len(killed) == 1
    assert [epoch["epoch"] for epoch in run.epochs().to_pylist()] == [1, 2, 3, 4, 5, 6]
    assert [sentence.split(":")[0] for sentence in said] == ["training", "training"]
    assert "interrupted after epoch" in said[0]
    assert "goes on after epoch" in said[1]
    assert not any("\n" in sentence for sentence in said)
    assert read_weights(run.weights_of("paper")) == weights
    weights.load_into(build("paper"))


class Faulty:
    """Fails as Ray Train does, so many times, each time after some new epochs."""

    def __init__(self, run: RunFolder, *epochs: int) -> None:
        self.run, self.epochs = run, list(epochs)

    def __call__(self, workers: Workers) -> str:
        if not self.epochs:
            return "trained"
        for _ in range(self.epochs.pop(0)):
            epoch = Epoch(len(self.run.epochs()) + 1, 1, 0.1, 0.1, 20.0, 1e-4, 1.0, 1.0, 1, 1)
            self.run.append_epoch({"network": section().model, **asdict(epoch)})
        raise WorkerGroupError("a worker died", {0: ValueError("no such luck")})


@pytest.mark.slow
def test_a_training_is_given_up_when_it_comes_no_further(tmp_path: Path, cluster: Cluster) -> None:
    one, said = Workers(1, 1, gpu=False), list[str]()
    run = RunFolder(tmp_path / "comes-further")
    assert recover(Faulty(run, 0, 0, 1, 0, 2), section(), run, one, said.append)[0] == "trained"
    assert said[-2:] == [
        "training: interrupted after epoch 3: ValueError: no such luck",
        f"training: goes on after epoch 3 with {Workers(1, cluster.cpus, gpu=False)}",
    ]
    run = RunFolder(tmp_path / "does-not")
    with pytest.raises(ClusterError, match=r"failed after epoch 1: ValueError: no such luck; running again"):
        recover(Faulty(run, 0, 1, 0, 0), section(), run, one, said.append)


@pytest.mark.slow
def test_a_training_waits_for_a_node(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "WAIT_SECONDS", 0.1)
    run, said = RunFolder(tmp_path / "run"), list[str]()
    with pytest.raises(ClusterError, match=r"no node with GPUs is left to train on, and none joined in 0\.1 s"):
        recover(Faulty(run, 1), section(), run, Workers(1, 1, gpu=True), said.append)
    assert said[-1] == "training: no node with GPUs is left; waits 0.1 s for one to join"
