"""The distributions of quantised coefficients: a small family, of which every member is a stored table of frequencies.

A member has a mean (a multiple of 1/8), a scale s (one of 44, a quarter of an octave apart, the smallest further) and a
shape (one of 4):

    p(q) = (1 − w) L(q − mean; s) + w L(q − mean; 3 s)

where L(x; s) is the logistic distribution's mass between x − ½ and x + ½, and w depends on the shape. The integer part
of the mean shifts the symbol and its sign mirrors it, so that five fractions remain; of wide members the mean is
rounded to an integer. Training computes p; coding looks it up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

SCALES, SHAPES, FRACTIONS = 44, 4, 5
MEAN_BITS = 3
LARGEST_MEAN = 4095.0
UNIT_SCALE = 19
"""Index of the scale 1."""

_SMALL, _SMALLER = 6, 0.35
"""Below this index scales fall faster, by so many more octaves each: of coefficients that are as good as known."""

_WIDE = 23
"""From this scale on, the fraction of the mean is rounded away."""

_LARGEST_RADIUS = 511
_RARE = 2.0**-24
"""Probability, at least, that training gives to anything: what escapes from the tables costs some 24 bits."""

TABLES = SHAPES * (_WIDE * FRACTIONS + SCALES - _WIDE)


@dataclass(frozen=True)
class Members:
    """Members of the family, one a coefficient: Tensors of one shape, with gradients in training.

    `mean` holds multiples of 1/8; `scale` and `shape` hold indices as floats.
    """

    mean: Tensor
    scale: Tensor
    shape: Tensor


def bits(q: Tensor, members: Members) -> Tensor:
    """Return -log2 p(q), with gradients to the members."""
    wide = torch.sigmoid(2 * members.shape - 5.5)
    inverse = torch.exp2((UNIT_SCALE - members.scale) / 4 + (_SMALL - members.scale).clamp(min=0) * _SMALLER)
    distance = (q - members.mean).abs()
    outer, inner = -(distance + 0.5) * inverse, (0.5 - distance) * inverse
    narrow_mass = torch.sigmoid(inner) - torch.sigmoid(outer)
    wide_mass = torch.sigmoid(inner / 3) - torch.sigmoid(outer / 3)
    return -torch.log2(narrow_mass + wide * (wide_mass - narrow_mass) + _RARE)


def radius(scale: int) -> int:
    """Return the largest |q − mean| that has a symbol of its own; beyond it is the escape."""
    return int(min(np.ceil(24 * _scale(scale)) + 1, _LARGEST_RADIUS))


def offsets() -> npt.NDArray[np.int64]:
    """Return where each table starts in the concatenation of all, and where the last ends."""
    sizes = [2 * radius(_scale_of(table)) + 2 for table in range(TABLES)]
    return np.concatenate([[0], np.cumsum(sizes)])


def frequencies() -> npt.NDArray[np.uint16]:
    """Compute all tables, one after the other: per table the frequencies of −radius … radius, and of the escape.

    Each sums to about 2¹⁶, and none is below 1.
    """
    tables = []
    for table in range(TABLES):
        scale = _scale_of(table)
        shape, fraction = (table // FRACTIONS % SHAPES, table % FRACTIONS) if scale < _WIDE else (table % SHAPES, 0)
        reach, s = radius(scale), _scale(scale)
        w = 1 / (1 + np.exp(5.5 - 2 * shape))
        edges = np.arange(-reach, reach + 2, dtype=np.float64) - 0.5 - fraction / 8
        below = (1 - w) * _logistic(edges / s) + w * _logistic(edges / (3 * s))
        mass = np.append(np.diff(below), below[0] + 1 - below[-1])
        tables.append(np.maximum(np.round(mass * (2**16 - len(mass))), 1).astype(np.uint16))
    return np.concatenate(tables)


def table_of(members: Members) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return for each coefficient, in one row, its table, the integer to subtract, and whether to negate what is left.

    All arithmetic is on integers.
    """
    eighths, scale, shape = (
        (values.cpu().numpy() * unit).astype(np.int32).ravel()
        for values, unit in ((members.mean, 2**MEAN_BITS), (members.scale, 1), (members.shape, 1))
    )
    integer = (eighths + 4) >> MEAN_BITS
    rest = eighths - (integer << MEAN_BITS)
    narrow = (scale * SHAPES + shape) * FRACTIONS + np.abs(rest)
    wide = _WIDE * SHAPES * FRACTIONS + (scale - _WIDE) * SHAPES + shape
    return np.where(scale < _WIDE, narrow, wide).astype(np.int16), integer, (rest < 0) & (scale < _WIDE)


def _scale(index: int) -> float:
    return float(2 ** ((index - UNIT_SCALE) / 4 - max(_SMALL - index, 0) * _SMALLER))


def _scale_of(table: int) -> int:
    first_wide = _WIDE * SHAPES * FRACTIONS
    return table // (SHAPES * FRACTIONS) if table < first_wide else _WIDE + (table - first_wide) // SHAPES


def _logistic(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 0.5 * (1 + np.tanh(x / 2))
