from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.errors import CodecError
from aebench.models.entropy.coding import MOST, Reader, Tables, Writer


def some_tables() -> Tables:
    random = np.random.default_rng(1)
    frequencies = [random.integers(1, 2**16, 2 * radius + 2).astype(np.uint16) for radius in (0, 1, 7, 40)]
    return Tables(frequencies, [0, -5, 300, 2])


@given(st.lists(st.lists(st.tuples(st.integers(-MOST // 2, MOST // 2) | st.integers(-9, 9), st.integers(0, 3)))))
def test_integers_come_back(calls: list[list[tuple[int, int]]]) -> None:
    tables, writer = some_tables(), Writer()
    arrays = [np.array(call, np.int32).reshape(-1, 2) for call in calls]
    for call in arrays:
        writer.put(tables, call[:, 0], call[:, 1])
    reader = Reader(writer.finish())
    for call in arrays:
        assert np.array_equal(reader.get(tables, call[:, 1]), call[:, 0])


@given(st.binary(max_size=60))
def test_any_bytes_are_integers_or_an_error(data: bytes) -> None:
    tables, table = some_tables(), np.arange(200) % 4
    try:
        assert (np.abs(Reader(data).get(tables, table)) <= MOST + 400).all()
    except CodecError as error:
        assert str(error)


def test_bytes_are_what_the_frequencies_say() -> None:
    tables = Tables([np.array([60000, 3000, 2000, 536], np.uint16)])
    values = np.random.default_rng(2).choice([-1, 0, 1], 20000, p=[0.9, 0.06, 0.04]).astype(np.int32)
    writer = Writer()
    writer.put(tables, values, np.zeros(len(values), int))
    counts = [int((values == value).sum()) for value in (-1, 0, 1)]
    bits = -sum(
        count * math.log2(frequency / 65536) for count, frequency in zip(counts, [60000, 3000, 2000], strict=True)
    )
    assert 8 * len(writer.finish()) == pytest.approx(bits, rel=0.005)


@pytest.mark.parametrize("largest", [1, 65535])
def test_the_model_has_the_probabilities_of_the_integers(largest: int) -> None:
    """A rare symbol costs what its frequency says, however many share the table."""
    frequencies = np.full(512, largest, np.uint16)
    frequencies[100] = 1
    tables = Tables([frequencies])
    writer = Writer()
    writer.put(tables, np.full(1000, 100 - tables.radius[0], np.int32), np.zeros(1000, int))
    assert 8 * len(writer.finish()) / 1000 == pytest.approx(min(math.log2(frequencies.sum()), 24), rel=0.05)
