"""Averages of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from aebench import Rgb
from aebench.codecs import codecs
from aebench.codecs.box_downsample import BoxDownsample
from aebench.errors import CodecError


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 256])
def test_every_pixel_is_the_rounded_average_of_its_box(photograph: Rgb, factor: int) -> None:
    rgb = photograph[100:141, 200:259]
    codec = BoxDownsample(factor=factor)
    decoded = codec.decode(codec.encode(rgb))
    for top in range(0, rgb.shape[0], factor):
        for left in range(0, rgb.shape[1], factor):
            box = np.s_[top : top + factor, left : left + factor]
            average = np.floor(rgb[box].mean(axis=(0, 1), dtype=np.float64) + 0.5)
            assert (decoded[box] == average).all()


def test_halves_are_rounded_up() -> None:
    rgb = np.array([[[0, 1, 254], [1, 2, 255]]], np.uint8)
    assert BoxDownsample(factor=2).decode(BoxDownsample(factor=2).encode(rgb)).tolist() == [[[1, 2, 255]] * 2]


def test_it_takes_24_bits_a_box_and_eight_bytes(photograph: Rgb) -> None:
    assert [len(codec.encode(photograph)) for codec in codecs("box-downsample[factor=1|2|16]")] == [
        8 + 3 * 512 * 512,
        8 + 3 * 256 * 256,
        8 + 3 * 32 * 32,
    ]
    assert np.array_equal(BoxDownsample(factor=1).decode(BoxDownsample(factor=1).encode(photograph)), photograph)


def test_the_brightest_image_overflows_nothing() -> None:
    white = np.full((300, 300, 3), 255, np.uint8)
    assert np.array_equal(BoxDownsample(factor=256).decode(BoxDownsample(factor=256).encode(white)), white)


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(8), b"\0\0\0\1\0\0\0\1", b"\xff" * 11])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        BoxDownsample().decode(data)


def test_the_stream_of_another_factor_is_refused(crop: Rgb) -> None:
    with pytest.raises(CodecError, match=r"are not those of 192×128 pixels at box-downsample\[factor=3\]"):
        BoxDownsample(factor=3).decode(BoxDownsample(factor=4).encode(crop))
