"""WebP by Pillow."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench import Rgb
from aebench.codecs import codecs
from aebench.codecs.webp import WebP
from aebench.errors import CodecError


def test_it_is_the_file_that_pillow_writes(crop: Rgb) -> None:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "WEBP", method=6)
    assert WebP().encode(crop) == file.getvalue()
    assert np.array_equal(WebP().decode(file.getvalue()), np.array(Image.open(file)))


def test_lossless_keeps_every_pixel(crop: Rgb) -> None:
    codec = WebP(lossless=True)
    assert np.array_equal(codec.decode(codec.encode(crop)), crop)


def test_more_effort_takes_fewer_bytes(photograph: Rgb) -> None:
    sizes = [len(WebP(method=method).encode(photograph)) for method in (0, 4, 6)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(("width", "height"), [(16_384, 1), (1, 16_384)])
def test_sides_above_the_limit_of_the_format_are_refused(width: int, height: int) -> None:
    with pytest.raises(CodecError, match="16383"):
        WebP().encode(np.zeros((height, width, 3), np.uint8))
    longest = np.zeros((1, 16_383, 3), np.uint8)
    assert WebP().decode(WebP().encode(longest)).shape == longest.shape


def test_transparent_and_moving_images_are_refused(crop: Rgb) -> None:
    transparent, moving = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.dstack([crop, crop[..., 0]])).save(transparent, "WEBP")
    Image.fromarray(crop).save(moving, "WEBP", save_all=True, append_images=[Image.fromarray(crop[::-1])])
    with pytest.raises(CodecError, match="1 images, of mode RGBA"):
        WebP().decode(transparent.getvalue())
    with pytest.raises(CodecError, match="2 images"):
        WebP().decode(moving.getvalue())


@pytest.mark.parametrize("side", [12_000, 16_383])
def test_a_declared_size_is_checked_before_it_is_decoded(
    crop: Rgb, side: int, recwarn: pytest.WarningsRecorder
) -> None:
    """Pillow warns of the smaller one and refuses the larger."""
    data = bytearray(WebP().encode(crop))
    data[26:30] = struct.pack("<HH", side, side)  # RFC 6386, 9.1
    with pytest.raises(CodecError, match=r"12000×12000 is not a size|exceeds limit"):
        WebP().decode(bytes(data))
    assert not recwarn


@pytest.mark.slow
def test_kodak_rates_reach_from_a_sixth_to_two_bits(kodak: list[Path]) -> None:
    images = [np.array(Image.open(path)) for path in kodak[::6]]
    sweep = codecs("webp")
    rates = [np.mean([8 * len(c.encode(rgb)) / rgb[..., 0].size for rgb in images]) for c in (sweep[0], sweep[-1])]
    assert rates[0] < 0.17
    assert rates[1] > 2


def test_version_names_pillow_and_libwebp() -> None:
    assert [part.split(" ")[0] for part in WebP().version().split(", ")] == ["pillow", "libwebp"]
    assert "None" not in WebP().version()
