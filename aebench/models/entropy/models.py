"""Entropy models of a latent: what is coded besides it, in what order, and with what probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from aebench.models.entropy.channels import ChannelPrior
from aebench.models.entropy.coders import Coder
from aebench.models.entropy.factorised import FactorisedPrior
from aebench.models.entropy.gaussian import GaussianConditional, scale_index
from aebench.models.layers import pad, preserve_variance

SIDE_STRIDE = 4
"""Rows and columns of the latent for each of the hyper-latent."""


class EntropyModel(nn.Module, ABC):
    """A distribution of latents (N, C, H, W) in units of the quantiser step."""

    def side(self, y: Tensor) -> Tensor | None:
        """Return the hyper-latent to code besides, unquantised; None if there is none."""
        return None

    def side_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Return channels, height and width of the hyper-latent of a latent of this size."""
        return 0, 0, 0

    @abstractmethod
    def walk(self, y: Tensor, side: Tensor | None, rate: Tensor, gain: Tensor, coder: Coder) -> Tensor:
        """Hand all latents to a coder, group by group.

        Parameters
        ----------
        y : Tensor, shape (N, C, H, W)
        side : Tensor, shape (N, side_channels, H / 4, W / 4), optional
            Of what `side` returned.
        rate : int64 Tensor, shape (N,)
        gain : Tensor, shape (rates, C)
            By which y was multiplied at each rate.
        coder : Coder

        Returns
        -------
        Tensor, shape (N, C, H, W)
            The latent, quantised.
        """


class Factorised(EntropyModel):
    """No side information, a density a channel: that of the latent before its gain, so that one serves all rates."""

    def __init__(self, prior: ChannelPrior) -> None:
        super().__init__()
        self.prior = prior

    def walk(self, y: Tensor, side: Tensor | None, rate: Tensor, gain: Tensor, coder: Coder) -> Tensor:
        """See `EntropyModel`."""
        return coder.factorised(self.prior, y, rate, 1 / gain)


class Hyperprior(EntropyModel):
    """A hyper-latent, coded with a factorised prior, gives the scale of each latent.

    Parameters
    ----------
    analysis : Module
        Maps |y| to the hyper-latent, of `side_channels` and a quarter of the rows and columns.
    synthesis : Module
        Maps it, quantised, to the logarithms of the scales; made of `aebench.models.entropy.exact`.
    side_channels, rates : int
    """

    def __init__(self, analysis: nn.Module, synthesis: nn.Module, side_channels: int, rates: int) -> None:
        super().__init__()
        self.analysis, self.synthesis, self.side_channels = analysis, synthesis, side_channels
        preserve_variance(analysis)  # or the hyper-latent starts as zeros
        self.prior = FactorisedPrior(side_channels, rates, radius=63)
        self.log_width = nn.Parameter(torch.zeros(rates, side_channels))
        self.conditional = GaussianConditional()

    def side(self, y: Tensor) -> Tensor:
        """See `EntropyModel`."""
        z: Tensor = self.analysis(pad(self.seen(y), SIDE_STRIDE))
        return z

    def seen(self, y: Tensor) -> Tensor:
        """Return what the hyper-analysis transform sees of the latent."""
        return y.abs()

    def side_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """See `EntropyModel`."""
        return self.side_channels, -(-height // SIDE_STRIDE), -(-width // SIDE_STRIDE)

    def walk(self, y: Tensor, side: Tensor | None, rate: Tensor, gain: Tensor, coder: Coder) -> Tensor:
        """See `EntropyModel`."""
        assert side is not None
        z = coder.factorised(self.prior, side, rate, self.widths())
        features = self.synthesis(z)[..., : y.shape[-2], : y.shape[-1]]
        return self.latent(y, features, coder)

    def widths(self) -> Tensor:
        """Return what an integer of the hyper-latent counts in its density, (rates, side_channels)."""
        return self.log_width.exp()

    def latent(self, y: Tensor, features: Tensor, coder: Coder) -> Tensor:
        """Hand the latent to a coder, given what the hyper-synthesis transform says of it."""
        everywhere = torch.ones(y.shape[-2:], dtype=torch.bool, device=y.device)
        scale = scale_index(features, self.training)
        return coder.gaussian(self.conditional, y, torch.zeros_like(scale), scale, everywhere)
