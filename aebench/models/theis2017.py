"""The compressive autoencoder of Theis et al. (2017).

Source: Theis, Shi, Cunningham, Huszár, *Lossy image compression with compressive autoencoders* (ICLR 2017), figure 2.
With N = 64 filters, R = 128 and 96 latent channels:

    encoder    5×5, stride 2, N; 5×5, stride 2, R; three residual blocks of two 3×3, R; 5×5, stride 2, 96
    decoder    3×3 to 4 R, sub-pixel; three residual blocks; 3×3 to 4 N, sub-pixel; 3×3 to 12, sub-pixel

Convolutions of the encoder see the image mirrored at its borders, those of the decoder see zeros; leaky ReLUs are
between layers, and sub-pixel convolutions turn channels into pixels. Rounding passes gradients straight through, and
scales a channel make one network serve several rates, both as in the paper. The rate is estimated with Gaussian scale
mixtures (section 3.3). In the paper only the scales are trained for each rate, after the rest; here all is trained at
once.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from aebench.models.entropy.mixture import GaussianScaleMixture
from aebench.models.entropy.models import Factorised
from aebench.models.kernels import Conv2d
from aebench.models.transform_coder import RATES, TransformCoder

LATENT_CHANNELS, STRIDE = 96, 8
PUBLISHED = (64, 128)
"""N and R as published."""

SMALL = (24, 48)
"""N and R of a network that one CPU core can train."""


class MirrorConv2d(Conv2d):
    """A convolution that sees its input mirrored at the borders; one too small to be mirrored, repeated."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride=stride)
        self.margin = size // 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C, H, W)."""
        mode = "reflect" if min(x.shape[-2:]) > self.margin else "replicate"
        return super().forward(F.pad(x, (self.margin,) * 4, mode=mode))


class Residual(nn.Module):
    """x plus two 3×3 convolutions of it."""

    def __init__(self, channels: int, mirror: bool) -> None:
        super().__init__()
        convolution = MirrorConv2d if mirror else _plain
        self.branch = nn.Sequential(
            convolution(channels, channels, 3), nn.LeakyReLU(), convolution(channels, channels, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return x + self.branch(x)  # type: ignore[no-any-return]


class Theis2017(TransformCoder):
    """The compressive autoencoder."""

    def __init__(self, width: tuple[int, int] = PUBLISHED) -> None:
        n, r = width
        analysis = nn.Sequential(
            MirrorConv2d(3, n, 5, stride=2),
            nn.LeakyReLU(),
            MirrorConv2d(n, r, 5, stride=2),
            nn.LeakyReLU(),
            *(Residual(r, mirror=True) for _ in range(3)),
            MirrorConv2d(r, LATENT_CHANNELS, 5, stride=2),
        )
        synthesis = nn.Sequential(
            *_sub_pixel(LATENT_CHANNELS, r),
            *(Residual(r, mirror=False) for _ in range(3)),
            *_sub_pixel(r, n),
            nn.LeakyReLU(),
            *_sub_pixel(n, 3),
        )
        entropy = Factorised(GaussianScaleMixture(LATENT_CHANNELS, RATES))
        super().__init__(analysis, synthesis, entropy, LATENT_CHANNELS, STRIDE)


class Theis2017Small(Theis2017):
    """The same at the small width."""

    def __init__(self) -> None:
        super().__init__(SMALL)


def _plain(inputs: int, outputs: int, size: int) -> Conv2d:
    return Conv2d(inputs, outputs, size, padding=size // 2)


def _sub_pixel(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return _plain(inputs, 4 * outputs, 3), nn.PixelShuffle(2)
