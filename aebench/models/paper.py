"""The convolutional autoencoder of *Training Autoencoder For Image Compression* (Paka, Khatter), figure 4.

    layer             output at 512×768      parameters
    conv2d_1           32 × 512 × 768               896    3×3, ReLU
    max_pooling2d_1    32 × 256 × 384
    conv2d_2           64 × 256 × 384            18,496    3×3, ReLU
    max_pooling2d_2    64 × 128 × 192
    conv2d_3          128 × 128 × 192            73,856    3×3, ReLU: the latent
    conv2d_4          128 × 128 × 192           147,584    3×3, ReLU
    up_sampling2d_1   128 × 256 × 384                      nearest neighbour
    conv2d_5           64 × 256 × 384            73,792    3×3, ReLU
    up_sampling2d_2    64 × 512 × 768                      nearest neighbour
    conv2d_6            3 × 512 × 768             1,731    3×3, linear
    in all                                      316,355

The paper leaves the last activation, the initialisation and the place of the latent open. Here the output is linear,
the initialisation Keras' default (Glorot uniform, zero bias), and the latent the output of the third convolution,
where the paper's figure 3 has its narrowest spatial size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.color import RGB_TO_YCBCR_BT601, YCBCR_BT601_TO_RGB

STRIDE = 4
"""Both sides of an image are padded to a multiple of this before the analysis transform."""

LATENT_CHANNELS = 128


class PaperAutoencoder(nn.Module):
    """Analysis transform, 128 latent channels at a quarter of each side, synthesis transform."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(3, 32, 3, padding=1)
        self.conv2d_2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv2d_3 = nn.Conv2d(64, LATENT_CHANNELS, 3, padding=1)
        self.conv2d_4 = nn.Conv2d(LATENT_CHANNELS, 128, 3, padding=1)
        self.conv2d_5 = nn.Conv2d(128, 64, 3, padding=1)
        self.conv2d_6 = nn.Conv2d(64, 3, 3, padding=1)
        for layer in self.children():
            assert isinstance(layer, nn.Conv2d) and layer.bias is not None
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def analysis(self, ycbcr: Tensor) -> Tensor:
        """Map YCbCr in [0, 1], shape (N, 3, H, W) with H and W multiples of 4, to (N, 128, H/4, W/4), all ≥ 0."""
        features = F.max_pool2d(F.relu(self.conv2d_1(ycbcr)), 2)
        features = F.max_pool2d(F.relu(self.conv2d_2(features)), 2)
        return F.relu(self.conv2d_3(features))

    def synthesis(self, latent: Tensor) -> Tensor:
        """Map a latent (N, 128, H/4, W/4) to YCbCr, nominally in [0, 1], shape (N, 3, H, W)."""
        features = F.relu(self.conv2d_4(latent))
        features = F.relu(upsample_and_convolve(features, self.conv2d_5))
        return upsample_and_convolve(features, self.conv2d_6)

    def forward(self, ycbcr: Tensor) -> Tensor:
        """Reconstruct; see `analysis` and `synthesis`."""
        return self.synthesis(self.analysis(ycbcr))

    def loss(self, rgb: Tensor) -> Tensor:
        """Mean squared error in YCbCr of a batch of RGB in [0, 1], shape (N, 3, H, W): the paper's cost function."""
        ycbcr = rgb_to_ycbcr(pad(rgb))
        return F.mse_loss(self(ycbcr), ycbcr)

    def reconstruct(self, rgb: Tensor) -> Tensor:
        """Pass RGB in [0, 1] of any size through the network, its latent unquantised."""
        height, width = rgb.shape[-2:]
        return ycbcr_to_rgb(self(rgb_to_ycbcr(pad(rgb))))[..., :height, :width]


def upsample_and_convolve(features: Tensor, layer: nn.Conv2d) -> Tensor:
    """Apply nearest-neighbour upsampling by 2, then a 3×3 convolution, as one transposed convolution.

    The two are exactly a 4×4 transposed convolution of stride 2 whose kernel sums the 3×3 kernel over the input
    pixels that share a source pixel: 36 multiplications become 16, and the upsampled tensor is never made.

    Parameters
    ----------
    features : Tensor, shape (N, C, H, W)
    layer : Conv2d of 3×3, padding 1, from C to D channels

    Returns
    -------
    Tensor, shape (N, D, 2H, 2W)
    """
    # An input pixel covers outputs 2i and 2i+1 upsampled; tap k of output o reads upsampled pixel o+k-1.
    # Rows of the 4-tap kernel are outputs 2i-1 … 2i+2, as sums of the 3 taps: k2, k1+k2, k0+k1, k0.
    taps = layer.weight.new_tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
    kernel = torch.einsum("ai,bj,dcij->cdab", taps, taps, layer.weight)
    return F.conv_transpose2d(features, kernel, layer.bias, stride=2, padding=1)


def pad(image: Tensor) -> Tensor:
    """Repeat the last row and column until both sides are multiples of `STRIDE`; cropping undoes it."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


def rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    """Convert RGB in [0, 1], (N, 3, H, W), to full-range BT.601 YCbCr in [0, 1], chroma centred on 0.5."""
    ycbcr = _mix(rgb, rgb.new_tensor(RGB_TO_YCBCR_BT601))
    return ycbcr + ycbcr.new_tensor([0.0, 0.5, 0.5]).view(1, 3, 1, 1)


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """Invert `rgb_to_ycbcr`; the result is not clamped."""
    centred = ycbcr - ycbcr.new_tensor([0.0, 0.5, 0.5]).view(1, 3, 1, 1)
    return _mix(centred, ycbcr.new_tensor(YCBCR_BT601_TO_RGB))


def _mix(planes: Tensor, matrix: Tensor) -> Tensor:
    return F.conv2d(planes, matrix.view(3, 3, 1, 1))
