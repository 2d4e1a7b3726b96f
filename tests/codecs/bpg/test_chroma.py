"""Against libbpg's loops, written out for single samples."""

from __future__ import annotations

import numpy as np
import pytest

from aebench.codecs.bpg import chroma

QUARTER = [-1, 4, -10, 57, 18, -6, 2]
SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (4, 4), (7, 12), (16, 9), (31, 30)]

Rows = list[list[int]]


def at(samples: list[int], position: int) -> int:
    return samples[min(max(position, 0), len(samples) - 1)]


def clamp(value: int, depth: int) -> int:
    return min(max(value, 0), (1 << depth) - 1)


def transposed(rows: Rows) -> Rows:
    return [list(column) for column in zip(*rows, strict=True)]


def decimated(samples: list[int]) -> list[int]:
    """``decimate2p1_simple`` before rounding, bpgenc.c 0.9.8."""
    taps = {0: 57, -1: 17, -2: -8, -3: -4, -4: 2}
    starts = range(0, len(samples), 2)
    return [sum(tap * (at(samples, i + k) + at(samples, i + 1 - k)) for k, tap in taps.items()) for i in starts]


def interpolated(samples: list[int]) -> list[tuple[int, int]]:
    """``interp2p1_simple`` before rounding, libbpg.c 0.9.8."""
    found = []
    for i in range(len(samples)):
        around = [at(samples, i + k) for k in range(-3, 4)]
        totals = [sum(a * b for a, b in zip(around, taps, strict=True)) for taps in (QUARTER[::-1], QUARTER)]
        found.append((totals[0], totals[1]))
    return found


def midway(samples: list[int]) -> list[int]:
    """``interp2p0_simple`` before rounding, libbpg.c 0.9.8."""
    taps = {0: 40, 1: -11, 2: 4, 3: -1}
    return [
        sum(tap * (at(samples, i - k) + at(samples, i + 1 + k)) for k, tap in taps.items()) for i in range(len(samples))
    ]


def on_and_midway(samples: list[int]) -> list[tuple[int, int]]:
    """Samples themselves, scaled as the sums of the filters, and those midway between."""
    return [(sample << 6, between) for sample, between in zip(samples, midway(samples), strict=True)]


def random_plane(height: int, width: int, depth: int) -> np.ndarray:
    plane = np.random.default_rng(height * 100 + width).integers(0, 1 << depth, (height, width))
    plane[plane < 1 << depth - 2] = 0  # so that filters overshoot and are clamped
    return plane.astype(np.uint8 if depth == 8 else np.uint16)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_halve_width(height: int, width: int, depth: int) -> None:
    plane = random_plane(height, width, depth)
    wanted = [[clamp((total + 64) >> 7, depth) for total in decimated(row)] for row in plane.tolist()]
    assert chroma.halve_width(plane, depth).tolist() == wanted


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_halve(height: int, width: int, depth: int) -> None:
    plane = random_plane(height, width, depth)
    shift = depth - 7
    rows = [[(total + (1 << shift >> 1)) >> shift for total in decimated(row)] for row in plane.tolist()]
    shift = 21 - depth
    columns = [
        [clamp((total + (1 << shift >> 1)) >> shift, depth) for total in decimated(column)]
        for column in transposed(rows)
    ]
    assert chroma.halve(plane, depth).tolist() == transposed(columns)


@pytest.mark.parametrize("mpeg2_siting", [False, True])
@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_double_width(height: int, width: int, depth: int, mpeg2_siting: bool) -> None:
    plane = random_plane(height, (width + 1) // 2, depth)
    wanted = []
    for row in plane.tolist():
        pairs = on_and_midway(row) if mpeg2_siting else interpolated(row)
        wanted.append([clamp((total + 32) >> 6, depth) for pair in pairs for total in pair][:width])
    assert chroma.double_width(plane, width, depth, mpeg2_siting).tolist() == wanted


@pytest.mark.parametrize("mpeg2_siting", [False, True])
@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_double(height: int, width: int, depth: int, mpeg2_siting: bool) -> None:
    plane = random_plane((height + 1) // 2, (width + 1) // 2, depth)
    shift = depth - 8
    columns = [
        [(total + (1 << shift >> 1)) >> shift for pair in interpolated(column) for total in pair][:height]
        for column in transposed(plane.tolist())
    ]
    wanted = []
    for row in transposed(columns):
        shift = 20 - depth
        pairs = on_and_midway(row) if mpeg2_siting else interpolated(row)
        wanted.append([clamp((total + (1 << shift - 1)) >> shift, depth) for pair in pairs for total in pair][:width])
    assert chroma.double(plane, height, width, depth, mpeg2_siting).tolist() == wanted
