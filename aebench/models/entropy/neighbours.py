"""Context coding of a latent ≥ 0: each integer is coded with a table chosen by what is decoded around it.

The grid of a channel falls into three phases, each coded at once: sites with both coordinates even; with both odd,
which see their four diagonal neighbours; the others, which see the four next to them. Besides, a site sees the same
site of some channels that were coded before. A weighted sum of what it sees, the local activity, is quantised to the
context (as in Wu and Memon, *Context-based, adaptive, lossless image coding*, 1997), and the context names a table.

All arithmetic is on integers, and all tables are stored, so that decoding depends on no floating point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from aebench.models.entropy.coding import Tables

PHASES = 3
PARTNERS = 8
"""Channels that a site sees besides its own."""

CONTEXTS = 24
SHIFT = 12
"""A context is the activity divided by 2¹², within 0 … 23."""

TABLES = 128
"""Tables that all rates, channels and contexts share."""

SYMBOLS = 255
"""A table has frequencies of 0 … 254, and of the escape."""

LEVELS = np.round(16 * np.log2(1 + np.arange(SYMBOLS + 1))).astype(np.int64)
"""What a decoded integer counts in an activity: 16 log2(1 + q)."""

Integers: TypeAlias = npt.NDArray[np.int32]

Visit = Callable[[int, npt.NDArray[np.int64], npt.NDArray[np.uint8]], Integers]
"""Given a channel, the sites of a phase and a table for each, return the integers there."""


@dataclass(frozen=True)
class Lattice:
    """The phases of a grid.

    Attributes
    ----------
    sites : three int64 arrays
        Positions of each phase, row by row.
    around : three int64 arrays, shape (neighbours, sites)
        Positions that each of them sees in its own channel, mirrored at the borders: they are of earlier phases.
    """

    sites: tuple[npt.NDArray[np.int64], ...]
    around: tuple[npt.NDArray[np.int64], ...]


@lru_cache(maxsize=16)
def lattice(height: int, width: int) -> Lattice:
    """Return the phases of a grid of this size."""
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    direct, diagonal = ((-1, 0), (1, 0), (0, -1), (0, 1)), ((-1, -1), (-1, 1), (1, -1), (1, 1))
    odd, sites, around = (y % 2) + (x % 2), [], []
    for number, steps in ((0, ()), (2, diagonal), (1, direct)):
        here = np.flatnonzero(odd == number)
        seen = [_mirrored(y[here] + dy, height) * width + _mirrored(x[here] + dx, width) for dy, dx in steps]
        sites.append(here)
        around.append(np.array(seen, np.int64).reshape(len(steps), len(here)))
    return Lattice(tuple(sites), tuple(around))


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The context model of a latent with several rates, as integer arrays.

    Attributes
    ----------
    order : uint8 array, shape (rates, channels)
        In which channels are coded.
    partners : uint8 array, shape (rates, channels, 3, 8)
        Channels, coded before, that the sites of each phase see.
    weights : int32 array, shape (rates, channels, 3, 10)
        Of the activity: the constant, what the four neighbours count together, what each partner counts.
    members : uint8 array, shape (rates, channels, 24)
        The table of each context.
    frequencies : uint16 array, shape (128, 256)
        Of the symbols 0 … 254, 0 where a table has none, and of the escape.
    """

    order: npt.NDArray[np.uint8]
    partners: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.int32]
    members: npt.NDArray[np.uint8]
    frequencies: npt.NDArray[np.uint16]

    @classmethod
    def empty(cls, rates: int, channels: int) -> Neighbours:
        """Return a model that is yet to be fitted."""
        return cls(
            np.zeros((rates, channels), np.uint8),
            np.zeros((rates, channels, PHASES, PARTNERS), np.uint8),
            np.zeros((rates, channels, PHASES, 2 + PARTNERS), np.int32),
            np.zeros((rates, channels, CONTEXTS), np.uint8),
            np.zeros((TABLES, SYMBOLS + 1), np.uint16),
        )

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Neighbours:
        """Invert `arrays`."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def arrays(self) -> dict[str, npt.NDArray[np.integer]]:
        """Return all that there is to store, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def fitted(self) -> bool:
        """Whether there are tables."""
        return bool(self.frequencies.any())

    @cached_property
    def tables(self) -> Tables:
        """The tables, for the range coder."""
        rows = [row[row > 0] for row in self.frequencies]
        return Tables(rows, [(len(row) - 2) // 2 for row in rows])

    def walk(self, rate: int, active: npt.NDArray[np.bool_], height: int, width: int, visit: Visit) -> Integers:
        """Go through the latent in coding order; encoder and decoder do it with a `visit` of their own.

        Parameters
        ----------
        rate : int
        active : bool array, shape (channels,)
            Channels that are not all zero; the others are not visited.
        height, width : int
            Of the grid.
        visit : callable

        Returns
        -------
        int32 array, shape (channels, height · width)
        """
        grid = lattice(height, width)
        latent = np.zeros((len(active), height * width), np.int32)
        levels = np.zeros(latent.shape, np.int64)
        for channel in self.order[rate]:
            if not active[channel]:
                continue
            for phase, sites in enumerate(grid.sites):
                context = self.contexts(rate, channel, phase, levels, grid)
                latent[channel, sites] = visit(int(channel), sites, self.members[rate, channel][context])
                levels[channel, sites] = levels_of(latent[channel, sites])
        return latent

    def contexts(
        self, rate: int, channel: int, phase: int, levels: npt.NDArray[np.int64], grid: Lattice
    ) -> npt.NDArray[np.int64]:
        """Return the context of each site of a phase of a channel, given the levels of all that is decoded."""
        weights = self.weights[rate, channel, phase].astype(np.int64)
        activity = np.full(len(grid.sites[phase]), weights[0])
        if phase:
            activity += weights[1] * levels[channel][grid.around[phase]].sum(0)
        for partner, weight in zip(self.partners[rate, channel, phase], weights[2:], strict=True):
            if weight:
                activity += weight * levels[partner][grid.sites[phase]]
        context: npt.NDArray[np.int64] = np.clip(activity >> SHIFT, 0, CONTEXTS - 1)
        return context


def levels_of(latent: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return what integers count in an activity."""
    levels: npt.NDArray[np.int64] = LEVELS[np.clip(latent, 0, SYMBOLS)]
    return levels


def _mirrored(index: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Mirror at both borders, which keeps parity; in a grid of one row or column a site sees itself, undecoded."""
    return np.clip(np.where(index >= size, 2 * size - 2 - index, np.abs(index)), 0, size - 1)
