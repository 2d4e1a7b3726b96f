"""Convolutions whose result does not depend on the order of summation, the number of threads or the device.

Decoding needs the same entropy parameters as encoding, to the last bit. Outside of training activations are multiples
of 2⁻¹⁰ below 2¹², and the weights of an output channel are integers of 7 bits times one scale of 8, as all kernels are
(`aebench.models.kernels`): a product has at most 37 bits, and a sum of up to 2¹³ of them at most 50, which float64
holds exactly. The bias is added afterwards, with one rounding, and the result rounded to an activation. Training is in
ordinary floats: this rounding is too fine to be felt. `aebench.models.lapped.exact` does the same in float32, where
training has to know of it.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from aebench.models import kernels

ACTIVATION_BITS = 10
LARGEST_ACTIVATION = 4095.0
_MOST_TERMS = 2**13


def fix(x: Tensor) -> Tensor:
    """Round to an activation, in float64."""
    rounded: Tensor = (x.double() * 2**ACTIVATION_BITS).round().div(2**ACTIVATION_BITS)
    return rounded.clamp(-LARGEST_ACTIVATION, LARGEST_ACTIVATION)


class ExactConv2d(kernels.Conv2d):
    """A convolution that is exact in evaluation; see the module."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; in evaluation the result is in float64, rounded to an activation."""
        if self.training:
            return super().forward(x)
        weight = _exact(self)
        assert weight[0].numel() <= _MOST_TERMS
        return _biased(F.conv2d(fix(x), weight, None, self.stride, self.padding), self.bias)


class ExactConvTranspose2d(kernels.ConvTranspose2d):
    """A transposed convolution that is exact in evaluation; see the module."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve; in evaluation the result is in float64, rounded to an activation."""
        if self.training:
            return super().forward(x)
        weight = _exact(self)
        assert weight[:, 0].numel() <= _MOST_TERMS
        total = F.conv_transpose2d(fix(x), weight, None, self.stride, self.padding, self.output_padding)  # type: ignore[arg-type]
        return _biased(total, self.bias)


def down(inputs: int, outputs: int) -> ExactConv2d:
    """Convolve with 5×5 kernels at every second row and column."""
    return ExactConv2d(inputs, outputs, 5, stride=2, padding=2)


def up(inputs: int, outputs: int) -> ExactConvTranspose2d:
    """Transposed `down`."""
    return ExactConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def _exact(layer: kernels.Convolution) -> Tensor:
    assert kernels.has_eight_bits(layer)
    return kernels.rounded(layer).double()


def _biased(total: Tensor, bias: Tensor | None) -> Tensor:
    return fix(total if bias is None else total + bias.double()[:, None, None])
