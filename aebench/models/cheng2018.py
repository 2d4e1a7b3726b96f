"""The convolutional autoencoder with principal components of Cheng et al. (2018).

Source: Cheng, Sun, Takeuchi, Katto, *Deep convolutional autoencoder-based lossy image compression* (PCS 2018). Luma and
each chroma have an autoencoder of their own, of pairs of 3×3 convolutions, one of stride 1 and one of stride 2, with
PReLUs between. The filters are

    analysis     1 → 32, ↓ 32, 64, ↓ 64, 64, ↓ 32
    synthesis    32 → ↑ 64, 64, ↑ 64, 32, ↑ 32, 1

The 32 feature maps at an eighth of each side are rotated to their principal components, quantised and coded. The paper
finds the rotation for each image, sends it along, and has JPEG 2000's entropy coder; its training takes the energy of
the latent for the rate. Here the rotation is that of the training images: it follows their covariance while the
network learns, is stored with the weights, and costs no bits; the rate is that of a factorised prior a component.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aebench.color import RGB_TO_YCBCR_BT601, YCBCR_BT601_TO_RGB
from aebench.models.entropy.factorised import FactorisedPrior
from aebench.models.entropy.models import Factorised
from aebench.models.kernels import Conv2d, ConvTranspose2d
from aebench.models.transform_coder import RATES, TransformCoder

PLANES, STRIDE = 3, 8
PUBLISHED = (32, 32, 64, 64, 64, 32)
"""Filters of the six layers as published."""

SMALL = (16, 16, 32, 32, 32, 32)
"""Filters of a network that one CPU core can train."""

_MEMORY = 0.99


class PrincipalComponents(nn.Module):
    """Rotates the channels of each plane to their principal components.

    In training it follows their covariance by orthogonal iteration (Golub, Van Loan, *Matrix computations*, section
    8.2.4), one step at a time, so that what comes after sees no jumps.

    Parameters
    ----------
    planes, channels : int
        Each plane has so many channels.
    """

    covariance: Tensor
    rotation: Tensor

    def __init__(self, planes: int, channels: int) -> None:
        super().__init__()
        identity = torch.eye(channels).expand(planes, -1, -1)
        self.register_buffer("covariance", identity.clone())
        self.register_buffer("rotation", identity.clone())

    def forward(self, y: Tensor) -> Tensor:
        """Rotate (N, planes · channels, H, W), the largest components of each plane first."""
        if self.training:
            self._follow(y.detach())
        return self._apply_to(y, self.rotation.transpose(1, 2))

    def inverse(self, y: Tensor) -> Tensor:
        """Rotate back."""
        return self._apply_to(y, self.rotation)

    @torch.no_grad()
    def _follow(self, y: Tensor) -> None:
        planes, channels, _ = self.covariance.shape
        samples = y.view(len(y), planes, channels, -1).permute(1, 2, 0, 3).flatten(2)
        samples = samples - samples.mean(2, keepdim=True)
        self.covariance.lerp_(samples @ samples.transpose(1, 2) / samples.shape[2], 1 - _MEMORY)
        orthogonal, triangular = torch.linalg.qr(self.covariance @ self.rotation)
        signs = torch.where(torch.diagonal(triangular, dim1=1, dim2=2) < 0, -1.0, 1.0)
        self.rotation.copy_(orthogonal * signs[:, None])

    def _apply_to(self, y: Tensor, matrices: Tensor) -> Tensor:
        planes = y.view(len(y), len(matrices), -1, y.shape[-2] * y.shape[-1])
        return (matrices @ planes).view(y.shape)


class Planes(nn.Module):
    """A network of its own for each plane.

    Parameters
    ----------
    networks : Modules
        One a plane.
    """

    def __init__(self, *networks: nn.Module) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, x: Tensor) -> Tensor:
        """Map channels, an equal number a plane."""
        planes = x.chunk(len(self.networks), 1)
        return torch.cat([network(plane) for network, plane in zip(self.networks, planes, strict=True)], 1)


class Cheng2018(TransformCoder):
    """An autoencoder a plane of YCbCr, and principal components."""

    def __init__(self, filters: tuple[int, ...] = PUBLISHED) -> None:
        analysis = Planes(*(_analysis(filters) for _ in range(PLANES)))
        synthesis = Planes(*(_synthesis(filters) for _ in range(PLANES)))
        channels = PLANES * filters[-1]
        entropy = Factorised(FactorisedPrior(channels, RATES, scale=1))
        super().__init__(analysis, synthesis, entropy, channels, STRIDE)
        self.components = PrincipalComponents(PLANES, filters[-1])

    def analyse(self, centred: Tensor) -> Tensor:
        """See `TransformCoder`."""
        return self.components(self.analysis(_mix(centred, RGB_TO_YCBCR_BT601)))  # type: ignore[no-any-return]

    def synthesise(self, y: Tensor) -> Tensor:
        """See `TransformCoder`."""
        return _mix(self.synthesis(self.components.inverse(y)), YCBCR_BT601_TO_RGB)


class Cheng2018Small(Cheng2018):
    """The same at the small width."""

    def __init__(self) -> None:
        super().__init__(SMALL)


def _analysis(filters: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(zip((1, *filters), filters, strict=False)):
        layers += [Conv2d(inputs, outputs, 3, stride=1 + number % 2, padding=1), nn.PReLU(outputs)]
    return nn.Sequential(*layers[:-1])


def _synthesis(filters: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(zip(filters[::-1], (*filters[-2::-1], 1), strict=True)):
        layer = (
            Conv2d(inputs, outputs, 3, padding=1)
            if number % 2
            else ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
        )
        layers += [layer, nn.PReLU(outputs)]
    return nn.Sequential(*layers[:-1])


def _mix(planes: Tensor, matrix: np.ndarray) -> Tensor:
    return F.conv2d(planes, planes.new_tensor(matrix)[..., None, None])
