"""Real bytes: integers through constriction's range coder, each with the stored table of its member of the family.

In every phase the symbols are sorted by table, so that the coder is called once per table that occurs. What lies
outside a table is an escape; how far outside follows after the phase's symbols, in Elias' gamma code and a sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from constriction import stream
from torch import Tensor

from aebench.errors import CodecError
from aebench.models.lapped.distribution import TABLES, Members, offsets, table_of

_LONGEST = 24
"""Bits of the largest number that an escape can code."""


class Tables:
    """The stored tables, as models of the range coder that are made when they are first used."""

    def __init__(self, frequencies: npt.NDArray[np.uint16]) -> None:
        self._frequencies = frequencies.astype(np.float32)  # whole numbers: both sides build the same model
        self._offsets = offsets()
        self._models: list[Any] = [None] * TABLES
        self.radius = ((np.diff(self._offsets) - 2) // 2).astype(np.int32)

    def model(self, table: int) -> Any:
        """Return the model of a table."""
        if self._models[table] is None:
            frequencies = self._frequencies[self._offsets[table] : self._offsets[table + 1]]
            self._models[table] = stream.model.Categorical(frequencies, perfect=False)
        return self._models[table]


class Writer:
    """Codes integers, phase by phase."""

    def __init__(self, tables: Tables) -> None:
        self._tables, self._coder = tables, stream.queue.RangeEncoder()

    def put(self, q: Tensor, members: Members) -> None:
        """Code integers of any shape with as many members."""
        table, integer, negated = table_of(members)
        distance = q.cpu().numpy().astype(np.int32).ravel() - integer
        distance = np.where(negated, -distance, distance)
        radius = self._tables.radius[table]
        escaped = np.abs(distance) > radius
        symbols = np.where(escaped, 2 * radius + 1, distance + radius)
        order, runs = _runs(table)
        symbols = symbols[order]
        for number, start, stop in runs:
            self._coder.encode(symbols[start:stop], self._tables.model(number))
        for value, reach in zip(distance[escaped].tolist(), radius[escaped].tolist(), strict=True):
            self._escape(abs(value) - reach, value < 0)

    def finish(self) -> bytes:
        """Return all that was coded."""
        words: npt.NDArray[np.uint32] = self._coder.get_compressed()
        return words.astype("<u4").tobytes().rstrip(b"\0")

    def _escape(self, excess: int, negative: bool) -> None:
        length = excess.bit_length()
        self._coder.encode(length - 1, stream.model.Uniform(_LONGEST))
        if length > 1:
            self._coder.encode(excess - (1 << length - 1), stream.model.Uniform(1 << length - 1))
        self._coder.encode(int(negative), stream.model.Uniform(2))


class Reader:
    """Decodes what `Writer` made."""

    def __init__(self, tables: Tables, data: bytes) -> None:
        words = np.frombuffer(data + b"\0" * (-len(data) % 4), "<u4").astype(np.uint32)
        self._tables, self._coder = tables, stream.queue.RangeDecoder(words)

    def get(self, members: Members) -> Tensor:
        """Decode one integer a member."""
        table, integer, negated = table_of(members)
        order, runs = _runs(table)
        sorted_symbols = np.empty(len(table), np.int32)
        for number, start, stop in runs:
            sorted_symbols[start:stop] = self._decode(self._tables.model(number), stop - start)
        symbols = np.empty_like(sorted_symbols)
        symbols[order] = sorted_symbols
        radius = self._tables.radius[table]
        distance = symbols - radius
        for index in np.flatnonzero(distance > radius):
            distance[index] = self._escaped(int(radius[index]))
        q = np.where(negated, -distance, distance) + integer
        return torch.from_numpy(q.astype(np.float32)).view(members.mean.shape)

    def _escaped(self, radius: int) -> int:
        length = int(self._decode(stream.model.Uniform(_LONGEST), 1)[0]) + 1
        rest = int(self._decode(stream.model.Uniform(1 << length - 1), 1)[0]) if length > 1 else 0
        excess = (1 << length - 1) + rest + radius
        return -excess if self._decode(stream.model.Uniform(2), 1)[0] else excess

    def _decode(self, model: Any, count: int) -> npt.NDArray[np.int32]:
        try:
            symbols: npt.NDArray[np.int32] = self._coder.decode(model, count)
        except AssertionError as error:
            raise CodecError(f"the range coder cannot read on: {error}") from error
        return symbols


def _runs(table: npt.NDArray[np.int16]) -> tuple[npt.NDArray[np.int64], list[tuple[int, int, int]]]:
    """Sort stably by table; return the order, and (table, start, stop) of each that occurs."""
    order = np.argsort(table, kind="stable")
    counts = np.bincount(table, minlength=TABLES)
    present = np.flatnonzero(counts)
    stops = np.cumsum(counts[present])
    return order, list(zip(present.tolist(), (stops - counts[present]).tolist(), stops.tolist(), strict=True))
