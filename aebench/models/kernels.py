"""Convolutions whose kernels have eight bits, in training as in coding: what is trained is what is stored.

A weight is an integer in ±127 times a scale, one scale for each output channel: the largest magnitude of the channel
over 127, as bfloat16. Gradients pass the rounding straight through. With so few bits, an integer times a scale is exact
in float32, and rounding it again changes nothing. Kernels that touch the planes of an image, on either side, are small
and the most sensitive, and stay as they are.
"""

from __future__ import annotations

from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LARGEST = 127
_SMALLEST_SCALE = 2.0**-60
_PLANES = 3


class Conv2d(nn.Conv2d):
    """A convolution with a kernel of eight bits."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C, H, W)."""
        return F.conv2d(x, rounded(self), self.bias, self.stride, self.padding)


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution with a kernel of eight bits."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve (N, C, H, W)."""
        return F.conv_transpose2d(x, rounded(self), self.bias, self.stride, self.padding, self.output_padding)  # type: ignore[arg-type]


Convolution = Conv2d | ConvTranspose2d


def rounded(layer: Convolution) -> Tensor:
    """Return the kernel with which a layer convolves, with the gradient of its own."""
    if not has_eight_bits(layer):
        return layer.weight
    integers, scale = _divide(layer)
    # exactly the product: the difference of numbers so close is exact (Sterbenz)
    return layer.weight + (integers * scale - layer.weight).detach()


def has_eight_bits(layer: nn.Module) -> TypeGuard[Convolution]:
    """Tell a layer whose kernel is rounded."""
    return isinstance(layer, Convolution) and min(layer.in_channels, layer.out_channels) > _PLANES


def store(network: nn.Module) -> dict[str, Tensor]:
    """Return all kernels of eight bits, each as ``weight``, int8, and ``scale``, bfloat16, one an output channel."""
    state = {}
    for prefix, layer in network.named_modules():
        if has_eight_bits(layer):
            integers, scale = _divide(layer)
            state[f"{prefix}.weight"] = integers.to(torch.int8)
            state[f"{prefix}.scale"] = scale.flatten().to(torch.bfloat16)
    return state


def restore(network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return kernels as the network has them, float32, of a state that has what `store` returned."""
    kernels = {}
    for prefix, layer in network.named_modules():
        if has_eight_bits(layer):
            scale = state[f"{prefix}.scale"].float().view(_shape(layer))
            kernels[f"{prefix}.weight"] = state[f"{prefix}.weight"].float() * scale
    return kernels


@torch.no_grad()
def _divide(layer: Convolution) -> tuple[Tensor, Tensor]:
    """Return integers and scales, of shapes that multiply, in the precision of the kernel."""
    others = [axis for axis, size in enumerate(_shape(layer)) if size == 1]
    scale = layer.weight.abs().amax(others, keepdim=True) / _LARGEST
    scale = scale.clamp(min=_SMALLEST_SCALE).to(torch.bfloat16).to(layer.weight.dtype)
    return (layer.weight / scale).round().clamp(-_LARGEST, _LARGEST), scale


def _shape(layer: Convolution) -> tuple[int, int, int, int]:
    """Return the shape of the scales."""
    return (1, -1, 1, 1) if isinstance(layer, ConvTranspose2d) else (-1, 1, 1, 1)
