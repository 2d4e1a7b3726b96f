from __future__ import annotations

import numpy as np
import pytest

from aebench.codecs import Rgb, bpg


def test_size_of_the_smallest_file() -> None:
    """One block of 16×16 samples in three planes; header, parameter sets and slice header take 31 bytes."""
    assert len(bpg.encode(np.zeros((1, 1, 3), np.uint8) + 77)) == 3 * 256 + 31


def test_qp_has_no_effect(photograph: Rgb) -> None:
    rgb = photograph[:32, :100]
    assert bpg.encode(rgb, qp=51) == bpg.encode(rgb, qp=0) == bpg.encode(rgb, lossless=True)


@pytest.mark.parametrize("depth", [8, 10])
def test_so_many_blocks_that_every_state_of_the_context_comes_by(photograph: Rgb, depth: int) -> None:
    rgb = np.hstack([photograph[:20]] * 3)
    again = bpg.decode(bpg.encode(rgb, depth=depth))
    assert np.abs(again.astype(int) - rgb).max() == (1 if depth == 8 else 0)


def test_samples_that_look_like_start_codes() -> None:
    for value in range(4):
        rgb = np.zeros((32, 32, 3), np.uint8)
        rgb[::3] = value
        assert np.abs(bpg.decode(bpg.encode(rgb)).astype(int) - rgb).max() <= 2
