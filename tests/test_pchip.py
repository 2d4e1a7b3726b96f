"""PCHIP against SciPy's."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from aebench.pchip import Pchip


@st.composite
def growing_points(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    count = draw(st.integers(2, 12))
    x, y = (
        list(itertools.accumulate(draw(st.lists(st.floats(1e-3, 10), min_size=count, max_size=count)))) for _ in "xy"
    )
    return x, y


@given(growing_points(), st.floats(0, 1), st.floats(0, 1))
def test_values_and_integrals_are_those_of_scipy(
    points: tuple[list[float], list[float]], one: float, other: float
) -> None:
    x, y = points
    ours, theirs = Pchip(x, y), PchipInterpolator(x, y)
    low, high = sorted(x[0] + share * (x[-1] - x[0]) for share in (one, other))
    for at in (*x, min(low, x[-1]), min(high, x[-1])):
        assert ours(at) == pytest.approx(float(theirs(at)), rel=1e-9)
    assert ours.integrate(low, high) == pytest.approx(float(theirs.integrate(low, high)), rel=1e-9, abs=1e-9)
