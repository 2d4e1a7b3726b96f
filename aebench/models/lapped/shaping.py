"""Noise shaping: the encoder lets each coefficient make up for the errors of those quantised before it.

The transform is not orthogonal: the synthesis functions of a coefficient and of its neighbours, in its own block and
in the eight around it, overlap. The squared error in the pixels is eᵀGe, where e is the error of the coefficients and G
the products of synthesis functions. With what is decided fixed, it is smallest not at y but at y − Σ G e over the
decided ones, but for terms of second order: Babai's nearest plane (*On Lovász' lattice reduction*, 1986) with the
inverse of G approximated. The decoder knows nothing of it.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from aebench.models.lapped.context import GROUPS, MEANS, ORDER, SPANS
from aebench.models.lapped.lattice import AROUND, grid
from aebench.models.lapped.transform import BLOCK, LappedTransform

_PLANE = [torch.tensor([c % BLOCK**2 for c in ORDER if c // BLOCK**2 == plane]) for plane in range(MEANS)]
"""The frequencies of each plane in coding order."""


class Shaper:
    """Errors so far of a batch (N, sites, 192) of coefficients, and what they ask of the next.

    Parameters
    ----------
    y : Tensor, shape (N, height · width, 192)
        Coefficients in units of the step, in coding order.
    """

    def __init__(self, y: Tensor, height: int, width: int) -> None:
        self._y = y
        self._around = grid(height, width, y.device).around
        # one site more, for all outside the grid, where there is no error
        self._errors = [y.new_zeros(len(y), y.shape[1] + 1, BLOCK**2) for _ in range(MEANS)]

    def target(self, sites: Tensor, span: slice) -> Tensor:
        """Return what the coefficients of a phase are best quantised from."""
        parts = []
        around = self._around[sites].flatten()
        for plane, start, stop in _parts(span):
            errors = self._errors[plane][..., :stop].index_select(1, around)
            products = _products(plane, start, stop, errors.device)
            parts.append(errors.view(len(errors), len(sites), -1) @ products)
        return self._y[:, sites, span] - torch.cat(parts, -1)

    def decide(self, sites: Tensor, span: slice, q: Tensor) -> None:
        """Take note of the integers chosen."""
        errors = q - self._y[:, sites, span]
        first = 0
        for plane, start, stop in _parts(span):
            self._errors[plane][:, sites, start:stop] = errors[..., first : first + stop - start]
            first += stop - start


@lru_cache(maxsize=64)
def _parts_of(first: int, last: int) -> tuple[tuple[int, int, int], ...]:
    if last <= MEANS:
        return tuple((plane, 0, 1) for plane in range(first, last))
    planes = GROUPS[SPANS.index(slice(first, last))].planes
    places = [ORDER[channel] // BLOCK**2 for channel in range(last)]
    found = []
    for plane in planes:
        stop = places.count(plane)
        found.append((plane, stop - places[first:].count(plane), stop))
    return tuple(found)


def _parts(span: slice) -> tuple[tuple[int, int, int], ...]:
    """Split channels into (plane, start, stop), the latter two counted within the plane, in coding order."""
    return _parts_of(span.start, span.stop)


@lru_cache(maxsize=64)
def _products(plane: int, start: int, stop: int, device: torch.device) -> Tensor:
    """Products of the synthesis functions of channels before `stop` around a site with those from `start` on at it.

    Shape (9 · stop, stop − start); the product of a function with itself is left out.
    """
    order = _PLANE[plane]
    synthesis = LappedTransform()
    functions = torch.zeros(BLOCK, 3, BLOCK)
    functions[:, 1] = torch.eye(BLOCK)
    functions = synthesis.inverse_line(functions)  # 8 functions, 24 samples
    wide = torch.nn.functional.pad(functions, (BLOCK, BLOCK))
    lines = [torch.roll(wide, BLOCK * shift, -1) @ wide.T for shift in (-1, 0, 1)]  # of a neighbour with one of ours
    found = []
    for y, x in AROUND:
        both = torch.kron(lines[y + 1], lines[x + 1])[order[:stop]][:, order[start:stop]]
        if (y, x) == (0, 0):
            both = both - torch.eye(stop)[:, start:stop]
        found.append(both)
    return torch.cat(found).to(device)
