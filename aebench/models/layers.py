"""Layers that several networks share."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.models import kernels
from aebench.models.entropy.bounds import lower_bound

_PEDESTAL = 2.0**-18
_SMALLEST_BETA = 1e-6


class Gdn(nn.Module):
    """Generalised divisive normalisation, y_i = x_i / √(β_i + Σ_j γ_ij x_j²), or its inverse, which multiplies.

    Source: Ballé, Laparra, Simoncelli, *Density modeling of images using a generalized normalization transformation*
    (2016). The parameters are squares, which keeps them positive (*End-to-end optimized image compression*, 2017).

    Parameters
    ----------
    channels : int
    inverse : bool
    """

    def __init__(self, channels: int, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.full((channels,), 1 + _PEDESTAL).sqrt())
        self.gamma = nn.Parameter((0.1 * torch.eye(channels) + _PEDESTAL).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        beta = lower_bound(self.beta, (_SMALLEST_BETA + _PEDESTAL) ** 0.5).square() - _PEDESTAL
        gamma = lower_bound(self.gamma, _PEDESTAL**0.5).square() - _PEDESTAL
        norm = F.conv2d(x.square(), gamma[..., None, None], beta)
        return x * (norm.sqrt() if self.inverse else norm.rsqrt())


def down(inputs: int, outputs: int) -> kernels.Conv2d:
    """Convolve with 5×5 kernels at every second row and column."""
    return kernels.Conv2d(inputs, outputs, 5, stride=2, padding=2)


def up(inputs: int, outputs: int) -> kernels.ConvTranspose2d:
    """Transposed `down`: twice the rows and columns."""
    return kernels.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def preserve_variance(network: nn.Module) -> None:
    """Start all convolutions with weights that keep the variance of white inputs, and without bias."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            terms = layer.in_channels * math.prod(layer.kernel_size)
            if isinstance(layer, nn.ConvTranspose2d):
                terms //= math.prod(layer.stride)
            nn.init.normal_(layer.weight, std=terms**-0.5)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


def pad(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides are multiples; cropping undoes it."""
    height, width = x.shape[-2:]
    return F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")
