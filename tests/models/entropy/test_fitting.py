"""Fitted contexts save what there is to save, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from aebench.models.entropy.coding import Writer
from aebench.models.entropy.fitting import fit
from aebench.models.entropy.neighbours import SYMBOLS, TABLES, Integers, Neighbours


def latent(seed: int, sigma: float, shape: tuple[int, int, int] = (6, 48, 40)) -> Integers:
    """Poisson counts of an intensity that is smooth in space, and half of it common to all channels."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=shape) + random.normal(size=(1, *shape[1:]))
    smooth = gaussian_filter(noise, (0, sigma, sigma)) if sigma else np.zeros(shape)
    smooth /= max(float(smooth.std()), 1e-9)
    return random.poisson(1.5 * np.exp(1.5 * smooth)).astype(np.int32)


def coded(model: Neighbours, q: Integers) -> int:
    """Count the bits of a latent."""
    writer, flat = Writer(), q.reshape(len(q), -1)

    def put(channel: int, sites: np.ndarray, table: np.ndarray) -> Integers:
        writer.put(model.tables, flat[channel, sites], table)
        return flat[channel, sites]

    model.walk(0, flat.any(1), *q.shape[1:], put)
    return 8 * len(writer.finish())


def entropy(q: Integers) -> float:
    """Bits at the least if each channel had its own histogram as a table, free of charge."""
    bits = 0.0
    for channel in q.reshape(len(q), -1):
        counts = np.bincount(channel)
        share = counts[counts > 0] / counts.sum()
        bits -= float((counts[counts > 0] * np.log2(share)).sum())
    return bits


def test_what_is_alike_is_coded_with_fewer_bits() -> None:
    model = fit([[latent(seed, 2.0) for seed in range(6)]], 1, 6)
    fresh = latent(100, 2.0)
    assert coded(model, fresh) < 0.9 * entropy(fresh)


def test_what_is_independent_costs_its_entropy() -> None:
    model = fit([[latent(seed, 0.0) for seed in range(6)]], 1, 6)
    fresh = latent(100, 0.0)
    assert entropy(fresh) < coded(model, fresh) < 1.02 * entropy(fresh)


def test_partners_are_channels_that_are_decoded_before() -> None:
    model = fit([[latent(seed, 2.0) for seed in range(2)]], 1, 6)
    for place, channel in enumerate(model.order[0]):
        used = model.partners[0, channel][model.weights[0, channel, :, 2:] != 0]
        assert set(used.tolist()) <= set(model.order[0, :place].tolist())
    assert (model.weights[0, model.order[0, 1:], :, 2:] != 0).any()


def test_every_context_has_a_table_that_the_coder_takes() -> None:
    empty, large = np.zeros((6, 8, 8), np.int32), latent(1, 2.0, (6, 8, 8)) * 200
    model = fit([[empty, latent(2, 2.0, (6, 9, 7))], [empty], [large, empty]], 3, 6)
    assert model.members.max() < TABLES
    for row in model.frequencies:
        symbols = np.flatnonzero(row[:SYMBOLS])
        assert symbols.tolist() == list(range(len(symbols))) and len(symbols) % 2 == 1
        assert row[SYMBOLS] > 0
        assert row.astype(int).sum() <= 2**16 + SYMBOLS
    assert coded(model, large) > 0  # most of it escapes
