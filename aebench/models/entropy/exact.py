"""Convolutions whose result does not depend on the order of summation, the number of threads or the device.

Decoding needs the same entropy parameters as encoding, to the last bit. So, outside of training, weights are multiples
of 2⁻¹² below 8 and activations multiples of 2⁻¹⁰ below 2¹²: every product is a multiple of 2⁻²² below 2¹⁵, and a sum of
up to 2¹³ of them stays below 2⁵³ of its unit, which float64 holds exactly. Training is in ordinary floats: the rounding
is too fine to be felt. `aebench.models.lapped.exact` does the same in float32, where training has to know of it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WEIGHT_BITS, ACTIVATION_BITS = 12, 10
LARGEST_ACTIVATION = 4095.0

_LARGEST_WEIGHT = 2**15 - 1
_LARGEST_BIAS = 2**30
_MOST_TERMS = 2**13


def fix(x: Tensor) -> Tensor:
    """Round to an activation, in float64."""
    rounded: Tensor = (x.double() * 2**ACTIVATION_BITS).round().div(2**ACTIVATION_BITS)
    return rounded.clamp(-LARGEST_ACTIVATION, LARGEST_ACTIVATION)


class ExactConv2d(nn.Conv2d):
    """A convolution that is exact in evaluation; see the module."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; in evaluation the result is in float64, rounded to an activation."""
        if self.training:
            return super().forward(x)
        weight, bias = from_integers(to_integers(self))
        return fix(F.conv2d(fix(x), weight, bias, self.stride, self.padding))


class ExactConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that is exact in evaluation; see the module."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve; in evaluation the result is in float64, rounded to an activation."""
        if self.training:
            return super().forward(x)
        weight, bias = from_integers(to_integers(self))
        return fix(F.conv_transpose2d(fix(x), weight, bias, self.stride, self.padding, self.output_padding))  # type: ignore[arg-type]


Exact = ExactConv2d | ExactConvTranspose2d


def to_integers(layer: Exact) -> tuple[Tensor, Tensor | None]:
    """Return the weight as int16 in 2⁻¹² and the bias as int32 in 2⁻²²: what counts, and what is stored."""
    weight = (layer.weight.detach().double() * 2**WEIGHT_BITS).round().clamp(-_LARGEST_WEIGHT, _LARGEST_WEIGHT)
    terms = layer.weight[0].numel() if isinstance(layer, nn.Conv2d) else layer.weight[:, 0].numel()
    assert terms <= _MOST_TERMS
    if layer.bias is None:
        return weight.to(torch.int16), None
    bias = (layer.bias.detach().double() * 2 ** (WEIGHT_BITS + ACTIVATION_BITS)).round()
    return weight.to(torch.int16), bias.clamp(-_LARGEST_BIAS, _LARGEST_BIAS).to(torch.int32)


def from_integers(integers: tuple[Tensor, Tensor | None]) -> tuple[Tensor, Tensor | None]:
    """Invert `to_integers`, in float64."""
    weight, bias = integers
    return weight.double() / 2**WEIGHT_BITS, None if bias is None else bias.double() / 2 ** (
        WEIGHT_BITS + ACTIVATION_BITS
    )


def down(inputs: int, outputs: int) -> ExactConv2d:
    """Convolve with 5×5 kernels at every second row and column."""
    return ExactConv2d(inputs, outputs, 5, stride=2, padding=2)


def up(inputs: int, outputs: int) -> ExactConvTranspose2d:
    """Transposed `down`."""
    return ExactConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)
