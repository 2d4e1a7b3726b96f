"""Against libbpg's loops, written out for single samples."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from aebench.codecs.bpg import color
from aebench.codecs.bpg.header import COLOR_SPACES
from aebench.color import rgb_to_ycbcr_bt601

KR_KB = {"ycbcr-bt601": (0.299, 0.114), "ycbcr-bt709": (0.2126, 0.0722), "ycbcr-bt2020": (0.2627, 0.0593)}


def int32(value: int) -> int:
    return ctypes.c_int32(value).value


def bpgdec_pixel(sample: tuple[int, int, int], space: str, depth: int, limited: bool) -> list[int]:
    """``convert_init`` and the function of ``cs_to_rgb24`` for one sample, libbpg.c 0.9.8."""
    shift = 30 - 8
    highest = (1 << depth) - 1
    mult_y = 255 * (1 << shift) / ((219 << depth - 8) if limited else highest)
    mult_c = 255 * (1 << shift) / ((224 << depth - 8) if limited else highest)
    one = round(mult_y)
    offset = (-(16 << depth - 8) * one if limited else 0) + (1 << shift - 1)
    y, cb, cr = sample
    if space == "rgb":
        totals = [cr * one + offset, y * one + offset, cb * one + offset]
    elif space == "ycgco":
        cg, co = cb - (1 << depth - 1), cr - (1 << depth - 1)
        totals = [(y - cg + co) * one + offset, (y + cg) * one + offset, (y - cg - co) * one + offset]
    else:
        kr, kb = KR_KB[space]
        cb, cr = cb - (1 << depth - 1), cr - (1 << depth - 1)
        totals = [
            y * one + round(2 * (1 - kr) * mult_c) * cr + offset,
            y * one
            - round(2 * kb * (1 - kb) / (1 - kb - kr) * mult_c) * cb
            - round(2 * kr * (1 - kr) / (1 - kb - kr) * mult_c) * cr
            + offset,
            y * one + round(2 * (1 - kb) * mult_c) * cb + offset,
        ]
    return [min(max(int32(total) >> shift, 0), 255) for total in totals]


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("depth", [8, 9, 10, 12])
@pytest.mark.parametrize("space", COLOR_SPACES)
def test_to_rgb(space: str, depth: int, limited: bool) -> None:
    highest = (1 << depth) - 1
    ends = np.array(np.meshgrid(*[[0, highest // 2, highest]] * 3)).reshape(3, -1)
    samples = np.hstack([ends, np.random.default_rng(1).integers(0, highest + 1, (3, 300))])
    planes = samples.astype(np.uint8 if depth == 8 else np.uint16)[:, np.newaxis]
    wanted = [bpgdec_pixel((int(y), int(cb), int(cr)), space, depth, limited) for y, cb, cr in samples.T]
    assert color.to_rgb(*planes, space, depth, limited)[0].tolist() == wanted


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("depth", [8, 10])
def test_grey_to_rgb_is_luma_in_all_channels(depth: int, limited: bool) -> None:
    y = np.arange(1 << depth).astype(np.uint8 if depth == 8 else np.uint16)[np.newaxis]
    rgb = color.grey_to_rgb(y, depth, limited)
    assert np.array_equal(rgb, color.to_rgb(y, y, y, "rgb", depth, limited))


@pytest.mark.parametrize("depth", [8, 10])
def test_rgb_to_ycbcr_rounds_the_exact_value(depth: int) -> None:
    grid = np.array(np.meshgrid(*[[0, 1, 63, 127, 128, 200, 254, 255]] * 3)).reshape(3, -1).T
    rgb = np.vstack([grid, np.random.default_rng(2).integers(0, 256, (5000, 3))]).astype(np.uint8)[np.newaxis]
    planes = color.rgb_to_ycbcr(rgb, depth)
    highest = (1 << depth) - 1
    exact = rgb_to_ycbcr_bt601(rgb) * highest / 255 + [0, 1 << depth - 1, 1 << depth - 1]
    for plane, wanted in zip(planes, np.moveaxis(exact, -1, 0), strict=True):
        assert plane.dtype == (np.uint8 if depth == 8 else np.uint16)
        assert np.abs(plane - np.minimum(wanted, highest)).max() <= 0.5 + 1e-4


def test_rgb_to_ycbcr_of_known_colours() -> None:
    rgb = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]]], np.uint8)
    y, cb, cr = (plane[0].tolist() for plane in color.rgb_to_ycbcr(rgb, 8))
    assert (y, cb, cr) == ([0, 255, 76, 29], [128, 128, 85, 255], [128, 128, 255, 107])


def test_ten_bits_come_back_exactly() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    assert np.array_equal(color.to_rgb(*color.rgb_to_ycbcr(rgb, 10), "ycbcr-bt601", 10, False), rgb)


def test_eight_bits_come_back_within_one() -> None:
    rgb = np.random.default_rng(4).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    again = color.to_rgb(*color.rgb_to_ycbcr(rgb, 8), "ycbcr-bt601", 8, False)
    assert np.abs(again.astype(int) - rgb).max() == 1


def test_a_picture_of_many_blocks_is_converted_whole() -> None:
    rgb = np.random.default_rng(5).integers(0, 256, (1, 70000, 3)).astype(np.uint8)
    tall = rgb.reshape(70000, 1, 3)
    for wide, high in zip(color.rgb_to_ycbcr(rgb, 8), color.rgb_to_ycbcr(tall, 8), strict=True):
        assert np.array_equal(wide.ravel(), high.ravel())
