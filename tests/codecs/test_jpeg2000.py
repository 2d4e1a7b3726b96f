"""JPEG 2000 by glymur and OpenJPEG."""

from __future__ import annotations

import io
import struct
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from aebench import Rgb
from aebench.codecs import jpeg2000
from aebench.codecs.jpeg2000 import Jpeg2000
from aebench.errors import CodecError
from aebench.metrics import mse, psnr

MEANS = {2.3973: (2.395, 42.26), 0.5988: (0.598, 33.05), 0.1489: (0.1485, 27.50)}
"""Means over Kodak, (bpp, dB), of glymur with ``irreversible=True`` and ``cratios=[24 / bpp]``, by target rate."""


@pytest.mark.slow
@pytest.mark.parametrize("bpp", MEANS)
def test_kodak_means(kodak: list[Path], bpp: float) -> None:
    codec, rates, qualities = Jpeg2000(bpp=bpp), [], []
    for path in kodak:
        rgb = np.array(Image.open(path))
        data = codec.encode(rgb)
        rates.append(8 * len(data) / (rgb.shape[0] * rgb.shape[1]))
        qualities.append(psnr(mse(codec.decode(data), rgb)))
    assert np.mean(rates) == pytest.approx(MEANS[bpp][0], abs=1e-3)
    assert np.mean(qualities) == pytest.approx(MEANS[bpp][1], abs=0.01)


def test_the_file_is_one_that_pillow_reads_to_the_same_pixels(crop: Rgb) -> None:
    data = Jpeg2000().encode(crop)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG2000"
        assert np.array_equal(np.array(image), Jpeg2000().decode(data))


def test_the_rate_asked_for_is_the_rate_of_the_file(photograph: Rgb) -> None:
    for bpp in (0.25, 1.0, 3.0):
        rate = 8 * len(Jpeg2000(bpp=bpp).encode(photograph)) / photograph[..., 0].size
        assert 0.97 * bpp < rate <= 1.001 * bpp


def test_the_colour_transform_is_on(photograph: Rgb) -> None:
    """Without it, grey coded as three like channels takes about as many bytes each."""
    grey = np.repeat(photograph[..., 1:2], 3, axis=2)
    codec = Jpeg2000(bpp=24, irreversible=False)
    assert len(codec.encode(grey)) < 1.1 * len(codec.encode(photograph)) / 2


def test_reversible_at_full_rate_is_lossless(crop: Rgb) -> None:
    codec = Jpeg2000(bpp=24, irreversible=False)
    assert np.array_equal(codec.decode(codec.encode(crop)), crop)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (31, 33), (32, 32)])
def test_as_many_resolutions_as_the_shorter_side_allows(photograph: Rgb, shape: tuple[int, int]) -> None:
    rgb = photograph[: shape[0], : shape[1]]
    codec = Jpeg2000(bpp=24)
    assert psnr(mse(codec.decode(codec.encode(rgb)), rgb)) > 45


def test_threads_may_share_it(photograph: Rgb) -> None:
    pieces = [photograph[y : y + 64, x : x + 96] for y in range(0, 256, 64) for x in range(0, 288, 96)]
    expected = [Jpeg2000().encode(piece) for piece in pieces]
    damaged = expected[0][:150] + expected[0][:150] + expected[0][300:]

    def work(position: int) -> tuple[bytes, Rgb]:
        with pytest.raises(CodecError):
            Jpeg2000().decode(damaged[: 200 + position])
        data = Jpeg2000().encode(pieces[position])
        return data, Jpeg2000().decode(data)

    with ThreadPoolExecutor(4) as pool:
        for position, (data, rgb) in enumerate(pool.map(work, range(len(pieces)))):
            assert data == expected[position]
            assert np.array_equal(rgb, Jpeg2000().decode(expected[position]))


def test_no_files_stay_behind(crop: Rgb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jpeg2000, "_MEMORY", tmp_path / "absent")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = Jpeg2000().encode(crop)
    Jpeg2000().decode(data)
    with pytest.raises(CodecError):
        Jpeg2000().decode(data[:140] + bytes(len(data) - 140))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [2**31, 2**32 - 1, 0])
def test_a_declared_size_is_checked_before_it_is_allocated(crop: Rgb, size: int) -> None:
    data = bytearray(Jpeg2000().encode(crop))
    data[48:56] = struct.pack(">II", size, size)
    with pytest.raises(CodecError, match="is not a size that can be coded"):
        Jpeg2000().decode(bytes(data))


def test_a_codestream_that_contradicts_the_header_is_refused(crop: Rgb) -> None:
    data = bytearray(Jpeg2000().encode(crop))
    siz = data.index(b"\xff\x51")
    data[siz + 6 : siz + 14] = struct.pack(">II", 2**20, 2**20)
    with pytest.raises(CodecError, match="not a whole JP2 file"):
        Jpeg2000().decode(bytes(data))


def test_version_names_the_openjpeg_that_pillow_has() -> None:
    assert Jpeg2000().version().startswith("glymur ")
    assert Jpeg2000().version().endswith(f", openjpeg {features.version('jpg_2000')}")
