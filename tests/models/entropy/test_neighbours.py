"""Contexts of what is decoded: encoder and decoder see the same, whatever the size of the grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.models.entropy.coding import Reader, Writer
from aebench.models.entropy.neighbours import (
    CONTEXTS,
    PARTNERS,
    SHIFT,
    SYMBOLS,
    Integers,
    Neighbours,
    lattice,
    levels_of,
)

CHANNELS = 5


def seeded_model() -> Neighbours:
    """A model whose contexts depend on everything that they may depend on."""
    random = np.random.default_rng(3)
    model = Neighbours.empty(2, CHANNELS)
    for rate in range(2):
        model.order[rate] = random.permutation(CHANNELS)
        for place, channel in enumerate(model.order[rate]):
            model.partners[rate, channel] = random.choice(model.order[rate, : max(place, 1)], (3, PARTNERS))
            model.weights[rate, channel] = random.integers(-300, 900, (3, 2 + PARTNERS)) * (
                1 if place else [1, 1] + [0] * PARTNERS
            )
    model.members[:] = random.integers(0, len(model.frequencies), model.members.shape)
    for number, row in enumerate(model.frequencies):
        row[: 2 * (number % 20) + 1] = random.integers(1, 2000, 2 * (number % 20) + 1)
        row[-1] = random.integers(1, 50)
    return model


def encode(model: Neighbours, rate: int, latent: Integers, height: int, width: int) -> bytes:
    writer = Writer()

    def put(channel: int, sites: np.ndarray, table: np.ndarray) -> Integers:
        writer.put(model.tables, latent[channel, sites], table)
        return latent[channel, sites]

    walked = model.walk(rate, latent.any(1), height, width, put)
    assert np.array_equal(walked, latent)
    return writer.finish()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 6), (5, 1), (2, 2), (7, 10)])
def test_phases_cover_the_grid_and_see_what_is_decoded_before(height: int, width: int) -> None:
    grid = lattice(height, width)
    assert sorted(np.concatenate(grid.sites)) == list(range(height * width))
    phase_of = np.empty(height * width, int)
    for phase, sites in enumerate(grid.sites):
        phase_of[sites] = phase
    for phase, (sites, around) in enumerate(zip(grid.sites, grid.around, strict=True)):
        assert around.shape == ((0, 4, 4)[phase], len(sites))
        assert ((phase_of[around] < phase) | (around == sites)).all()
        if min(height, width) > 1:
            assert (phase_of[around] < phase).all()
            distance = np.abs(np.stack(np.divmod(around, width)) - np.stack(np.divmod(sites, width))[:, None])
            assert (distance.sum(0) == 3 - phase).all(), "a neighbour is no farther than it has to be"


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.integers(0, 1))
def test_latents_of_any_size_come_back(seed: int, height: int, width: int, rate: int) -> None:
    random, model = np.random.default_rng(seed), seeded_model()
    latent = random.geometric(0.2, (CHANNELS, height * width)).astype(np.int32) - 1
    latent[random.integers(CHANNELS)] = 0
    latent.flat[random.integers(latent.size)] = 10**6  # far outside of any table
    reader = Reader(encode(model, rate, latent, height, width))
    decoded = model.walk(
        rate, latent.any(1), height, width, lambda channel, sites, table: reader.get(model.tables, table)
    )
    assert np.array_equal(decoded, latent)


def test_a_context_is_the_activity_of_what_is_around() -> None:
    model, grid = Neighbours.empty(1, 2), lattice(3, 3)
    model.weights[0, 1, 1] = [
        5 << SHIFT,
        2 << (SHIFT - 4),
        1 << (SHIFT - 4),
        *[0] * (PARTNERS - 1),
    ]  # levels are in sixteenths
    levels = np.zeros((2, 9), np.int64)
    levels[1, [0, 2, 6, 8]] = levels_of(np.array([0, 1, 1, 3]))  # log2(1 + q) of 0, 1, 1, 2
    assert model.contexts(0, 1, 1, levels, grid).tolist() == [5 + 2 * 4]
    levels[0, 4] = levels_of(np.array(1))
    assert model.contexts(0, 1, 1, levels, grid).tolist() == [5 + 2 * 4 + 1]
    levels[1] = 10**6
    assert model.contexts(0, 1, 1, levels, grid).tolist() == [CONTEXTS - 1]
    model.weights[0, 1, 1, 0] = -(2**31)
    levels[:] = 0
    assert model.contexts(0, 1, 1, levels, grid).tolist() == [0]


def test_levels_are_whole_numbers_and_end_where_tables_do() -> None:
    assert levels_of(np.array([-3, 0, 1, 3, SYMBOLS, 10**6])).tolist() == [0, 0, 16, 32, 128, 128]


def test_arrays_are_all_of_it() -> None:
    model = seeded_model()
    latent = np.random.default_rng(1).integers(0, 30, (CHANNELS, 12)).astype(np.int32)
    assert encode(Neighbours.of(model.arrays()), 1, latent, 3, 4) == encode(model, 1, latent, 3, 4)
    assert model.fitted and not Neighbours.empty(2, CHANNELS).fitted
