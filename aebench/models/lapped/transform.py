"""The fixed transform: RGB to 192 coefficients on a grid of an eighth of each side, and back.

Colour is rotated by the Karhunen–Loève transform of the training images' gradients. Each plane then passes the
time-domain lapped transform of Tran, Liang and Tu (*Lapped Transform via Time-Domain Pre- and Post-Filtering*, 2003),
along rows and along columns: a pre-filter across every border between blocks of eight samples, then the DCT of each
block. Together they are a lapped transform with basis functions of sixteen samples; at the image's own borders there is
nothing to filter across, so that images of any multiple of eight need no extension.

The pre-filter is biorthogonal. Its sixteen free numbers were fitted on the training images to make the mean of
log2(1 + (coefficient / step)²) over steps of 8 to 128 small. Coefficients are scaled by the norm of their synthesis
function, so that white quantisation noise in them is as large in the pixels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCK = 8
CHANNELS = 3 * BLOCK * BLOCK

RGB_TO_KLT = (
    (0.59255411, 0.58736306, 0.55125698),
    (-0.73696698, 0.11901261, 0.66536882),
    (0.32520653, -0.80052523, 0.50338859),
)
"""Orthonormal; rows are luma and two chromas, by falling energy of their gradients."""

_ODD = (
    (1.1821607, 0.4259848, 0.2209458, 0.1111512),
    (-0.5161648, 1.0772834, 0.2231475, 0.1402683),
    (-0.1271364, -0.2106141, 1.0783302, 0.1582707),
    (-0.0162465, -0.0857295, -0.0632888, 1.1058804),
)
"""What the pre-filter does to the differences of the four pairs of samples that mirror each other at a border."""


class LappedTransform(nn.Module):
    """Analysis and synthesis; constants, nothing to train."""

    colour: Tensor
    prefilter: Tensor
    postfilter: Tensor
    analysis_dct: Tensor
    synthesis_dct: Tensor

    def __init__(self) -> None:
        super().__init__()
        prefilter, dct = _prefilter(), _dct()
        postfilter = torch.linalg.inv(prefilter)
        norms = _synthesis_norms(postfilter, dct)
        for name, value in {
            "colour": torch.tensor(RGB_TO_KLT, dtype=torch.float64),
            "prefilter": prefilter,
            "postfilter": postfilter,
            "analysis_dct": dct * norms[:, None],
            "synthesis_dct": dct / norms[:, None],
        }.items():
            self.register_buffer(name, value.float(), persistent=False)

    def analysis(self, rgb: Tensor) -> Tensor:
        """Map RGB in [0, 255], (N, 3, H, W) with sides that are multiples of 8, to (N, 192, H/8, W/8).

        Channel 64·p + 8·v + u is the coefficient of vertical frequency v and horizontal frequency u in plane p.
        """
        rows = self._forward(self.rotate(rgb))  # N, 3, H, w, u
        both = self._forward(rows.permute(0, 1, 3, 4, 2))  # N, 3, w, u, h, v
        return both.permute(0, 1, 5, 3, 4, 2).flatten(1, 3)

    def rotate(self, rgb: Tensor) -> Tensor:
        """Map RGB in [0, 255] to the three planes of the rotated colour space, centred on 0."""
        return F.conv2d(rgb - 128, self.colour[..., None, None])

    def synthesis(self, coefficients: Tensor) -> Tensor:
        """Invert `analysis`; the result is not clamped."""
        return F.conv2d(self.planes(coefficients), self.colour.T[..., None, None]) + 128

    def planes(self, coefficients: Tensor) -> Tensor:
        """Map coefficients to the three planes of the rotated colour space, (N, 3, H, W), centred on 0."""
        height, width = coefficients.shape[-2:]
        grouped = coefficients.reshape(-1, 3, BLOCK, BLOCK, height, width).permute(0, 1, 5, 3, 4, 2)  # N, 3, w, u, h, v
        return self.inverse_line(self.inverse_line(grouped).permute(0, 1, 4, 2, 3))

    def _forward(self, samples: Tensor) -> Tensor:
        """Transform the last axis of length 8n to (n, 8)."""
        filtered = _across_borders(samples, self.prefilter)
        return _blocks(filtered) @ self.analysis_dct.T

    def inverse_line(self, bands: Tensor) -> Tensor:
        """Map coefficients of one axis, (…, n, 8), to samples (…, 8n)."""
        return _across_borders((bands @ self.synthesis_dct).flatten(-2), self.postfilter)


def pad(image: Tensor) -> Tensor:
    """Repeat the last row and column until both sides are multiples of 8; cropping undoes it."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")


def _blocks(samples: Tensor) -> Tensor:
    """Split the last axis into blocks of eight."""
    return samples.reshape(*samples.shape[:-1], samples.shape[-1] // BLOCK, BLOCK)


def _across_borders(samples: Tensor, matrix: Tensor) -> Tensor:
    """Apply an 8×8 matrix to the eight samples around each border between blocks of the last axis."""
    half = BLOCK // 2
    inner = (_blocks(samples[..., half:-half]) @ matrix.T).flatten(-2)
    return torch.cat([samples[..., :half], inner, samples[..., -half:]], dim=-1)


def _prefilter() -> Tensor:
    """Sums of mirrored pairs pass, differences are mixed: equation 9 of the paper."""
    one = torch.eye(BLOCK // 2, dtype=torch.float64)
    mirror = one.flip(0)
    butterfly = torch.cat([torch.cat([one, mirror], 1), torch.cat([mirror, -one], 1)]) / math.sqrt(2)
    mixed = torch.eye(BLOCK, dtype=torch.float64)
    mixed[BLOCK // 2 :, BLOCK // 2 :] = torch.tensor(_ODD, dtype=torch.float64)
    return butterfly @ mixed @ butterfly


def _dct() -> Tensor:
    """Orthonormal DCT-II of eight samples, a row a frequency."""
    frequency = torch.arange(BLOCK, dtype=torch.float64)[:, None]
    sample = torch.arange(BLOCK, dtype=torch.float64)[None]
    matrix = torch.cos(math.pi * (2 * sample + 1) * frequency / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def _synthesis_norms(postfilter: Tensor, dct: Tensor) -> Tensor:
    """Norm of the synthesis function of each frequency, far from the image's borders."""
    alone = torch.zeros(BLOCK, 3, BLOCK, dtype=torch.float64)
    alone[:, 1] = torch.eye(BLOCK, dtype=torch.float64)
    return _across_borders((alone @ dct).flatten(-2), postfilter).square().sum(-1).sqrt()
