"""JPEG XL by imagecodecs."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from aebench import Rgb, codec
from aebench.codecs import codecs
from aebench.codecs.jxl import Jxl, _declared_size
from aebench.errors import CodecError, SettingError
from aebench.metrics import mse, psnr

needs_imagecodecs = pytest.mark.skipif(find_spec("imagecodecs") is None, reason="imagecodecs is not installed")


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, crop: Rgb) -> None:
    arrived = object.__new__(Jxl)  # as it arrives, pickled, on a machine without the package
    for name, value in {"distance": 1.0, "effort": 7, "lossless": False}.items():
        object.__setattr__(arrived, name, value)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    message = r"codec 'jxl' is not available: it needs imagecodecs; pip install 'aebench\[jxl\]'"
    with pytest.raises(SettingError, match=message):
        codec("jxl")
    with pytest.raises(CodecError, match=message):
        arrived.encode(crop)


@needs_imagecodecs
def test_lossless_keeps_every_pixel(crop: Rgb) -> None:
    jxl = Jxl(lossless=True)
    assert np.array_equal(jxl.decode(jxl.encode(crop)), crop)


@needs_imagecodecs
def test_the_number_of_threads_changes_no_byte(crop: Rgb) -> None:
    import imagecodecs

    data = imagecodecs.jpegxl_encode(crop, distance=1.0, effort=7, usecontainer=False, numthreads=4)
    assert Jxl().encode(crop) == data


@needs_imagecodecs
def test_effort_is_used(crop: Rgb) -> None:
    assert len({Jxl(effort=effort).encode(crop) for effort in (3, 7, 9)}) == 3


@needs_imagecodecs
@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (8, 16), (256, 256), (64, 96), (30, 36), (180, 320), (300, 17), (9000, 1), (1, 600)]
)
def test_the_header_is_read_as_libjxl_writes_it(height: int, width: int) -> None:
    """Sides in multiples of 8 or not, of 9 to 14 bits, and in the ratios that the header abbreviates."""
    data = Jxl(effort=1).encode(np.zeros((height, width, 3), np.uint8))
    assert _declared_size(data) == (width, height)
    assert Jxl().decode(data).shape == (height, width, 3)


@needs_imagecodecs
def test_other_kinds_of_image_are_refused(crop: Rgb) -> None:
    import imagecodecs

    for image in (crop[..., 0], crop.astype(np.uint16), np.dstack([crop, crop[..., 0]])):
        data = bytes(imagecodecs.jpegxl_encode(np.ascontiguousarray(image), distance=1.0, usecontainer=False))
        with pytest.raises(CodecError, match="declares 192×128 pixels and holds"):
            Jxl().decode(data)


@needs_imagecodecs
@pytest.mark.slow
def test_kodak_rates_reach_from_a_sixth_to_two_bits(kodak: list[Path]) -> None:
    from PIL import Image

    images = [np.array(Image.open(path)) for path in kodak[::6]]
    sweep = codecs("jxl")
    rates = [np.mean([8 * len(c.encode(rgb)) / rgb[..., 0].size for rgb in images]) for c in (sweep[0], sweep[-1])]
    assert rates[0] < 0.18
    assert rates[1] > 2


@needs_imagecodecs
def test_a_distance_of_one_is_hard_to_see(photograph: Rgb) -> None:
    assert psnr(mse(Jxl().decode(Jxl().encode(photograph)), photograph)) > 35


@needs_imagecodecs
def test_version_names_both_libraries() -> None:
    assert [part.split(" ")[0] for part in Jxl().version().split(", ")] == ["imagecodecs", "libjxl"]


@needs_imagecodecs
@pytest.mark.parametrize("data", [b"", b"\xff\x0a", b"\xff\x0a" + b"\xff" * 12, b"\x00\x00\x00\x0cJXL \r\n\x87\n"])
def test_what_is_no_codestream_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        Jxl().decode(data)


def test_a_declared_size_is_checked_before_it_is_allocated() -> None:
    header = 0 | 3 << 1 | (2**30 - 1) << 3 | 1 << 33  # not small; 30 bits; the height less 1; as wide as high
    with pytest.raises(CodecError, match=f"{2**30}×{2**30} is not a size"):
        _declared_size(b"\xff\x0a" + header.to_bytes(8, "little"))
