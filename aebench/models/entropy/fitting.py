"""Fitting a `Neighbours` context model to latents of training images, once, after the training of the network.

For every rate, channel and phase, linear regression predicts the level of an integer from the levels that it sees; the
partners are chosen one by one, each the one that explains most of what is left (orthogonal matching pursuit: Pati,
Rezaiifar, Krishnaprasad 1993). The prediction is the activity. The histograms of all contexts are then clustered to
a few tables by the bits that they cost (Lloyd's algorithm with the Kullback–Leibler divergence).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from aebench.models.entropy.neighbours import (
    CONTEXTS,
    PARTNERS,
    PHASES,
    SHIFT,
    SYMBOLS,
    TABLES,
    Integers,
    Lattice,
    Neighbours,
    lattice,
    levels_of,
)

_TOTAL = 2**16
_ROUNDS = 12
_REACH = 3.0
"""Standard deviations above its mean at which the prediction reaches the last context."""

_SHARED = 1e-4
"""How much the histogram of a channel counts in each context, so that one that never occurred has a table as well."""

_LARGEST_WEIGHT = 2**30

Matrix = npt.NDArray[np.float64]


def fit(latents: Iterable[Sequence[Integers]], rates: int, channels: int) -> Neighbours:
    """Fit the context model of a latent.

    Parameters
    ----------
    latents : iterable
        For each rate, int32 arrays of shape (channels, height, width), all ≥ 0, of several images.
    rates, channels : int
        How many there are.
    """
    model = Neighbours.empty(rates, channels)
    counts = np.zeros((rates, channels, CONTEXTS, SYMBOLS + 1))
    for rate, images in enumerate(latents):
        grids = [lattice(*image.shape[1:]) for image in images]
        flat = [image.reshape(channels, -1) for image in images]
        levels = [levels_of(image) for image in flat]
        model.order[rate] = np.argsort(-sum(image.mean(1) for image in levels), kind="stable")
        for phase in range(PHASES):
            mean, covariance = _moments(levels, grids, phase)
            for place, channel in enumerate(model.order[rate]):
                earlier = model.order[rate, :place].astype(int)
                partners, weights = _regress(mean, covariance, int(channel), earlier, phase)
                model.partners[rate, channel, phase] = partners
                model.weights[rate, channel, phase] = weights
            for image, known, grid in zip(flat, levels, grids, strict=True):
                for channel in range(channels):
                    context = model.contexts(rate, channel, phase, known, grid)
                    symbols = np.minimum(image[channel, grid.sites[phase]], SYMBOLS)
                    found = np.bincount(context * (SYMBOLS + 1) + symbols, minlength=CONTEXTS * (SYMBOLS + 1))
                    counts[rate, channel] += found.reshape(CONTEXTS, -1)
    counts += _SHARED * counts.sum(2, keepdims=True)
    members, model.frequencies[:] = _cluster(counts.reshape(-1, SYMBOLS + 1))
    model.members[:] = members.reshape(model.members.shape)
    return model


def _moments(levels: Sequence[npt.NDArray[np.int64]], grids: Sequence[Lattice], phase: int) -> tuple[Matrix, Matrix]:
    """Return means and covariance of the levels of all channels, and of the sums of their four neighbours' levels."""
    size = 2 * len(levels[0])
    total, sums, products = 0, np.zeros(size), np.zeros((size, size))
    for known, grid in zip(levels, grids, strict=True):
        around = known[:, grid.around[phase]].sum(1)
        seen = np.concatenate([known[:, grid.sites[phase]], around]).astype(np.float32)
        total += seen.shape[1]
        sums += seen.sum(1, dtype=np.float64)
        products += seen @ seen.T
    mean = sums / max(total, 1)
    return mean, products / max(total, 1) - np.outer(mean, mean)


def _regress(
    mean: Matrix, covariance: Matrix, channel: int, earlier: npt.NDArray[np.int64], phase: int
) -> tuple[list[int], npt.NDArray[np.int32]]:
    """Choose the partners of a channel among earlier ones; return them and the weights of the activity."""
    channels = len(mean) // 2
    chosen = [channels + channel] if phase and covariance[channels + channel, channels + channel] > 0 else []
    own = len(chosen)
    candidates = earlier[np.diag(covariance)[earlier] > 1e-6]
    for _ in range(min(PARTNERS, len(candidates))):
        left = np.setdiff1d(candidates, chosen)
        solved = np.linalg.lstsq(covariance[np.ix_(chosen, chosen)], covariance[np.ix_(chosen, [channel, *left])])[0]
        explained = covariance[np.ix_([channel, *left], chosen)] @ solved
        with_target = covariance[left, channel] - explained[1:, 0]
        variance = covariance[left, left] - np.diag(explained)[1:]
        chosen.append(int(left[np.argmax(with_target**2 / np.maximum(variance, 1e-6))]))
    slopes = np.linalg.lstsq(covariance[np.ix_(chosen, chosen)], covariance[chosen, channel])[0]
    partners = (chosen[own:] + [0] * PARTNERS)[:PARTNERS]
    weights = np.zeros(2 + PARTNERS)
    weights[1 : 1 + own] = slopes[:own]
    weights[2 : 2 + len(slopes) - own] = slopes[own:]

    deviation = np.sqrt(max(float(slopes @ covariance[np.ix_(chosen, chosen)] @ slopes), 0.0))
    at_zero = mean[channel] - float(slopes @ mean[chosen])
    low = max(at_zero, mean[channel] - 2 * deviation)
    high = mean[channel] + _REACH * deviation
    weights[0] = at_zero - low
    if high - low < 1e-6:
        return partners, np.zeros(2 + PARTNERS, np.int32)
    scaled = weights * (CONTEXTS << SHIFT) / (high - low)
    return partners, np.round(scaled.clip(-_LARGEST_WEIGHT, _LARGEST_WEIGHT)).astype(np.int32)


def _cluster(counts: Matrix) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """Gather histograms around tables; return the table of each, and the tables.

    Parameters
    ----------
    counts : array, shape (histograms, 256)
    """
    totals = counts.sum(1)
    mean = counts @ np.arange(SYMBOLS + 1) / np.maximum(totals, 1)
    occupied = np.flatnonzero(totals)
    found = counts[occupied]
    # begin with histograms in the order of their means, cut where the bits are, roughly
    ranked = np.argsort(mean[occupied], kind="stable")
    share = np.cumsum(np.sqrt(totals[occupied][ranked]))
    nearest = np.empty(len(occupied), np.int64)
    nearest[ranked] = np.minimum(share / share[-1] * TABLES, TABLES - 1).astype(np.int64)
    for _ in range(_ROUNDS):
        gathered = [np.bincount(nearest, found[:, symbol], TABLES) for symbol in range(SYMBOLS + 1)]
        tables = _frequencies(np.stack(gathered, 1).astype(np.float64))
        bits = np.log2(tables.sum(1, keepdims=True) / np.maximum(tables, 0.25))
        nearest = np.argmin(found @ bits.T, 1)
    members = np.zeros(len(counts), np.uint8)
    members[occupied] = nearest
    return members, tables


def _frequencies(counts: Matrix) -> npt.NDArray[np.uint16]:
    """Scale histograms to frequencies that sum to about 2¹⁶: of an odd number of symbols from 0 on, and the escape."""
    counts = counts.copy()
    counts[:, 0] += 1
    counts[:, -1] += 2.0**-8
    last = SYMBOLS - 1 - np.argmax(counts[:, SYMBOLS - 1 :: -1] > 0, axis=1)
    kept = np.arange(SYMBOLS + 1) <= (last + last % 2)[:, None]
    kept[:, -1] = True
    scaled = np.round(counts / counts.sum(1, keepdims=True) * (_TOTAL - kept.sum(1, keepdims=True)))
    return np.where(kept, scaled.clip(1, _TOTAL - 1), 0).astype(np.uint16)
