"""Integers to bytes and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.errors import CodecError
from aebench.models.lapped.coding import Reader, Tables, Writer
from aebench.models.lapped.distribution import SCALES, SHAPES, Members, bits, frequencies


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables(frequencies())


def members(random: np.random.Generator, size: int) -> Members:
    mean = random.integers(-100, 101, size) / 8
    scale, shape = random.integers(0, SCALES, size), random.integers(0, SHAPES, size)
    return Members(*(torch.from_numpy(values.astype(np.float32)) for values in (mean, scale, shape)))


@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.sampled_from([1, 30, 3000, 2**20]))
@settings(deadline=None, max_examples=60)
def test_any_integers_come_back_also_those_outside_the_tables(
    tables: Tables, seed: int, size: int, largest: int
) -> None:
    random = np.random.default_rng(seed)
    phases = [members(random, size) for _ in range(3)]
    values = [torch.from_numpy(random.integers(-largest, largest + 1, size).astype(np.float32)) for _ in phases]
    writer = Writer(tables)
    for q, phase in zip(values, phases, strict=True):
        writer.put(q, phase)
    reader = Reader(tables, writer.finish())
    for q, phase in zip(values, phases, strict=True):
        assert torch.equal(reader.get(phase), q)


def test_bytes_are_what_was_estimated(tables: Tables) -> None:
    random = np.random.default_rng(4)
    phase = members(random, 200_000)
    s = 2 ** ((phase.scale.numpy() - 19) / 4)  # of all but the smallest
    drawn = phase.mean.numpy() + s * random.logistic(size=len(s)) * np.where(random.random(len(s)) < 0.1, 3, 1)
    q = torch.from_numpy(np.round(drawn).astype(np.float32))
    writer = Writer(tables)
    writer.put(q, phase)
    assert 8 * len(writer.finish()) == pytest.approx(float(bits(q, phase).sum()), rel=0.005)


def test_coefficients_that_are_as_good_as_known_cost_next_to_nothing(tables: Tables) -> None:
    writer, count = Writer(tables), 200_000
    writer.put(torch.zeros(count), Members(torch.zeros(count), torch.zeros(count), torch.zeros(count)))
    assert len(writer.finish()) <= 4


@given(st.binary(max_size=64))
@settings(deadline=None, max_examples=100)
def test_any_bytes_decode_to_something_or_are_refused(tables: Tables, data: bytes) -> None:
    reader = Reader(tables, data)
    try:
        for seed in range(3):
            assert reader.get(members(np.random.default_rng(seed), 50)).abs().max() < 2**26
    except CodecError as error:
        assert "range coder" in str(error)
