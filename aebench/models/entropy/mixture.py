"""Gaussian scale mixtures: a density a channel that is a mixture of zero-mean Gaussians.

Source: Theis, Shi, Cunningham, Huszár, *Lossy image compression with compressive autoencoders* (2017), section 3.3,
equation 8: six scales a channel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aebench.models.entropy.channels import RADIUS, ChannelPrior

_SCALES = 6


class GaussianScaleMixture(ChannelPrior):
    """A mixture of six Gaussians a channel; see `ChannelPrior` for the parameters."""

    def __init__(self, channels: int, widths: int = 1, radius: int = RADIUS) -> None:
        super().__init__(channels, widths, radius)
        scales = torch.linspace(-3.0, 2.0, _SCALES)
        self.log_scale = nn.Parameter(scales.expand(channels, -1).clone())
        self.log_weight = nn.Parameter(torch.zeros(channels, _SCALES))

    def mass(self, lower: Tensor, upper: Tensor) -> Tensor:
        """See `ChannelPrior`."""
        inverse = torch.exp(-self.log_scale.to(lower.dtype))[..., None]
        weight = torch.softmax(self.log_weight.to(lower.dtype), 1)[..., None]
        # on the side where the difference of two cumulatives loses no digits
        sign = torch.where(lower + upper > 0, -1.0, 1.0)
        below, above = (torch.special.ndtr((sign * edge)[:, None] * inverse) for edge in (lower, upper))
        mass: Tensor = (weight * (above - below).abs()).sum(1)
        return mass

    def medians(self) -> Tensor:
        """See `ChannelPrior`."""
        return torch.zeros(self.channels, dtype=torch.float64, device=self.frequencies.device)
