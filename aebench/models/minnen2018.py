"""The mean–scale hyperprior with a context model of Minnen et al. (2018), its context a checkerboard.

Sources: Minnen, Ballé, Toderici, *Joint autoregressive and hierarchical priors for learned image compression* (NeurIPS
2018), table 1; He, Zheng, Sun, Wang, Qin, *Checkerboard context model for efficient learned image compression* (CVPR
2021): half of the sites, the anchors, are coded from the hyper-latent alone, then the other half also from the anchors.
The serial context takes one pass a site, the checkerboard two in all. With N and M filters:

    analysis, synthesis    as in Ballé et al. (2018)
    hyper-analysis         3×3, N; 5×5, stride 2, N; 5×5, stride 2, N
    hyper-synthesis        5×5 transposed, stride 2, M; 5×5 transposed, stride 2, 3/2 M; 3×3, 2 M
    context                5×5, over anchors, 2 M
    entropy parameters     1×1, 10/3 M; 1×1, 8/3 M; 1×1, 2 M: means and scales

with leaky ReLUs between the layers of the hyper-transforms and of the entropy parameters.
The paper has N = M = 192: 640, 512 and 384 filters in the entropy parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aebench.models.balle2018 import STRIDE, analysis, synthesis
from aebench.models.entropy import exact
from aebench.models.entropy.coders import LARGEST, Coder
from aebench.models.entropy.gaussian import scale_index
from aebench.models.entropy.models import Hyperprior
from aebench.models.kernels import Conv2d
from aebench.models.layers import down
from aebench.models.transform_coder import RATES, TransformCoder

PUBLISHED = (192, 192)
"""N and M as published."""

SMALL = (64, 112)
"""N and M of a network that one CPU core can train."""


class Checkerboard(Hyperprior):
    """Means and scales from the hyper-latent, of every second site also from its neighbours."""

    def __init__(self, n: int, m: int) -> None:
        hyper_analysis = nn.Sequential(
            Conv2d(m, n, 3, padding=1),
            nn.LeakyReLU(),
            down(n, n),
            nn.LeakyReLU(),
            down(n, n),
        )
        hyper_synthesis = nn.Sequential(
            exact.up(n, m),
            nn.LeakyReLU(),
            exact.up(m, m * 3 // 2),
            nn.LeakyReLU(),
            exact.ExactConv2d(m * 3 // 2, 2 * m, 3, padding=1),
        )
        super().__init__(hyper_analysis, hyper_synthesis, n, RATES)
        self.context = exact.ExactConv2d(m, 2 * m, 5, padding=2)
        taps = torch.arange(5)
        with torch.no_grad():  # the other taps of a site that is not an anchor see zeros only, and are not trained
            self.context.weight.mul_((taps[:, None] + taps) % 2)
        self.parameters_of = nn.Sequential(
            exact.ExactConv2d(4 * m, m * 10 // 3, 1),
            nn.LeakyReLU(),
            exact.ExactConv2d(m * 10 // 3, m * 8 // 3, 1),
            nn.LeakyReLU(),
            exact.ExactConv2d(m * 8 // 3, 2 * m, 1),
        )

    def seen(self, y: Tensor) -> Tensor:
        """Return the latent as it is: the hyper-latent tells of means too."""
        return y

    def latent(self, y: Tensor, features: Tensor, coder: Coder) -> Tensor:
        """Hand the anchors to the coder, then the rest."""
        anchor = anchors(y.shape[-2], y.shape[-1], y.device)
        mean, scale = self._members(features, features.new_zeros(len(y), 2 * y.shape[1], *y.shape[-2:]))
        first = coder.gaussian(self.conditional, y, mean, scale, anchor)
        mean, scale = self._members(features, self.context(first) * ~anchor)
        return first + coder.gaussian(self.conditional, y, mean, scale, ~anchor)

    def _members(self, features: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return means, in evaluation multiples of 2⁻¹⁰, and indices of scales."""
        mean, logarithm = self.parameters_of(torch.cat([features, context], 1)).chunk(2, 1)
        return mean.clamp(-LARGEST, LARGEST), scale_index(logarithm, self.training)


def anchors(height: int, width: int, device: torch.device) -> Tensor:
    """Return where the sites are that are coded first: bool, shape (height, width)."""
    return (torch.arange(height, device=device)[:, None] + torch.arange(width, device=device)) % 2 == 0


class Minnen2018(TransformCoder):
    """Means, scales, and a checkerboard."""

    def __init__(self, width: tuple[int, int] = PUBLISHED) -> None:
        n, m = width
        super().__init__(analysis(n, m), synthesis(n, m), Checkerboard(n, m), m, STRIDE)


class Minnen2018Small(Minnen2018):
    """The same at the small width."""

    def __init__(self) -> None:
        super().__init__(SMALL)
