"""HEVC intra by pillow-heif."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest

from aebench import Rgb
from aebench.codecs.heif import Heif
from aebench.errors import CodecError
from aebench.metrics import mse, psnr
from tests.codecs.conformance import Job, run_in_child


def declare(data: bytes, width: int, height: int) -> bytes:
    """Write another size into the ``ispe`` property (ISO/IEC 23008-12, 6.5.3)."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@pytest.mark.parametrize("chroma", ["420", "444"])
def test_it_is_a_heic_file_that_others_read(crop: Rgb, chroma: str) -> None:
    data = Heif(chroma=chroma).encode(crop)
    file = pillow_heif.open_heif(io.BytesIO(data))
    assert file.mimetype == "image/heic"
    assert file.info["chroma"] == int(chroma)
    assert file.info["nclx_profile"]["matrix_coefficients"] in (5, 6)  # BT.601
    assert file.info["nclx_profile"]["full_range_flag"] == 1
    assert np.array_equal(np.asarray(file), Heif().decode(data))


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (63, 64), (64, 65), (65, 64), (65, 67)])
def test_padding_is_cut_off_again_and_others_pass_over_it(photograph: Rgb, shape: tuple[int, int]) -> None:
    rgb = photograph[200 : 200 + shape[0], 200 : 200 + shape[1]]
    data = Heif(qp=10).encode(rgb)
    assert psnr(mse(Heif().decode(data), rgb)) > 40
    padded = np.asarray(pillow_heif.open_heif(io.BytesIO(data)))
    assert padded.shape == (*(max(side + side % 2, 64) for side in shape), 3)
    assert data[-10:-2] == b"\0\0\0\x0afree"


def test_even_sides_from_64_need_no_padding(crop: Rgb) -> None:
    assert b"free" not in Heif().encode(crop)[-10:]


def test_padding_is_the_same_in_every_process(crop: Rgb) -> None:
    """libheif's own padding is not."""
    rgb = crop[:51, :77]
    outcomes = [run_in_child(Heif(), [Job("odd sides", "encode", rgb)])[0].value for _ in range(2)]
    assert outcomes == [Heif().encode(rgb)] * 2


def test_global_options_of_pillow_heif_change_nothing(crop: Rgb, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Heif().encode(crop)
    monkeypatch.setattr(pillow_heif.options, "QUALITY", 90)
    monkeypatch.setattr(pillow_heif.options, "SAVE_NCLX_PROFILE", False)
    monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 64, raising=False)
    assert Heif().encode(crop) == data


def test_six_more_of_qp_double_the_step(crop: Rgb) -> None:
    """H.265, 8.6.3: so twelve more cost up to 12 dB, and less where coefficients fall to zero."""
    fine, coarse = (psnr(mse(Heif().decode(Heif(qp=qp).encode(crop)), crop)) for qp in (14, 26))
    assert 6 < fine - coarse < 12


def test_better_than_libheifs_own_tuning(photograph: Rgb) -> None:
    """At no less PSNR, fewer bytes than `pillow_heif` writes when it is asked for a quality only."""
    rgb = np.ascontiguousarray(photograph[:256, :256])
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB", (256, 256), rgb.tobytes()).save(file, quality=60, chroma="444")
    theirs = mse(np.asarray(pillow_heif.open_heif(file)), rgb)
    streams = (Heif(qp=qp).encode(rgb) for qp in range(32, 20, -1))
    ours = next(data for data in streams if mse(Heif().decode(data), rgb) <= theirs)
    assert len(ours) < 0.95 * len(file.getvalue())


@pytest.mark.parametrize(("width", "height"), [(2**31, 2**31), (2**32 - 1, 1), (65_535, 65_535)])
def test_a_declared_size_is_checked_before_it_is_allocated(crop: Rgb, width: int, height: int) -> None:
    with pytest.raises(CodecError):
        Heif().decode(declare(Heif().encode(crop), width, height))


def test_a_size_below_libheifs_limit_and_above_ours_is_refused(crop: Rgb) -> None:
    with pytest.raises(CodecError, match="30000×30000 is not a size"):
        Heif().decode(declare(Heif().encode(crop), 30_000, 30_000))


def test_padding_larger_than_the_image_is_refused(crop: Rgb) -> None:
    data = Heif().encode(crop[:64, :64])
    with pytest.raises(CodecError, match="more padding"):
        Heif().decode(data + b"\0\0\0\x0afree\x40\x00")


def test_other_heif_files_are_refused(crop: Rgb) -> None:
    file = io.BytesIO()
    rgba = np.dstack([crop, crop[..., 0]])
    pillow_heif.from_bytes("RGBA", (crop.shape[1], crop.shape[0]), rgba.tobytes()).save(file)
    with pytest.raises(CodecError, match="RGBA"):
        Heif().decode(file.getvalue())


@pytest.mark.parametrize("shape", [(65_529, 1), (1, 65_529)])
def test_sides_libde265_cannot_read_are_not_written(shape: tuple[int, int]) -> None:
    with pytest.raises(CodecError, match="65528"):
        Heif().encode(np.zeros((*shape, 3), np.uint8))


@pytest.mark.slow
def test_kodak_rates_reach_from_a_twentieth_to_two_bits(kodak: list[Path]) -> None:
    from PIL import Image

    images = [np.array(Image.open(path)) for path in kodak[::6]]
    rates = [np.mean([8 * len(Heif(qp=qp).encode(rgb)) / rgb[..., 0].size for rgb in images]) for qp in (17, 47)]
    assert rates[0] > 2
    assert rates[1] < 0.1


def test_version_names_all_libraries() -> None:
    names = [part.split(" ")[0] for part in Heif().version().split(", ")]
    assert names == ["pillow-heif", "libheif", "x265", "libde265"]
    assert "none" not in Heif().version()
