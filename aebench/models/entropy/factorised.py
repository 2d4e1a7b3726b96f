"""The factorised prior: a learned density a channel, independent of everything else.

Source: Ballé, Minnen, Singh, Hwang, Johnston, *Variational image compression with a scale hyperprior* (2018),
appendix 6.1: the cumulative c = f_K ∘ … ∘ f_1 with

    f_k(x) = g_k(H_k x + b_k),   g_k(x) = x + tanh(a_k) ⊙ tanh(x),   f_K(x) = sigmoid(H_K x + b_K),

H_k kept positive by softplus; K = 4 and three hidden layers of 3. Training computes the density; coding looks up
integer tables that were made of it once, so that decoding depends on no floating point.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.models.entropy.coding import Tables

RADIUS = 255
"""Largest distance from a table's centre that has a symbol of its own; beyond it is the escape."""

SMALLEST_MASS = 1e-9
"""Probability, at least, that training gives to anything."""

_WIDTHS = (1, 3, 3, 3, 1)
_INITIAL_SCALE = 10.0
_TOTAL = 2**16
_FARTHEST = 2**15
"""Medians are looked for in ± this."""


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


class FactorisedPrior(nn.Module):
    """A learned density a channel.

    With a `width`, of shape (widths, channels), an integer v stands for v · width in the density's own unit: one
    density serves several quantiser steps, each with its own tables.

    Parameters
    ----------
    channels : int
    widths : int
        How many widths tables are stored for.
    radius : int
        See `RADIUS`.
    """

    frequencies: Tensor
    centres: Tensor

    def __init__(self, channels: int, widths: int = 1, radius: int = RADIUS) -> None:
        super().__init__()
        self.channels, self.radius = channels, radius
        scale = _INITIAL_SCALE ** (1 / (len(_WIDTHS) - 1))
        self.matrices, self.biases, self.factors = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in pairwise(_WIDTHS):
            matrix = torch.full((channels, outputs, inputs), float(np.log(np.expm1(1 / scale / outputs))))
            self.matrices.append(nn.Parameter(matrix))
            self.biases.append(nn.Parameter(torch.empty(channels, outputs, 1).uniform_(-0.5, 0.5)))
            if outputs != 1:
                self.factors.append(nn.Parameter(torch.zeros(channels, outputs, 1)))
        tables = torch.zeros(widths * channels, 2 * radius + 2, dtype=torch.int32)
        self.register_buffer("frequencies", tables, persistent=False)
        self.register_buffer("centres", torch.zeros(widths * channels, dtype=torch.int32), persistent=False)

    def bits(self, values: Tensor, width: Tensor | None = None) -> Tensor:
        """Return −log2 of the mass in [v − ½, v + ½].

        Parameters
        ----------
        values : Tensor, shape (N, C, H, W)
            In training with noise, otherwise integers.
        width : Tensor, shape (N, C), optional
            1 if not given.

        Returns
        -------
        Tensor, shape (N, C, H, W)
        """
        flat = values.transpose(0, 1)
        scale = None if width is None else width.t()[:, :, None, None]
        logits = []
        for edge in (flat - 0.5, flat + 0.5):
            edge = edge if scale is None else edge * scale
            logits.append(self.logits(edge.reshape(self.channels, 1, -1)))
        mass = _difference(*logits).view(flat.shape).transpose(0, 1)
        return -torch.log2(lower_bound(mass, SMALLEST_MASS))

    def logits(self, x: Tensor) -> Tensor:
        """Return the logit of the cumulative at x, (C, 1, any)."""
        for layer, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            x = torch.baddbmm(bias.to(x.dtype), F.softplus(matrix.to(x.dtype)), x)
            if layer < len(self.factors):
                x = x + torch.tanh(self.factors[layer].to(x.dtype)) * torch.tanh(x)
        return x

    def tables(self, width: Tensor | None = None) -> Tables:
        """Return the tables of all widths and channels, number width · C + channel.

        They are the stored ones, or are made of the density where none are stored, as in the midst of a training.
        """
        frequencies, centres = self._tables(width)
        rows = frequencies.cpu().numpy().astype(np.uint16)
        return Tables([row[row > 0] for row in rows], centres.cpu().numpy())

    def train(self, mode: bool = True) -> FactorisedPrior:
        """Forget the stored tables when the density is about to change."""
        if mode:
            self.frequencies.zero_()
        super().train(mode)
        return self

    def stored_state(self, width: Tensor | None = None) -> dict[str, Tensor]:
        """Return the density, and the tables as integers: made of it, or those that were stored before."""
        frequencies, centres = self._tables(width)
        return {**self.state_dict(), "frequencies": frequencies.to(torch.uint16), "centres": centres}

    def load_stored_state(self, state: dict[str, Tensor]) -> None:
        """Take what `stored_state` gave."""
        self.frequencies.copy_(state["frequencies"].to(torch.int32))
        self.centres.copy_(state["centres"])
        self.load_state_dict({name: state[name] for name in self.state_dict()})

    def _tables(self, width: Tensor | None) -> tuple[Tensor, Tensor]:
        if bool(self.frequencies.any()):
            return self.frequencies, self.centres
        widths = torch.ones(1, self.channels) if width is None else width.detach().cpu()
        with torch.no_grad():
            made = [self._make(row.double()) for row in widths]
        frequencies, centres = (torch.cat(parts) for parts in zip(*made, strict=True))
        return frequencies.to(self.frequencies.device), centres.to(self.centres.device)

    def _make(self, width: Tensor) -> tuple[Tensor, Tensor]:
        """Make tables of frequencies that sum to about 2^16: (C, 2 · radius + 2), zero where there is no symbol."""
        median = self._medians(width)
        distance = torch.arange(-self.radius, self.radius + 2, dtype=torch.float64) - 0.5
        logits = self._at((median[:, None] + distance) * width[:, None])
        mass = _difference(logits[:, :-1], logits[:, 1:])
        # symbols to either side end where nothing is left that a frequency of 1 would not overstate
        reached = ((mass + mass.flip(1)) * _TOTAL > 1).int()
        kept = (reached.cumsum(1) > 0) & (reached.flip(1).cumsum(1).flip(1) > 0)
        kept[:, self.radius] = True
        mass = torch.where(kept, mass, 0)
        mass = torch.cat([mass, (1 - mass.sum(1, keepdim=True)).clamp(min=0)], 1)
        kept = torch.cat([kept, kept.new_ones(len(kept), 1)], 1)
        scaled = (mass * (_TOTAL - kept.sum(1, keepdim=True))).round().clamp(1, _TOTAL - 1)
        return torch.where(kept, scaled, 0).to(torch.int32), median.to(torch.int32)

    def _medians(self, width: Tensor) -> Tensor:
        low, high = torch.full_like(width, -_FARTHEST), torch.full_like(width, _FARTHEST)
        for _ in range(2 * _FARTHEST.bit_length()):
            middle = (low + high) / 2
            below = self._at((middle * width)[:, None])[:, 0] < 0
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return ((low + high) / 2).round()

    def _at(self, x: Tensor) -> Tensor:
        return self.logits(x[:, None].to(self.matrices[0].device))[:, 0].cpu()


def _difference(lower: Tensor, upper: Tensor) -> Tensor:
    """sigmoid(upper) − sigmoid(lower), on the side where it loses no digits."""
    sign = -torch.sign(lower + upper).detach()
    sign = torch.where(sign == 0, 1.0, sign)
    return (torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower)).abs()
