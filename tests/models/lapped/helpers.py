"""A network with weights that are the same on every machine, and images to put through it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from aebench.codecs.base import Rgb
from aebench.models.lapped import Lapped


def seeded_network(seed: int = 7) -> Lapped:
    """Make a network whose exact weights are random integers, and whose post-filter does nothing.

    numpy's generator promises the same stream everywhere.
    """
    network = Lapped()
    random = np.random.default_rng(seed)
    state = network.stored_state()
    for name, value in state.items():
        if name.startswith("context."):
            largest = 30 if value.ndim == 1 else 6 if ".leave." in name else int(min(120, 400 / value.shape[1] ** 0.5))
            state[name] = torch.from_numpy(random.integers(-largest, largest + 1, value.shape)).to(value.dtype)
        elif name.startswith("postfilter."):
            state[name] = torch.zeros_like(value)
    network.load_stored_state(state)
    return network.eval()


def picture(height: int, width: int, seed: int = 3) -> Rgb:
    """Edges, slopes and noise in uint8 RGB, from integers alone."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    planes = [rows * 3 + columns * 2, (rows // 9 * 40 + columns // 7 * 25) % 256, 255 - columns * 4 % 256]
    noise = random.integers(-12, 13, (height, width, 3))
    return np.clip(np.stack(planes, -1) % 256 + noise, 0, 255).astype(np.uint8)


def as_tensor(rgb: Rgb) -> Tensor:
    """Map to RGB in [0, 1], shape (1, 3, H, W)."""
    return torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255


def check_draws(network: nn.Module, rgb: Tensor) -> None:
    """What a loss draws in training comes from torch's generator; in evaluation it draws nothing."""
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(float(network.loss(rgb).detach()))
    assert losses[0] == losses[1] != losses[2]
    network.eval()
    assert float(network.loss(rgb).detach()) == float(network.loss(rgb).detach())
