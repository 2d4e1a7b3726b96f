"""libbpg's filters that halve and double chroma.

Source: ``decimate2_h``, ``decimate2_hv`` (bpgenc.c) and ``interp2_h``, ``interp2_vh`` (libbpg.c) of libbpg 0.9.8.
Chroma of 4:2:0 and 4:2:2 lies between luma samples, as in JPEG; on reading also on them horizontally, as in MPEG-2
(BPG specification 0.9.5, clause 3.2, ``pixel_format``). Beyond its borders a plane goes on with its last sample.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from aebench.codecs.bpg.color import Plane

_Int = npt.NDArray[np.int32]

_HALVING: Final = (57, 17, -8, -4, 2)
"""Taps of samples 0 and 1, −1 and 2, … −4 and 5 (DP1C0 … DP1C4)."""
_BETWEEN: Final = (-1, 4, -10, 57, 18, -6, 2)
"""Taps of samples −3 … 3 for the position a quarter after sample 0; reversed, a quarter before it (IP1C0 … IP1C6)."""
_MIDWAY: Final = (40, -11, 4, -1)
"""Taps of samples 0 and 1, −1 and 2, … for the position midway between 0 and 1 (IP0C0 … IP0C3)."""


def halve_width(plane: Plane, depth: int) -> Plane:
    """Reduce 4:4:4 chroma to 4:2:2; a width of n becomes ceil(n / 2)."""
    return _clamp((_halve(plane, axis=1) + 64) >> 7, depth)


def halve(plane: Plane, depth: int) -> Plane:
    """Reduce 4:4:4 chroma to 4:2:0; a side of n becomes ceil(n / 2)."""
    shift = depth - 7
    rows = (_halve(plane, axis=1) + (1 << shift - 1)) >> shift
    shift = 21 - depth
    return _clamp((_halve(rows, axis=0) + (1 << shift - 1)) >> shift, depth)


def double_width(plane: Plane, width: int, depth: int, mpeg2_siting: bool) -> Plane:
    """Interpolate 4:2:2 chroma of ceil(width / 2) columns to ``width`` columns."""
    if mpeg2_siting:
        between = _clamp((_midway(plane) + 32) >> 6, depth)
        return _interleave(plane, between, axis=1)[:, :width]
    before, after = (_clamp((total + 32) >> 6, depth) for total in _quarters(plane, axis=1))
    return _interleave(before, after, axis=1)[:, :width]


def double(plane: Plane, height: int, width: int, depth: int, mpeg2_siting: bool) -> Plane:
    """Interpolate 4:2:0 chroma of ceil(height / 2) × ceil(width / 2) samples to ``height`` × ``width``."""
    shift = depth - 8
    before, after = ((total + (1 << shift >> 1)) >> shift for total in _quarters(plane, axis=0))
    rows = _interleave(before, after, axis=0)[:height]
    shift = 20 - depth
    half = 1 << shift - 1
    if mpeg2_siting:
        on = _clamp((rows + (1 << 14 - depth >> 1)) >> 14 - depth, depth)
        between = _clamp((_midway(rows) + half) >> shift, depth)
        return _interleave(on, between, axis=1)[:, :width]
    left, right = (_clamp((total + half) >> shift, depth) for total in _quarters(rows, axis=1))
    return _interleave(left, right, axis=1)[:, :width]


def _halve(samples: Plane, axis: int) -> _Int:
    """Weigh ten samples around every second gap with `_HALVING`; the sum is not yet scaled."""
    count = -(-samples.shape[axis] // 2)
    padded = _extended(samples, 4, 2 * count + 4 - samples.shape[axis], axis)
    even, odd = _every_second(padded, 0, axis), _every_second(padded, 1, axis)
    total = _window(even, 2, count, axis) + _window(odd, 2, count, axis)
    total *= _HALVING[0]
    # the two samples of a pair swap their parity from tap to tap
    for tap, weight in enumerate(_HALVING[1:], start=1):
        first, second = (odd, even) if tap % 2 else (even, odd)
        pair = _window(first, 2 - (tap + 1) // 2, count, axis) + _window(second, 2 + (tap + 1) // 2, count, axis)
        pair *= weight
        total += pair
    return total


def _quarters(samples: Plane, axis: int) -> tuple[_Int, _Int]:
    """Weigh seven samples around each with `_BETWEEN`, for the positions a quarter before and after it."""
    count = samples.shape[axis]
    padded = _extended(samples, 3, 3, axis)
    before = _window(padded, 3, count, axis) * _BETWEEN[3]
    after = before.copy()
    product = np.empty_like(before)  # made once: most of the time would go into fresh memory
    for tap in (0, 1, 2, 4, 5, 6):
        window = _window(padded, tap, count, axis)
        before += np.multiply(window, _BETWEEN[6 - tap], out=product)
        after += np.multiply(window, _BETWEEN[tap], out=product)
    return before, after


def _midway(samples: Plane) -> _Int:
    """Weigh eight samples of a row around the gap after each with `_MIDWAY`."""
    count = samples.shape[1]
    padded = _extended(samples, 3, 4, axis=1)
    total = np.zeros((samples.shape[0], count), np.int32)
    for tap, weight in enumerate(_MIDWAY):
        total += (_window(padded, 3 - tap, count, 1) + _window(padded, 4 + tap, count, 1)) * weight
    return total


def _extended(samples: Plane, before: int, after: int, axis: int) -> _Int:
    """Repeat the first and the last sample along an axis, as int32."""
    widths = [(0, 0), (0, 0)]
    widths[axis] = (before, after)
    return np.pad(samples.astype(np.int32), widths, mode="edge")


def _every_second(samples: _Int, start: int, axis: int) -> _Int:
    return np.ascontiguousarray(samples[start::2] if axis == 0 else samples[:, start::2])


def _window(samples: _Int, start: int, count: int, axis: int) -> _Int:
    return samples[start : start + count] if axis == 0 else samples[:, start : start + count]


def _interleave(first: Plane, second: Plane, axis: int) -> Plane:
    stacked = np.stack([first, second], axis=axis + 1)
    height, width = first.shape
    return stacked.reshape((2 * height, width) if axis == 0 else (height, 2 * width))


def _clamp(samples: _Int, depth: int) -> Plane:
    clamped = np.maximum(samples, 0)
    return np.minimum(clamped, (1 << depth) - 1, out=clamped).astype(np.uint8 if depth == 8 else np.uint16)
