"""The family of distributions and its tables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.models.lapped.distribution import (
    SCALES,
    SHAPES,
    TABLES,
    Members,
    bits,
    frequencies,
    offsets,
    radius,
    table_of,
)


def member(mean: float, scale: int, shape: int, count: int = 1) -> Members:
    return Members(*(torch.full((count,), float(value)) for value in (mean, scale, shape)))


def test_tables_are_proper() -> None:
    stored, starts = frequencies(), offsets()
    assert starts[-1] == len(stored)
    assert stored.min() >= 1
    for start, stop in pairwise(starts):
        assert 0.97 * 2**16 < stored[start:stop].astype(int).sum() < 1.03 * 2**16


def test_each_member_has_the_table_of_its_probabilities() -> None:
    """Coding by table costs what training was told it would."""
    stored, starts = frequencies(), offsets()
    used = set()
    for scale in range(SCALES):
        for shape in range(SHAPES):
            for mean in (-7.5, -0.625, -0.125, 0, 0.25, 3.5):
                found = member(mean, scale, shape)
                table, integer, negated = (x.item() for x in table_of(found))
                used.add(table)
                reach = radius(scale)
                q = torch.arange(integer - reach, integer + reach + 1, dtype=torch.float32)
                expected = 2 ** -bits(q, member(mean, scale, shape, len(q))).double().numpy()
                counts = stored[starts[table] : starts[table + 1] - 1].astype(float)
                counts = counts[::-1] if negated else counts
                p = counts / stored[starts[table] : starts[table + 1]].astype(float).sum()
                lost = (expected * (np.log2(expected + 1e-12) - np.log2(p))).sum()
                assert abs(lost) < 0.01 + 0.005 * (expected * -np.log2(expected + 1e-12)).sum(), (scale, shape, mean)
    assert used <= set(range(TABLES))


@given(st.integers(-(8 * 4095), 8 * 4095), st.integers(0, SCALES - 1), st.integers(0, SHAPES - 1))
@settings(deadline=None)
def test_the_integer_part_is_nearest(eighths: int, scale: int, shape: int) -> None:
    table, integer, _ = (x.item() for x in table_of(member(eighths / 8, scale, shape)))
    assert 0 <= table < TABLES
    assert abs(eighths / 8 - integer) <= 0.5


def test_gradients_lead_to_the_mean_and_the_scale_of_the_data() -> None:
    q = torch.tensor([3.0, 5.0, 4.0, 4.0, 2.0, 6.0])
    mean, scale = torch.zeros(1, requires_grad=True), torch.full((1,), 19.0, requires_grad=True)
    optimiser = torch.optim.Adam([mean, scale], lr=0.2)
    for _ in range(300):
        loss = bits(q, Members(mean.expand(6), scale.expand(6), torch.zeros(6))).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert abs(mean.item() - 4) < 0.1
    assert 0.5 < 2 ** ((scale.item() - 19) / 4) < 1.1
