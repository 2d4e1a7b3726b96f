"""AVIF by Pillow."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import AvifImagePlugin, Image

from aebench import Rgb, codec
from aebench.codecs import codecs
from aebench.codecs.avif import Avif
from aebench.errors import CodecError, SettingError
from aebench.metrics import mse, psnr

if not AvifImagePlugin.SUPPORTED:
    pytest.skip("this Pillow was built without AVIF", allow_module_level=True)


def test_default_is_pillows_in_one_thread(crop: Rgb) -> None:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "AVIF", max_threads=1)
    assert Avif().encode(crop) == file.getvalue()
    assert np.array_equal(Avif().decode(file.getvalue()), np.array(Image.open(file)))


@pytest.mark.parametrize("setting", ["tune=ssim", "tune=psnr", "chroma=422", "chroma=444", "speed=8"])
def test_every_parameter_changes_the_bytes(crop: Rgb, setting: str) -> None:
    assert codec(f"avif[{setting}]").encode(crop) != Avif().encode(crop)


def test_tuned_for_psnr_it_has_more_of_it_at_no_more_bytes(photograph: Rgb) -> None:
    rgb = photograph[:256, :256]
    default = Avif(quality=50).encode(rgb)
    tuned = (Avif(quality=quality, tune="psnr").encode(rgb) for quality in range(50, 0, -1))
    ours = next(data for data in tuned if len(data) <= len(default))
    assert psnr(mse(Avif().decode(ours), rgb)) > psnr(mse(Avif().decode(default), rgb)) + 0.1


def test_decoding_takes_one_thread_and_leaves_pillow_as_it_was(crop: Rgb, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    usual = AvifImagePlugin._get_default_max_threads

    def get() -> int:
        seen.append(usual())
        return usual()

    monkeypatch.setattr(AvifImagePlugin, "_get_default_max_threads", get)
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", 3)
    Avif().decode(Avif().encode(crop))
    assert seen[-1:] == [1]
    assert AvifImagePlugin.DEFAULT_MAX_THREADS == 3


@pytest.mark.parametrize("shape", [(32_769, 1), (1, 32_769)])
def test_sides_libavif_cannot_read_are_not_written(shape: tuple[int, int]) -> None:
    with pytest.raises(CodecError, match="32768"):
        Avif().encode(np.zeros((*shape, 3), np.uint8))


def test_a_declared_size_is_checked_before_it_is_decoded(crop: Rgb) -> None:
    data = Avif().encode(crop)
    at = data.index(b"ispe") + 8  # ISO/IEC 23008-12, 6.5.3
    with pytest.raises(CodecError, match="16000×16000 is not a size"):
        Avif().decode(data[:at] + struct.pack(">II", 16_000, 16_000) + data[at + 8 :])


def test_transparent_images_are_refused(crop: Rgb) -> None:
    file = io.BytesIO()
    Image.fromarray(np.dstack([crop, crop[..., 0]])).save(file, "AVIF")
    with pytest.raises(CodecError, match="RGBA"):
        Avif().decode(file.getvalue())


def test_a_pillow_without_avif_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    with pytest.raises(SettingError, match="'avif' is not available: this Pillow was built without AVIF"):
        codec("avif")


@pytest.mark.slow
def test_kodak_rates_reach_from_a_tenth_to_two_bits(kodak: list[Path]) -> None:
    images = [np.array(Image.open(path)) for path in kodak[::6]]
    sweep = codecs("avif")
    rates = [np.mean([8 * len(c.encode(rgb)) / rgb[..., 0].size for rgb in images]) for c in (sweep[0], sweep[-1])]
    assert rates[0] < 0.1
    assert rates[1] > 2


def test_version_names_all_libraries() -> None:
    assert [part.split(" ")[0] for part in Avif().version().split(", ")] == ["pillow", "libavif", "libaom", "dav1d"]
    assert "None" not in Avif().version()
    assert "none" not in Avif().version()
