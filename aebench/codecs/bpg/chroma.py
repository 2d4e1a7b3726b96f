"""libbpg's filters that halve and double chroma.

Source: ``decimate2_h``, ``decimate2_hv`` (bpgenc.c) and ``interp2_h``, ``interp2_vh`` (libbpg.c) of libbpg 0.9.8.
Chroma of 4:2:0 and 4:2:2 lies between luma samples, as in JPEG; on reading also on them horizontally, as in MPEG-2
(BPG specification 0.9.5, clause 3.2, ``pixel_format``). Beyond its borders a plane goes on with its last sample.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from aebench.codecs.bpg.color import Plane, row_blocks

_HALVING: Final = (57, 17, -8, -4, 2)
"""Taps of samples 0 and 1, −1 and 2, … −4 and 5 (DP1C0 … DP1C4)."""
_BETWEEN: Final = (-1, 4, -10, 57, 18, -6, 2)
"""Taps of samples −3 … 3 for the position a quarter after sample 0; reversed, a quarter before it (IP1C0 … IP1C6)."""
_MIDWAY: Final = (40, -11, 4, -1)
"""Taps of samples 0 and 1, −1 and 2, … for the position midway between 0 and 1 (IP0C0 … IP0C3)."""


def halve_width(plane: Plane, depth: int) -> Plane:
    """Reduce 4:4:4 chroma to 4:2:2; a width of n becomes ceil(n / 2)."""
    halved = np.empty((plane.shape[0], -(-plane.shape[1] // 2)), plane.dtype)
    for rows in row_blocks(plane.shape[0], plane.shape[1]):
        _clamp((_halve(_wide(plane[rows], 1), axis=1) + 64) >> 7, depth, halved[rows])
    return halved


def halve(plane: Plane, depth: int) -> Plane:
    """Reduce 4:4:4 chroma to 4:2:0; a side of n becomes ceil(n / 2)."""
    height, width = (-(-side // 2) for side in plane.shape)
    first, second = depth - 7, 21 - depth
    extended = _wide(plane, 0)
    halved = np.empty((height, width), plane.dtype)
    for rows in row_blocks(height, width, at_least=32):
        across = _halve(_wide(extended[2 * rows.start : 2 * rows.stop + 8], 1), axis=1)
        across += 1 << first - 1
        across >>= first
        _clamp((_halve(across, axis=0) + (1 << second - 1)) >> second, depth, halved[rows])
    return halved


def double_width(plane: Plane, width: int, depth: int, mpeg2_siting: bool) -> Plane:
    """Interpolate 4:2:2 chroma of ceil(width / 2) columns to ``width`` columns."""
    doubled = np.empty((plane.shape[0], 2 * plane.shape[1]), plane.dtype)
    for rows in row_blocks(plane.shape[0], plane.shape[1]):
        _double_rows(plane[rows].astype(np.int32), doubled[rows], 0, depth, mpeg2_siting)
    return doubled[:, :width]


def double(plane: Plane, height: int, width: int, depth: int, mpeg2_siting: bool) -> Plane:
    """Interpolate 4:2:0 chroma of ceil(height / 2) × ceil(width / 2) samples to ``height`` × ``width``."""
    shift = depth - 8
    # at 8 bits the sums, −4335 to 20655, fit into 16 bits, and then take half the time
    kind: type[np.integer[Any]] = np.int16 if depth == 8 else np.int32
    extended = _extended(plane, 3, 3, axis=0)
    doubled = np.empty((2 * plane.shape[0], 2 * plane.shape[1]), plane.dtype)
    for rows in row_blocks(plane.shape[0], plane.shape[1], at_least=32):
        band = doubled[2 * rows.start : 2 * rows.stop]
        samples = extended[rows.start : rows.stop + 6].astype(kind)
        for parity, between in enumerate(_quarters(samples, 0, rounding=1 << shift >> 1)):
            between >>= shift
            _double_rows(between.astype(np.int32), band[parity::2], 14 - depth, depth, mpeg2_siting)
    return doubled[:height, :width]


def _double_rows(rows: Plane, doubled: Plane, scale: int, depth: int, mpeg2_siting: bool) -> None:
    """Interpolate rows to twice as many columns; their samples have ``scale`` bits more than those of the result."""
    shift = 6 + scale
    if mpeg2_siting:
        _clamp((rows + (1 << scale >> 1)) >> scale, depth, doubled[:, ::2])
        _clamp((_midway(rows) + (1 << shift - 1)) >> shift, depth, doubled[:, 1::2])
        return
    for parity, between in enumerate(_quarters(_extended(rows, 3, 3, axis=1), 1, rounding=1 << shift - 1)):
        between >>= shift
        _clamp(between, depth, doubled[:, parity::2])


def _halve(extended: Plane, axis: int) -> Plane:
    """Weigh ten samples around every second gap with `_HALVING`; the sum is not yet scaled."""
    count = (extended.shape[axis] - 8) // 2
    even, odd = _every_second(extended, 0, axis), _every_second(extended, 1, axis)
    total = _window(even, 2, count, axis) + _window(odd, 2, count, axis)
    total *= _HALVING[0]
    # the two samples of a pair swap their parity from tap to tap
    for tap, weight in enumerate(_HALVING[1:], start=1):
        first, second = (odd, even) if tap % 2 else (even, odd)
        pair = _window(first, 2 - (tap + 1) // 2, count, axis) + _window(second, 2 + (tap + 1) // 2, count, axis)
        pair *= weight
        total += pair
    return total


def _quarters(extended: Plane, axis: int, rounding: int) -> tuple[Plane, Plane]:
    """Weigh seven samples around each with `_BETWEEN`, for the positions a quarter before and after it."""
    count = extended.shape[axis] - 6
    before = _window(extended, 3, count, axis) * _BETWEEN[3]
    before += rounding
    after = before.copy()
    product = np.empty_like(extended)
    for tap in (0, 1, 2, 4, 5, 6):
        np.multiply(extended, _BETWEEN[tap], out=product)
        before += _window(product, 6 - tap, count, axis)
        after += _window(product, tap, count, axis)
    return before, after


def _midway(rows: Plane) -> Plane:
    """Weigh eight samples of a row around the gap after each with `_MIDWAY`."""
    count = rows.shape[1]
    extended = _extended(rows, 3, 4, axis=1)
    total = np.zeros_like(rows)
    for tap, weight in enumerate(_MIDWAY):
        total += (_window(extended, 3 - tap, count, 1) + _window(extended, 4 + tap, count, 1)) * weight
    return total


def _wide(samples: Plane, axis: int) -> Plane:
    """Extend samples by what the ten taps of `_halve` reach beyond their ends, and to an even number."""
    return _extended(samples, 4, 4 + samples.shape[axis] % 2, axis)


def _extended(samples: Plane, before: int, after: int, axis: int) -> Plane:
    """Repeat the first and the last sample along an axis."""
    widths = [(0, 0), (0, 0)]
    widths[axis] = (before, after)
    return np.pad(samples, widths, mode="edge")


def _every_second(samples: Plane, start: int, axis: int) -> Plane:
    return (samples[start::2] if axis == 0 else samples[:, start::2]).astype(np.int32)


def _window(samples: Plane, start: int, count: int, axis: int) -> Plane:
    return samples[start : start + count] if axis == 0 else samples[:, start : start + count]


def _clamp(samples: Plane, depth: int, out: Plane) -> None:
    """Limit samples to those of ``depth`` bits; uses up ``samples``."""
    out[...] = np.clip(samples, 0, (1 << depth) - 1, out=samples)
