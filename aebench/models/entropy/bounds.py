"""Functions whose gradients are not their own, as training of quantised networks needs them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class LowerBound(torch.autograd.Function):
    """max(x, bound), with a gradient also below the bound if descent leads up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        return torch.where((x >= ctx.bound) | (gradient < 0), gradient, 0), None


def lower_bound(x: Tensor, bound: float) -> Tensor:
    """Apply `LowerBound`."""
    bounded: Tensor = LowerBound.apply(x, bound)  # type: ignore[no-untyped-call]
    return bounded


def straight_round(x: Tensor) -> Tensor:
    """Round, with the gradient of the identity (Theis et al. 2017, section 2.1)."""
    return x + (x.round() - x).detach()


def noisy(x: Tensor) -> Tensor:
    """Add uniform noise in ±½, which stands for rounding (Ballé, Laparra, Simoncelli 2017)."""
    return x + torch.rand_like(x) - 0.5
