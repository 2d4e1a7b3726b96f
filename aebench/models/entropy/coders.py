"""What an entropy model does with each group of latents in turn: estimate their bits, write them, or read them.

An entropy model is one walk through its latents; all three coders take the same walk, so that what is estimated is
what is written, and what is written can be read. `rate` holds, for each image, the index of its rate.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from aebench.models.entropy.bounds import noisy, straight_round
from aebench.models.entropy.channels import ChannelPrior
from aebench.models.entropy.coding import Integers, Reader, Writer
from aebench.models.entropy.gaussian import GaussianConditional

LARGEST = 2047
"""Magnitudes of quantised latents end here."""


class Coder(ABC):
    """Takes groups of latents, in the order of the entropy model."""

    @abstractmethod
    def factorised(self, prior: ChannelPrior, values: Tensor, rate: Tensor, width: Tensor) -> Tensor:
        """Take latents that nothing is known about.

        Parameters
        ----------
        prior : ChannelPrior
        values : Tensor, shape (N, C, H, W)
            Of a reader only the shape counts.
        rate : int64 Tensor, shape (N,)
        width : Tensor, shape (rates, C)
            See `ChannelPrior`.

        Returns
        -------
        Tensor, shape (N, C, H, W)
            Quantised.
        """

    @abstractmethod
    def gaussian(
        self, conditional: GaussianConditional, values: Tensor, mean: Tensor, scale: Tensor, where: Tensor
    ) -> Tensor:
        """Take latents whose mean and scale are known.

        Parameters
        ----------
        conditional : GaussianConditional
        values, mean, scale : Tensors, shape (N, C, H, W)
            The scale as an index; of a reader's values only the shape counts.
        where : bool Tensor, shape (H, W)
            The sites to take.

        Returns
        -------
        Tensor, shape (N, C, H, W)
            Quantised, and 0 elsewhere.
        """


class Estimator(Coder):
    """Adds up −log2 p, in `bits`, shape (N,).

    In training the rate sees noise and the synthesis transform rounded values (Minnen, Singh 2020, section 3.3); p is
    then of ideal Gaussians, otherwise of the tables that stand for them.
    """

    def __init__(self, training: bool) -> None:
        self.training = training
        self.bits: Tensor = torch.zeros(())

    def factorised(self, prior: ChannelPrior, values: Tensor, rate: Tensor, width: Tensor) -> Tensor:
        """See `Coder`."""
        seen = noisy(values) if self.training else _round(values)
        self.bits = self.bits + prior.bits(seen, width[rate]).sum((1, 2, 3))
        return straight_round(values) if self.training else seen

    def gaussian(
        self, conditional: GaussianConditional, values: Tensor, mean: Tensor, scale: Tensor, where: Tensor
    ) -> Tensor:
        """See `Coder`."""
        distance = values - mean
        seen = noisy(distance) if self.training else _round(distance)
        bits = conditional.bits(seen, scale) if self.training else conditional.coded_bits(seen, scale)
        self.bits = self.bits + (bits * where).sum((1, 2, 3))
        return ((straight_round(distance) if self.training else seen) + mean) * where


class _Stream(Coder):
    """A coder of one image whose integers can be compared with those of another."""

    def __init__(self) -> None:
        self.integers: list[Integers] = []

    def check(self) -> int:
        """Return 16 bits of the CRC-32 of all integers."""
        return zlib.crc32(np.concatenate(self.integers).astype("<i4").tobytes()) & 0xFFFF


class Encoder(_Stream):
    """Writes one image."""

    def __init__(self) -> None:
        super().__init__()
        self._writer = Writer()

    def finish(self) -> bytes:
        """Return all that was written."""
        return self._writer.finish()

    def factorised(self, prior: ChannelPrior, values: Tensor, rate: Tensor, width: Tensor) -> Tensor:
        """See `Coder`."""
        rounded = _round(values)
        self.integers.append(_integers(rounded))
        self._writer.put(prior.tables(width), self.integers[-1], _channels(values, rate))
        return rounded

    def gaussian(
        self, conditional: GaussianConditional, values: Tensor, mean: Tensor, scale: Tensor, where: Tensor
    ) -> Tensor:
        """See `Coder`."""
        rounded = _round(values - mean)
        self.integers.append(_integers(rounded[..., where]))
        self._writer.put(conditional.tables(), self.integers[-1], _integers(scale[..., where]))
        return (rounded + mean) * where


class Decoder(_Stream):
    """Reads one image."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._reader = Reader(data)

    def factorised(self, prior: ChannelPrior, values: Tensor, rate: Tensor, width: Tensor) -> Tensor:
        """See `Coder`."""
        self.integers.append(self._reader.get(prior.tables(width), _channels(values, rate)))
        return torch.from_numpy(self.integers[-1]).to(values).view(values.shape)

    def gaussian(
        self, conditional: GaussianConditional, values: Tensor, mean: Tensor, scale: Tensor, where: Tensor
    ) -> Tensor:
        """See `Coder`."""
        self.integers.append(self._reader.get(conditional.tables(), _integers(scale[..., where])))
        decoded = torch.zeros_like(mean)
        decoded[..., where] = torch.from_numpy(self.integers[-1]).to(mean).view(*values.shape[:2], -1)
        return (decoded + mean) * where


def _round(values: Tensor) -> Tensor:
    return values.round().clamp(-LARGEST, LARGEST)


def _integers(values: Tensor) -> Integers:
    integers: Integers = values.cpu().numpy().astype(np.int32).ravel()
    return integers


def _channels(values: Tensor, rate: Tensor) -> Integers:
    """Return the table of each value: number rate · C + channel."""
    channels, sites = values.shape[1], values.shape[2] * values.shape[3]
    return (int(rate) * channels + np.arange(channels, dtype=np.int32)).repeat(sites)
