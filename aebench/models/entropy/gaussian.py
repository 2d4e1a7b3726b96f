"""Gaussians of a fixed set of scales, each with a stored integer table.

Source: Ballé, Minnen, Singh, Hwang, Johnston, *Variational image compression with a scale hyperprior* (2018):
p(v) = Φ((v + ½) / σ) − Φ((v − ½) / σ), with 64 scales from 0.11 to 256, evenly spaced in their logarithm.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from aebench.models.entropy.bounds import lower_bound
from aebench.models.entropy.channels import SMALLEST_MASS
from aebench.models.entropy.coding import Tables, escape_bits

SCALES, SMALLEST, LARGEST = 64, 0.11, 256.0
_STEP = math.log(LARGEST / SMALLEST) / (SCALES - 1)
_REACH = 4.5
"""Standard deviations on either side that have symbols of their own."""


class GaussianConditional(nn.Module):
    """Zero-mean Gaussians, given by the index of their scale."""

    frequencies: Tensor

    def __init__(self) -> None:
        super().__init__()
        table = torch.from_numpy(frequencies().astype(np.int32))
        self.register_buffer("frequencies", table, persistent=False)
        self._made: Tables | None = None

    def bits(self, values: Tensor, scale: Tensor) -> Tensor:
        """Return −log2 of the mass in [v − ½, v + ½], with gradients to values and scales.

        Parameters
        ----------
        values, scale : Tensors of one shape
            The scale as an index, in training not an integer.
        """
        inverse = torch.exp(-_STEP * scale) * (0.5**0.5 / SMALLEST)
        distance = values.abs()
        mass = (torch.erfc((distance - 0.5) * inverse) - torch.erfc((distance + 0.5) * inverse)) / 2
        return -torch.log2(lower_bound(mass, SMALLEST_MASS))

    def coded_bits(self, integers: Tensor, scale: Tensor) -> Tensor:
        """Return −log2 of the share of an integer in the stored table of its scale, escapes included.

        To be surprised costs less than by `bits`, as no frequency is below 1: what a network that errs really pays.

        Parameters
        ----------
        integers, scale : Tensors of one shape
            The scale as an index.
        """
        rows, radius, totals = self._rows()
        table = scale.long()
        reach, distance = radius[table], integers.long()
        excess = distance.abs() - reach
        symbol = torch.where(excess > 0, 2 * reach + 1, distance + reach)
        bits = totals[table].log2() - self.frequencies[rows[table] + symbol].double().log2()
        return bits + torch.where(excess > 0, escape_bits(excess), 0)

    def _rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return where each table begins, its radius, and the sum of its frequencies."""
        device, radius = self.frequencies.device, torch.from_numpy(self.tables().radius).long()
        offsets = torch.from_numpy(_offsets()).to(device)
        ends = torch.cat([self.frequencies.new_zeros(1), self.frequencies.cumsum(0)]).double()[offsets]
        return offsets[:-1], radius.to(device), ends.diff()

    def tables(self) -> Tables:
        """Return the stored tables, one a scale."""
        if self._made is None:
            rows = self.frequencies.cpu().numpy().astype(np.uint16)
            self._made = Tables(np.split(rows, _offsets()[1:-1]))
        return self._made

    def stored_state(self) -> dict[str, Tensor]:
        """Return the tables as integers."""
        return {"frequencies": self.frequencies.to(torch.uint16)}

    def load_stored_state(self, state: dict[str, Tensor]) -> None:
        """Take what `stored_state` gave."""
        self.frequencies.copy_(state["frequencies"].to(torch.int32))
        self._made = None


def scale_index(logarithm: Tensor, training: bool) -> Tensor:
    """Map a natural logarithm of the scale, nearly, to an index in 0 … 63; outside of training to an integer.

    Multiplying by 8 and adding 18 are exact, so that exact logarithms give exact indices.
    """
    index = logarithm * 8 + 18
    if training:
        return -lower_bound(-lower_bound(index, 0.0), 1.0 - SCALES)
    return index.round().clamp(0, SCALES - 1)


def frequencies() -> npt.NDArray[np.uint16]:
    """Compute all tables, one after the other, in float64: each sums to about 2^16, and none is below 1."""
    tables = []
    for index in range(SCALES):
        reach, scale = _radius(index), _scale(index)
        edges = torch.arange(-reach, reach + 2, dtype=torch.float64) - 0.5
        below = torch.special.ndtr(edges / scale).numpy()
        mass = np.append(np.diff(below), 2 * below[0])
        tables.append(np.clip(np.round(mass * (2**16 - len(mass))), 1, 2**16 - 1).astype(np.uint16))
    return np.concatenate(tables)


def _offsets() -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([2 * _radius(index) + 2 for index in range(SCALES)])])


def _radius(index: int) -> int:
    return math.ceil(_REACH * _scale(index) + 0.5)


def _scale(index: int) -> float:
    return SMALLEST * math.exp(_STEP * index)
