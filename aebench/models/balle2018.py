"""The factorised prior and the scale hyperprior of Ballé et al. (2018), with generalised divisive normalisation.

Source: Ballé, Minnen, Singh, Hwang, Johnston, *Variational image compression with a scale hyperprior* (ICLR 2018),
figure 4. With N and M filters:

    analysis            4 × 5×5 convolution, stride 2: N, N, N, M; GDN after the first three
    synthesis           4 × 5×5 transposed convolution, stride 2: N, N, N, 3; inverse GDN after the first three
    hyper-analysis      |y|; 3×3, N; ReLU; 5×5, stride 2, N; ReLU; 5×5, stride 2, N
    hyper-synthesis     5×5 transposed, stride 2, N; ReLU; 5×5 transposed, stride 2, N; ReLU; 3×3, M

The paper has N = 128 and M = 192 for the lower rates, N = 192 and M = 320 for the higher: as one network serves all
rates, the published width is the latter. The last layer of the hyper-synthesis transform is followed by a ReLU there
and gives scales; here it gives their logarithms.
"""

from __future__ import annotations

from torch import nn

from aebench.models.entropy import exact
from aebench.models.entropy.factorised import FactorisedPrior
from aebench.models.entropy.models import Factorised, Hyperprior
from aebench.models.kernels import Conv2d
from aebench.models.layers import Gdn, down, up
from aebench.models.transform_coder import RATES, TransformCoder

STRIDE = 16
PUBLISHED = (192, 320)
"""N and M as published, for the higher rates."""

SMALL = (64, 112)
"""N and M of a network that one CPU core can train."""


def analysis(n: int, m: int) -> nn.Sequential:
    """Make the analysis transform."""
    return nn.Sequential(down(3, n), Gdn(n), down(n, n), Gdn(n), down(n, n), Gdn(n), down(n, m))


def synthesis(n: int, m: int) -> nn.Sequential:
    """Make the synthesis transform."""
    return nn.Sequential(
        up(m, n), Gdn(n, inverse=True), up(n, n), Gdn(n, inverse=True), up(n, n), Gdn(n, inverse=True), up(n, 3)
    )


class Balle2018Factorised(TransformCoder):
    """The factorised prior."""

    def __init__(self, width: tuple[int, int] = PUBLISHED) -> None:
        n, m = width
        entropy = Factorised(FactorisedPrior(m, RATES, scale=1))
        super().__init__(analysis(n, m), synthesis(n, m), entropy, m, STRIDE)


class Balle2018FactorisedSmall(Balle2018Factorised):
    """The factorised prior at the small width."""

    def __init__(self) -> None:
        super().__init__(SMALL)


class Balle2018Hyperprior(TransformCoder):
    """The scale hyperprior."""

    def __init__(self, width: tuple[int, int] = PUBLISHED) -> None:
        n, m = width
        hyper_analysis = nn.Sequential(Conv2d(m, n, 3, padding=1), nn.ReLU(), down(n, n), nn.ReLU(), down(n, n))
        hyper_synthesis = nn.Sequential(
            exact.up(n, n), nn.ReLU(), exact.up(n, n), nn.ReLU(), exact.ExactConv2d(n, m, 3, padding=1)
        )
        entropy = Hyperprior(hyper_analysis, hyper_synthesis, n, RATES)
        super().__init__(analysis(n, m), synthesis(n, m), entropy, m, STRIDE)


class Balle2018HyperpriorSmall(Balle2018Hyperprior):
    """The scale hyperprior at the small width."""

    def __init__(self) -> None:
        super().__init__(SMALL)
