"""Piecewise cubic Hermite interpolation of growing points.

F. N. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat.
Comput. 5(2), 1984, with the three-point slopes at the ends of C. Moler, "Numerical computing with MATLAB", 2004,
section 3.6: what MATLAB and SciPy call PCHIP. Plain numbers, as curves have a dozen points: SciPy takes longer to be
imported than a report of thousands of curves takes here.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence


class Pchip:
    """The interpolant of some points: monotone between them, with a continuous first derivative.

    Parameters
    ----------
    x, y : sequences of float
        Two points or more, both coordinates growing strictly.
    """

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        widths = [right - left for left, right in itertools.pairwise(x)]
        secants = [(high - low) / width for (low, high), width in zip(itertools.pairwise(y), widths, strict=True)]
        slopes = _slopes(widths, secants)
        self._x = x
        self._pieces: list[tuple[float, float, float, float]] = []  # coefficients of 1, t, t², t³ from the left point
        self._areas = [0.0]  # from the first point to each
        for left, width, secant, (slope, next_slope) in zip(
            y[:-1], widths, secants, itertools.pairwise(slopes), strict=True
        ):
            square = (3 * secant - 2 * slope - next_slope) / width
            cube = (slope + next_slope - 2 * secant) / width**2
            self._pieces.append((left, slope, square, cube))
            self._areas.append(self._areas[-1] + _area(self._pieces[-1], width))

    def __call__(self, at: float) -> float:
        """Evaluate between the first and the last point."""
        index = self._piece(at)
        value, slope, square, cube = self._pieces[index]
        t = at - self._x[index]
        return value + t * (slope + t * (square + t * cube))

    def integrate(self, low: float, high: float) -> float:
        """Integrate between two places from the first to the last point."""
        return self._area_to(high) - self._area_to(low)

    def _area_to(self, at: float) -> float:
        index = self._piece(at)
        return self._areas[index] + _area(self._pieces[index], at - self._x[index])

    def _piece(self, at: float) -> int:
        return min(bisect_right(self._x, at), len(self._pieces)) - 1


def _area(piece: tuple[float, float, float, float], t: float) -> float:
    """Integrate a piece from its left point over a length."""
    value, slope, square, cube = piece
    return t * (value + t * (slope / 2 + t * (square / 3 + t * (cube / 4))))


def _slopes(widths: Sequence[float], secants: Sequence[float]) -> list[float]:
    """Choose the derivative at every point: within, the weighted harmonic mean of the secants beside it."""
    if len(secants) == 1:
        return [secants[0], secants[0]]
    within = [
        3 * (w0 + w1) / ((w0 + 2 * w1) / s0 + (2 * w0 + w1) / s1)
        for (w0, w1), (s0, s1) in zip(itertools.pairwise(widths), itertools.pairwise(secants), strict=True)
    ]
    first = _end_slope(widths[0], widths[1], secants[0], secants[1])
    last = _end_slope(widths[-1], widths[-2], secants[-1], secants[-2])
    return [first, *within, last]


def _end_slope(width: float, next_width: float, secant: float, next_secant: float) -> float:
    """Take the slope of the parabola through three points, where that grows."""
    return max(((2 * width + next_width) * secant - width * next_secant) / (width + next_width), 0.0)
