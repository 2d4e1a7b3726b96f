"""What priors that know nothing but the channel have in common: bits in training, stored integer tables in coding.

Tables are made once of the trained density, in float64, and stored as integers: decoding depends on no floating point.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from aebench.errors import WeightsError
from aebench.models.entropy.bounds import lower_bound
from aebench.models.entropy.coding import Tables

RADIUS = 255
"""Largest distance from a table's centre that has a symbol of its own; beyond it is the escape."""

SMALLEST_MASS = 2.0**-22
"""Probability, at least, that training gives to anything: what escapes from the tables costs some 22 bits."""

_TOTAL = 2**16


class ChannelPrior(nn.Module, ABC):
    """A density a channel.

    With a `width`, of shape (widths, channels), an integer v stands for v · width in the density's own unit: one
    density serves several quantiser steps, each with its own tables.

    Parameters
    ----------
    channels : int
    widths : int
        How many widths tables are stored for.
    radius : int
        See `RADIUS`.
    """

    frequencies: Tensor
    centres: Tensor

    def __init__(self, channels: int, widths: int = 1, radius: int = RADIUS) -> None:
        super().__init__()
        self.channels, self.radius = channels, radius
        tables = torch.zeros(widths * channels, 2 * radius + 2, dtype=torch.int32)
        self.register_buffer("frequencies", tables, persistent=False)
        self.register_buffer("centres", torch.zeros(widths * channels, dtype=torch.int32), persistent=False)
        self._made: tuple[Tensor, Tables] | None = None

    @abstractmethod
    def mass(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Return the mass between edges, (C, any) each, in the precision of the edges."""

    @abstractmethod
    def medians(self) -> Tensor:
        """Return roughly the median of each channel, float64, (C,)."""

    def bits(self, values: Tensor, width: Tensor | None = None) -> Tensor:
        """Return −log2 of the mass in [v − ½, v + ½].

        Parameters
        ----------
        values : Tensor, shape (N, C, H, W)
            In training with noise, otherwise integers.
        width : Tensor, shape (N, C), optional
            1 if not given.

        Returns
        -------
        Tensor, shape (N, C, H, W)
        """
        flat = values.transpose(0, 1)
        edges = [flat - 0.5, flat + 0.5]
        if width is not None:
            edges = [edge * width.t()[:, :, None, None] for edge in edges]
        mass = self.mass(*(edge.reshape(self.channels, -1) for edge in edges)).view(flat.shape).transpose(0, 1)
        return -torch.log2(lower_bound(mass, SMALLEST_MASS))

    def tables(self, width: Tensor | None = None) -> Tables:
        """Return the tables of all widths and channels, number width · C + channel.

        They are the stored ones, or are made of the density where none are stored, as in the midst of a training.
        """
        key = torch.ones(1, self.channels) if width is None else width.detach().cpu()
        if self._made is None or not torch.equal(self._made[0], key):
            frequencies, centres = self._tables(width)
            rows = frequencies.cpu().numpy().astype(np.uint16)
            made = Tables([row[row > 0] for row in rows], centres.cpu().numpy())
            if self.training:
                return made
            self._made = key.clone(), made
        return self._made[1]

    def train(self, mode: bool = True) -> Self:
        """Forget tables when the density may have changed: those made of it, and in training the stored ones too."""
        self._made = None
        if mode:
            self.frequencies.zero_()
        return super().train(mode)

    def stored_state(self, width: Tensor | None = None) -> dict[str, Tensor]:
        """Return the density, and the tables as integers: made of it, or those that were stored before."""
        frequencies, centres = self._tables(width)
        return {
            **self.state_dict(),
            "ragged_frequencies": frequencies[frequencies > 0].to(torch.uint16),
            "reaches": (((frequencies > 0).sum(1) - 2) // 2).to(torch.int16),
            "centres": centres,
        }

    def load_stored_state(self, state: dict[str, Tensor]) -> None:
        """Take what `stored_state` gave, or raise `WeightsError` if the tables are not as long as they should be."""
        reaches, stored = state["reaches"].to(torch.int64)[:, None], state["ragged_frequencies"].to(torch.int32)
        distance = torch.arange(-self.radius, self.radius + 2)
        kept = (distance.abs() <= reaches) | (distance > self.radius)
        if int(kept.sum()) != len(stored):
            raise WeightsError(f"the tables of a prior should have {int(kept.sum())} frequencies, not {len(stored)}")
        self.frequencies.zero_()
        self.frequencies[kept.to(self.frequencies.device)] = stored.to(self.frequencies.device)
        self.centres.copy_(state["centres"])
        self._made = None
        self.load_state_dict({name: state[name] for name in self.state_dict()})

    @torch.no_grad()
    def _tables(self, width: Tensor | None) -> tuple[Tensor, Tensor]:
        if bool(self.frequencies.any()):
            return self.frequencies, self.centres
        widths = self.frequencies.new_ones(1, self.channels) if width is None else width.detach()
        medians = self.medians()
        made = [self._make(row.double(), (medians / row).round()) for row in widths]
        frequencies, centres = (torch.cat(parts) for parts in zip(*made, strict=True))
        return frequencies, centres

    def _make(self, width: Tensor, centre: Tensor) -> tuple[Tensor, Tensor]:
        """Make tables of frequencies that sum to about 2^16: (C, 2 · radius + 2), zero where there is no symbol."""
        distance = torch.arange(-self.radius, self.radius + 2, dtype=torch.float64, device=width.device) - 0.5
        edges = (centre[:, None] + distance) * width[:, None]
        mass = self.mass(edges[:, :-1], edges[:, 1:])
        # symbols to either side end where nothing is left that a frequency of 1 would not overstate
        reached = ((mass + mass.flip(1)) * _TOTAL > 1).int()
        kept = (reached.cumsum(1) > 0) & (reached.flip(1).cumsum(1).flip(1) > 0)
        kept[:, self.radius] = True
        mass = torch.where(kept, mass, 0)
        mass = torch.cat([mass, (1 - mass.sum(1, keepdim=True)).clamp(min=0)], 1)
        kept = torch.cat([kept, kept.new_ones(len(kept), 1)], 1)
        scaled = (mass * (_TOTAL - kept.sum(1, keepdim=True))).round().clamp(1, _TOTAL - 1)
        return torch.where(kept, scaled, 0).to(torch.int32), centre.to(torch.int32)
