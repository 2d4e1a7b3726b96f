"""What the workers of a training have in common."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray.train
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from aebench.cluster import Cluster
from aebench.images import ImageRef
from aebench.train import make_trainer
from aebench.train.worker import GlooConfig
from aebench.training import Recipe
from tests.train.trainings import alone


def probe(config: dict[str, Any]) -> None:
    """Train a little on one of several workers, and write down what it saw and what it holds."""
    trainer = make_trainer(config)
    crops = trainer.crops.batch(0)
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
        "model": "paper", "start": None, "recipe": recipe, "images": images[:-1], "validation": images[-1:],
        "threads": 1, "folder": str(tmp_path),
    }  # fmt: skip
    TorchTrainer(
        probe,
        train_loop_config=config,
        torch_config=GlooConfig(),
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
