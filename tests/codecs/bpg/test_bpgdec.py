"""Bellard's bpgdec decodes our files to our pixels: run where it is on the PATH."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench.codecs import Rgb, bpg

SIZES = [
    (1, 1),
    (1, 2),
    (8, 8),
    (9, 3),
    (16, 16),
    (20, 700),
    (32, 33),
    (33, 33),
    (33, 57),
    (57, 33),
    (57, 57),
    (63, 65),
]
SIZES += [(64, 64), (99, 333), (101, 57)]

Bpgdec = Callable[[bytes], Rgb]


@pytest.mark.parametrize("chroma", ["444", "420", "422", "grey"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_sizes(bpgdec: Bpgdec, photograph: Rgb, height: int, width: int, chroma: str) -> None:
    rgb = np.hstack([photograph, photograph])[100 : 100 + height, 100 : 100 + width]
    for options in ({"qp": 12}, {"qp": 40}, {"lossless": True}):
        data = bpg.encode(rgb, chroma=chroma, **options)  # type: ignore[arg-type]
        assert np.array_equal(bpgdec(data), bpg.decode(data)), options


@pytest.mark.parametrize("chroma", ["444", "grey"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 57), (127, 130)])
def test_ten_bits(bpgdec: Bpgdec, photograph: Rgb, height: int, width: int, chroma: str) -> None:
    rgb = photograph[100 : 100 + height, 100 : 100 + width]
    for options in ({"qp": 22}, {"lossless": True}):
        data = bpg.encode(rgb, chroma=chroma, depth=10, **options)  # type: ignore[arg-type]
        assert np.array_equal(bpgdec(data), bpg.decode(data)), options


@pytest.mark.slow
@pytest.mark.parametrize("chroma", ["444", "420"])
def test_kodak(bpgdec: Bpgdec, kodak: list[Path], chroma: str) -> None:
    for index, path in enumerate(kodak):
        rgb = np.array(Image.open(path).convert("RGB"))
        data = bpg.encode(rgb, qp=17 + index % 11 * 3, chroma=chroma)
        assert np.array_equal(bpgdec(data), bpg.decode(data)), path.name
