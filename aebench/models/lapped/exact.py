"""Arithmetic whose result does not depend on the order of summation, the number of threads or the device.

All numbers are multiples of a power of two, small enough that every sum of products stays below 2²⁴ of its unit:
float32 holds each partial sum exactly, so that there is nothing to round and no order to depend on. Training sees the
same numbers, with gradients passed straight through the rounding (Bengio, Léonard, Courville 2013).
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.errors import WeightsError

WEIGHT_BITS = 7
"""Weights are multiples of 2⁻⁷ in (−1, 1): they are stored as int8."""

FEATURE_BITS = 4
"""Features of quantised coefficients are multiples of 1/16, below 8 in magnitude."""

HIDDEN_BITS = 6
"""Hidden values are multiples of 1/64, below 16 in magnitude."""

_LARGEST_WEIGHT = (2**WEIGHT_BITS - 1) / 2**WEIGHT_BITS
_LARGEST_BIAS = 8.0
_EXACT = 2**24


class _Round(torch.autograd.Function):
    """Round to a multiple of 1/scale in [low, high]; for the gradient see `fix`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, low: float, high: float, outside: str) -> Tensor:
        rounded = (x * scale).round_().mul_(1 / scale)
        ctx.low, ctx.high, ctx.outside = low, high, outside
        if outside != "straight":
            ctx.save_for_backward(rounded)
        return rounded.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        if ctx.outside != "straight":
            (rounded,) = ctx.saved_tensors
            blocked = torch.ops.aten.hardtanh_backward(gradient, rounded, ctx.low, ctx.high)
            if ctx.outside == "back":
                inwards = (rounded - (ctx.low + ctx.high) / 2) * gradient > 0
                blocked = torch.where(inwards, gradient, blocked)
            gradient = blocked
        return gradient, None, None, None, None


def fix(x: Tensor, bits: int, low: float, high: float, outside: Literal["none", "straight", "back"] = "none") -> Tensor:
    """Round to a multiple of 2^−bits in [low, high].

    The gradient is 1 inside; outside it is 0, with ``straight`` 1, and with ``back`` 1 where descent leads back inside.
    """
    result: Tensor = _Round.apply(x, float(2**bits), low, high, outside)  # type: ignore[no-untyped-call]
    return result


def hidden(x: Tensor, low: float = 0.0) -> Tensor:
    """Rectify and round to a hidden value; with a negative `low`, clamp without rectifying."""
    return fix(x, HIDDEN_BITS, low, 16 - 2**-HIDDEN_BITS)


def to_integers(weights: Tensor) -> Tensor:
    """Return the weights or the biases of an `ExactLinear` as the integers that they count as, in 2⁻⁷."""
    if weights.ndim == 1:
        return fix(weights, WEIGHT_BITS, -_LARGEST_BIAS, _LARGEST_BIAS).mul(2**WEIGHT_BITS).to(torch.int16)
    return fix(weights, WEIGHT_BITS, -_LARGEST_WEIGHT, _LARGEST_WEIGHT).mul(2**WEIGHT_BITS).to(torch.int8)


def from_integers(weights: Tensor) -> Tensor:
    """Invert `to_integers`."""
    return weights.float().div(2**WEIGHT_BITS)


class ExactLinear(nn.Module):
    """A matrix of weights that are multiples of 2⁻⁷, and a bias.

    Parameters
    ----------
    inputs, outputs : int
    bits : int
        Inputs are multiples of 2^−bits …
    largest : float
        … and at most this large.
    bias : bool
    zero : bool
        Start with weights near 0.
    """

    def __init__(
        self, inputs: int, outputs: int, bits: int, largest: float, *, bias: bool = True, zero: bool = False
    ) -> None:
        super().__init__()
        self.bits, self.largest = bits, largest
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * (0.02 if zero else 1.0) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, inputs) to (…, outputs): multiples of 2^−(bits + 7)."""
        return F.linear(x, *self.integers())

    def integers(self) -> tuple[Tensor, Tensor | None]:
        """Return weights and bias as they count, as multiples of 2⁻⁷."""
        weight = fix(self.weight, WEIGHT_BITS, -_LARGEST_WEIGHT, _LARGEST_WEIGHT, "straight")
        if self.bias is None:
            return weight, None
        return weight, fix(self.bias, WEIGHT_BITS, -_LARGEST_BIAS, _LARGEST_BIAS, "straight")

    def check(self, added: float) -> None:
        """Raise `WeightsError` unless all sums are exact when a number of at most `added` joins them."""
        weight, bias = self.integers()
        most = weight.abs().sum(1) * self.largest + added + (0 if bias is None else bias.abs())
        if not float(most.detach().max()) * 2 ** (self.bits + WEIGHT_BITS) < _EXACT:
            raise WeightsError("the weights of 'lapped' are damaged: a sum would not be exact in float32")


class FeatureTables(nn.Module):
    """Functions of integers as tables of multiples of 1/16: the same on every machine.

    ``log2(1 + |q|)`` and ``asinh(q)``, the latter also of quarters of an integer.
    """

    LIMIT = (2**7 - 1) / 2**FEATURE_BITS

    log: Tensor
    asinh: Tensor

    def __init__(self) -> None:
        super().__init__()
        unit = 2**FEATURE_BITS
        whole = torch.arange(256, dtype=torch.float64)
        quarters = torch.arange(5600, dtype=torch.float64) / 4
        for name, exact in {"log": torch.log2(1 + whole), "asinh": torch.asinh(quarters)}.items():
            rounded = (exact * unit).round().div(unit).clamp(max=self.LIMIT)
            self.register_buffer(name, rounded.float(), persistent=False)

    def log_magnitude(self, q: Tensor) -> Tensor:
        """log2(1 + |q|) of integers."""
        return self.log[q.abs().clamp_(max=len(self.log) - 1).int()]

    def signed(self, q: Tensor) -> Tensor:
        """asinh(q) of multiples of 1/4."""
        index = (q * 4).abs_().clamp_(max=len(self.asinh) - 1).int()
        return self.asinh[index].copysign(q)
