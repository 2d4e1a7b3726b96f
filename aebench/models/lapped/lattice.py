"""In which order the sites of a grid are coded, and which sites each may look at.

Sites are numbered row by row. The mean of each block is coded on ever finer lattices: one site, then, from the coarsest
lattice of stride 2s that holds only the first site down to s = 1, the sites in the middle of four (rows and columns odd
multiples of s), then those between two. All other coefficients are coded on the two colours of a checkerboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

DIAGONAL = ((-1, -1), (1, 1), (-1, 1), (1, -1), (-1, -3), (-1, 3), (1, -3), (1, 3), (-3, -1), (3, -1), (-3, 1), (3, 1))
"""Known neighbours, in strides, of a site in the middle of four; the first four are the nearest."""

STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -2), (-1, 2), (1, -2), (1, 2), (-2, -1), (2, -1), (-2, 1), (2, 1))
"""Known neighbours, in strides, of a site between two; the first four are the nearest."""

AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1))
"""The 3×3 sites around a site."""

NEIGHBOURS = len(STRAIGHT)


@dataclass(frozen=True)
class Phase:
    """Sites that are coded together: int64 Tensors `sites` (P,) and `neighbours` (P, 12); `stride` of the lattice."""

    sites: Tensor
    neighbours: Tensor
    stride: int
    diagonal: bool


@dataclass(frozen=True)
class Grid:
    """The order on a grid of `height` × `width` sites.

    Attributes
    ----------
    means : list of Phase
        All sites but the first. Neighbours outside are mirrored, so that each is a site coded before.
    colours : tuple of Phase
        The checkerboard. Neighbours outside are the number height · width; the first colour has none.
    around : int64 Tensor, shape (height · width, 9)
        The 3×3 sites around each; outside is the number height · width.
    """

    means: tuple[Phase, ...]
    colours: tuple[Phase, Phase]
    around: Tensor
    right: Tensor
    below: Tensor


@lru_cache(maxsize=16)
def grid(height: int, width: int, device: torch.device) -> Grid:
    """Lay out a grid."""
    rows, columns = (axis.ravel() for axis in np.mgrid[:height, :width])

    def phase(chosen: npt.NDArray[np.bool_], stride: int, diagonal: bool, mirrored: bool) -> Phase:
        sites = np.flatnonzero(chosen)
        offsets = DIAGONAL if diagonal else STRAIGHT
        find = _mirrored if mirrored else _clipped
        neighbours = find(rows[sites], columns[sites], offsets, stride, height, width)
        return Phase(torch.from_numpy(sites).to(device), torch.from_numpy(neighbours).to(device), stride, diagonal)

    means = []
    stride = 1 << max(max(height, width) - 1, 0).bit_length()
    while (stride := stride // 2) >= 1:
        down, right = rows % (2 * stride) == stride, columns % (2 * stride) == stride
        on = (rows % stride == 0) & (columns % stride == 0)
        means += [phase(on & down & right, stride, True, True), phase(on & (down ^ right), stride, False, True)]
    odd = (rows + columns) % 2 == 1
    everywhere = _clipped(rows, columns, AROUND, 1, height, width)
    last = (rows == height - 1, columns == width - 1)
    number = np.arange(height * width)
    return Grid(
        tuple(p for p in means if len(p.sites)),
        (phase(~odd, 1, False, False), phase(odd, 1, False, False)),
        torch.from_numpy(everywhere).to(device),
        torch.from_numpy(np.where(last[1], number, number + 1)).to(device),
        torch.from_numpy(np.where(last[0], number, number + width)).to(device),
    )


def _clipped(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    offsets: tuple[tuple[int, int], ...],
    stride: int,
    height: int,
    width: int,
) -> npt.NDArray[np.int64]:
    """Number the neighbours; those outside get the number after the last."""
    y, x = (stride * np.array(offsets).T)[:, None]
    y, x = rows[:, None] + y, columns[:, None] + x
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return np.where(inside, y * width + x, height * width)


def _mirrored(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    offsets: tuple[tuple[int, int], ...],
    stride: int,
    height: int,
    width: int,
) -> npt.NDArray[np.int64]:
    """Number the neighbours; those outside are mirrored at the site, and where that is outside too, become the first.

    The first neighbour that is above or to the left is always inside: an odd multiple of the stride is at least one.
    """
    y, x = (stride * np.array(offsets).T)[:, None]
    below, beyond = rows[:, None] + y, columns[:, None] + x
    below = np.where((below < 0) | (below >= height), rows[:, None] - y, below)
    beyond = np.where((beyond < 0) | (beyond >= width), columns[:, None] - x, beyond)
    inside = (below >= 0) & (below < height) & (beyond >= 0) & (beyond < width)
    down, right = rows % (2 * stride) == stride, columns % (2 * stride) == stride
    first = (rows - stride * down) * width + columns - stride * right
    found: npt.NDArray[np.int64] = np.where(inside, below * width + beyond, first[:, None])
    return found
