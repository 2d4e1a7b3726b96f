"""The factorised prior: a learned density a channel, independent of everything else.

Source: Ballé, Minnen, Singh, Hwang, Johnston, *Variational image compression with a scale hyperprior* (2018),
appendix 6.1: the cumulative c = f_K ∘ … ∘ f_1 with

    f_k(x) = g_k(H_k x + b_k),   g_k(x) = x + tanh(a_k) ⊙ tanh(x),   f_K(x) = sigmoid(H_K x + b_K),

H_k kept positive by softplus; K = 4 and three hidden layers of 3.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.models.entropy.channels import RADIUS, ChannelPrior

_WIDTHS = (1, 3, 3, 3, 1)
_INITIAL_SCALE = 10.0
_FARTHEST = 2.0**15
"""Medians are looked for in ± this."""

_BISECTIONS = 32


class FactorisedPrior(ChannelPrior):
    """A learned density a channel; see the module, and `ChannelPrior` for the other parameters.

    Parameters
    ----------
    scale : float
        Of the density at the start.
    """

    def __init__(self, channels: int, widths: int = 1, radius: int = RADIUS, scale: float = _INITIAL_SCALE) -> None:
        super().__init__(channels, widths, radius)
        scale **= 1 / (len(_WIDTHS) - 1)
        self.matrices, self.biases, self.factors = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in pairwise(_WIDTHS):
            matrix = torch.full((channels, outputs, inputs), math.log(math.expm1(1 / scale / outputs)))
            self.matrices.append(nn.Parameter(matrix))
            self.biases.append(nn.Parameter(torch.empty(channels, outputs, 1).uniform_(-0.5, 0.5)))
            if outputs != 1:
                self.factors.append(nn.Parameter(torch.zeros(channels, outputs, 1)))

    def mass(self, lower: Tensor, upper: Tensor) -> Tensor:
        """See `ChannelPrior`."""
        below, above = self.logits(lower), self.logits(upper)
        # on the side where the difference of two cumulatives loses no digits
        sign = torch.where(below + above > 0, -1.0, 1.0)
        return (torch.sigmoid(sign * above) - torch.sigmoid(sign * below)).abs()

    def logits(self, x: Tensor) -> Tensor:
        """Return the logit of the cumulative at x, (C, any)."""
        x = x[:, None]
        for layer, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            x = torch.baddbmm(bias.to(x.dtype), F.softplus(matrix.to(x.dtype)), x)
            if layer < len(self.factors):
                x = x + torch.tanh(self.factors[layer].to(x.dtype)) * torch.tanh(x)
        return x[:, 0]

    def medians(self) -> Tensor:
        """See `ChannelPrior`."""
        high = torch.full((self.channels, 1), _FARTHEST, dtype=torch.float64, device=self.frequencies.device)
        low = -high
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            below = self.logits(middle) < 0
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high)[:, 0] / 2
