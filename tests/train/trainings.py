"""Small trainings that several tests share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from aebench.images import ImageRef
from aebench.job import TrainSection
from aebench.models.weights import build
from aebench.training import Epoch, Recipe, Trainer


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
