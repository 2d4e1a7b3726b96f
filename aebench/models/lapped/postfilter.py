"""From integers to coefficients: what quantisation took, as far as a network can tell from all that was decoded.

Each coefficient is step · (q + a + clamp(q, ±1) · b), where a and b come from a small convolutional network over the
grid: the identity before training. It works in floating point, after everything is decoded. It sees the integers alone,
and not the state of the context model, so that either of the two can be trained further without the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.models.kernels import Conv2d
from aebench.models.lapped.context import MEANS
from aebench.models.lapped.transform import CHANNELS

WIDTH, RESIDUAL_BLOCKS = 112, 6


class PostFilter(nn.Module):
    """A 1×1 layer, residual 3×3 layers, a 1×1 layer."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = Conv2d(CHANNELS + 2 * MEANS + 1, WIDTH, 1)
        self.blocks = nn.ModuleList(_block() for _ in range(RESIDUAL_BLOCKS))
        self.leave = Conv2d(WIDTH, 2 * CHANNELS, 1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, q: Tensor, slopes: Tensor, level: Tensor) -> Tensor:
        """Return coefficients in units of the step.

        Parameters
        ----------
        q : Tensor, shape (N, 192, h, w)
            Integers.
        slopes : Tensor, shape (N, 6, h, w)
            Differences of means, as the context model sees them.
        level : Tensor, shape (N, 1, 1, 1)
            Grows with the logarithm of the step.
        """
        plane = level.expand(-1, 1, *q.shape[-2:])
        x = self.enter(torch.cat([torch.asinh(q), slopes, plane], 1))
        for block in self.blocks:
            x = x + block(F.relu(x))
        shift, stretch = self.leave(F.relu(x)).chunk(2, 1)
        y: Tensor = q + shift + q.clamp(-1, 1) * stretch
        return y


def _block() -> Conv2d:
    """Make a layer that adds little to what passes it: half the deviation of He et al. (2015)."""
    layer = Conv2d(WIDTH, WIDTH, 3, padding=1)
    nn.init.normal_(layer.weight, std=0.5 * (2 / (9 * WIDTH)) ** 0.5)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
