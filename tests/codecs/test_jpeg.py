"""JPEG by Pillow."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from aebench import Rgb, codec
from aebench.codecs import codecs
from aebench.codecs.jpeg import Jpeg
from aebench.errors import CodecError
from aebench.metrics import mse, psnr

PUBLISHED = {5: (23.8522, 0.22115), 30: (30.4915, 0.65979), 50: (32.1738, 0.90552), 75: (34.5221, 1.36760)}
PUBLISHED |= {95: (40.5604, 3.39192)}
"""Means over Kodak, (dB, bpp), that another tool measured with Pillow's defaults."""


@pytest.mark.parametrize("quality", PUBLISHED)
def test_kodak_means_are_the_published_ones(kodak: list[Path], quality: int) -> None:
    jpeg, qualities, rates = Jpeg(quality=quality), [], []
    for path in kodak:
        rgb = np.array(Image.open(path))
        data = jpeg.encode(rgb)
        qualities.append(psnr(mse(jpeg.decode(data), rgb)))
        rates.append(8 * len(data) / (rgb.shape[0] * rgb.shape[1]))
    assert np.mean(qualities) == pytest.approx(PUBLISHED[quality][0], abs=1e-3)
    assert np.mean(rates) == pytest.approx(PUBLISHED[quality][1], abs=1e-5)


def test_default_is_pillows(crop: Rgb) -> None:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "JPEG")
    assert Jpeg().encode(crop) == file.getvalue()
    assert np.array_equal(Jpeg().decode(file.getvalue()), np.array(Image.open(file)))


@pytest.mark.parametrize(("chroma", "sampling"), [("420", (2, 2)), ("422", (2, 1)), ("444", (1, 1))])
def test_chroma_is_sampled_as_named(crop: Rgb, chroma: str, sampling: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(Jpeg(chroma=chroma).encode(crop))) as image:
        assert image.layer[0][1:3] == sampling  # type: ignore[attr-defined]


def test_optimised_tables_and_progression_cost_no_quality(crop: Rgb) -> None:
    plain, optimised, progressive = (
        codec(name) for name in ("jpeg", "jpeg[optimize=true]", "jpeg[optimize=true,progressive=true]")
    )
    assert len(optimised.encode(crop)) < len(plain.encode(crop))
    pixels = plain.decode(plain.encode(crop))
    assert np.array_equal(optimised.decode(optimised.encode(crop)), pixels)
    assert np.array_equal(progressive.decode(progressive.encode(crop)), pixels)
    assert b"\xff\xc2" in progressive.encode(crop)


def test_noise_fits_the_buffer_of_optimised_files(capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 2, (300, 300, 3)).astype(np.uint8) * 255
    usual = ImageFile.MAXBLOCK
    for jpeg in codecs("jpeg[quality=50|94|100,chroma=444,optimize=true|false,progressive=true|false]"):
        assert jpeg.decode(jpeg.encode(noise)).shape == noise.shape
    assert usual == ImageFile.MAXBLOCK
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("width", "height"), [(65_501, 1), (1, 65_501)])
def test_sides_above_the_limit_of_libjpeg_are_refused(
    width: int, height: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CodecError, match="65500"):
        Jpeg().encode(np.zeros((height, width, 3), np.uint8))
    longest = np.zeros((1, 65_500, 3), np.uint8)
    assert Jpeg().decode(Jpeg().encode(longest)).shape == longest.shape
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_numbers_of_components_are_refused(crop: Rgb, mode: str) -> None:
    file = io.BytesIO()
    Image.fromarray(crop).convert(mode).save(file, "JPEG")
    with pytest.raises(CodecError, match=mode):
        Jpeg().decode(file.getvalue())


def test_a_declared_size_is_checked_before_it_is_allocated(crop: Rgb) -> None:
    data = bytearray(Jpeg().encode(crop))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(CodecError, match="65535×65535 is not a size"):
        Jpeg().decode(bytes(data))


def test_version_names_pillow_and_its_libjpeg() -> None:
    assert Jpeg().version().startswith("pillow ")
    assert ", libjpeg" in Jpeg().version()
