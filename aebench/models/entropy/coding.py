"""Real bytes: integers through constriction's range coder, each with one of a set of stored integer tables.

Symbols are sorted by table, so that the coder is called once per table that occurs. What lies outside a table is an
escape; how far outside follows after the symbols of the call, in Elias' gamma code and a sign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from constriction import stream
from torch import Tensor

from aebench.errors import CodecError

MOST = 2**24 - 1
"""How far outside of its table an integer may lie."""

_LONGEST = 24
"""Bits of the largest number that an escape can code."""

Integers = npt.NDArray[np.int32]


class Tables:
    """Tables of frequencies, as models of the range coder that are made when they are first used.

    Parameters
    ----------
    frequencies : sequence of uint16 arrays
        Per table those of centre − radius … centre + radius, and of the escape; none is 0.
    centres : int array, shape (tables,), optional
        0 if not given.
    """

    def __init__(self, frequencies: Sequence[npt.NDArray[np.uint16]], centres: npt.ArrayLike | None = None) -> None:
        self._frequencies = frequencies
        self._models: list[Any] = [None] * len(frequencies)
        self.radius = np.array([(len(table) - 2) // 2 for table in frequencies], np.int32)
        self.centres = np.zeros_like(self.radius) if centres is None else np.asarray(centres, np.int32)

    def __len__(self) -> int:
        return len(self._frequencies)

    def model(self, table: int) -> Any:
        """Return the model of a table."""
        if self._models[table] is None:
            # whole numbers that add up to less than 2^24 are exact in float32: both sides build the same model
            frequencies = self._frequencies[table].astype(np.float32)
            self._models[table] = stream.model.Categorical(frequencies, perfect=False)
        return self._models[table]


class Writer:
    """Codes integers, call by call."""

    def __init__(self) -> None:
        self._coder = stream.queue.RangeEncoder()

    def put(self, tables: Tables, values: Integers, table: npt.NDArray[np.integer]) -> None:
        """Code integers, each with the table of that number; both are of one dimension."""
        radius, distance = tables.radius[table], values - tables.centres[table]
        escaped = np.abs(distance) > radius
        order, runs = _runs(table, len(tables))
        symbols = np.where(escaped, 2 * radius + 1, distance + radius).astype(np.int32)[order]
        for number, start, stop in runs:
            self._coder.encode(symbols[start:stop], tables.model(number))
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
    """Decodes what `Writer` made, by the same calls."""

    def __init__(self, data: bytes) -> None:
        words = np.frombuffer(data + b"\0" * (-len(data) % 4), "<u4").astype(np.uint32)
        self._coder = stream.queue.RangeDecoder(words)

    def get(self, tables: Tables, table: npt.NDArray[np.integer]) -> Integers:
        """Decode one integer with each of the tables of these numbers."""
        order, runs = _runs(table, len(tables))
        in_order = np.empty(len(table), np.int32)
        for number, start, stop in runs:
            in_order[start:stop] = self._decode(tables.model(number), stop - start)
        symbols = np.empty_like(in_order)
        symbols[order] = in_order
        radius = tables.radius[table]
        distance = symbols - radius
        for index in np.flatnonzero(distance > radius):
            distance[index] = self._escaped(int(radius[index]))
        values: Integers = distance + tables.centres[table]
        return values

    def _escaped(self, radius: int) -> int:
        length = int(self._decode(stream.model.Uniform(_LONGEST), 1)[0]) + 1
        rest = int(self._decode(stream.model.Uniform(1 << length - 1), 1)[0]) if length > 1 else 0
        excess = (1 << length - 1) + rest + radius
        return -excess if self._decode(stream.model.Uniform(2), 1)[0] else excess

    def _decode(self, model: Any, count: int) -> Integers:
        try:
            symbols: Integers = self._coder.decode(model, count)
        except AssertionError as error:
            raise CodecError(f"the range coder cannot read on: {error}") from error
        return symbols


def escape_bits(excess: Tensor) -> Tensor:
    """Return the bits that follow an escape, of integers so far outside of a table: length, digits and sign."""
    length = excess.clamp(min=1).double().log2().floor()
    return math.log2(_LONGEST) + length + 1


def _runs(table: npt.NDArray[np.integer], tables: int) -> tuple[npt.NDArray[np.int64], list[tuple[int, int, int]]]:
    """Sort stably by table; return the order, and (table, start, stop) of each that occurs."""
    order = np.argsort(table, kind="stable")
    counts = np.bincount(table, minlength=tables)
    present = np.flatnonzero(counts)
    stops = np.cumsum(counts[present])
    return order, list(zip(present.tolist(), (stops - counts[present]).tolist(), stops.tolist(), strict=True))
