"""The order of sites: each once, and only known neighbours."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.models.lapped.lattice import AROUND, grid

CPU = torch.device("cpu")


@given(st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_means_come_once_each_and_look_at_what_came_before(height: int, width: int) -> None:
    known = {0}
    for phase in grid(height, width, CPU).means:
        sites = set(phase.sites.tolist())
        assert not sites & known
        assert set(phase.neighbours.flatten().tolist()) <= known
        known |= sites
    assert known == set(range(height * width))


@given(st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None, max_examples=40)
def test_the_second_colour_looks_at_the_first(height: int, width: int) -> None:
    first, second = grid(height, width, CPU).colours
    sites = set(first.sites.tolist())
    assert sites | set(second.sites.tolist()) == set(range(height * width))
    assert set(second.neighbours.flatten().tolist()) <= sites | {height * width}


def test_nearest_neighbours_on_the_finest_lattice() -> None:
    *_, middle, between = grid(8, 8, CPU).means
    assert (middle.stride, middle.diagonal, between.stride, between.diagonal) == (1, True, 1, False)
    at = {site: sorted(near[:4]) for site, near in zip(middle.sites.tolist(), middle.neighbours.tolist(), strict=True)}
    assert at[9] == [0, 2, 16, 18]
    at = {
        site: sorted(near[:4]) for site, near in zip(between.sites.tolist(), between.neighbours.tolist(), strict=True)
    }
    assert at[10] == [2, 9, 11, 18]
    assert at[1] == [0, 2, 9, 9], "what lies outside is mirrored"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5)])
def test_around_a_site(height: int, width: int) -> None:
    layout = grid(height, width, CPU)
    for site, near in enumerate(layout.around.tolist()):
        row, column = divmod(site, width)
        for (y, x), found in zip(AROUND, near, strict=True):
            inside = 0 <= row + y < height and 0 <= column + x < width
            assert found == ((row + y) * width + column + x if inside else height * width)
    assert layout.right.tolist()[-1] == layout.below.tolist()[-1] == height * width - 1
