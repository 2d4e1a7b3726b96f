"""The law of bytes, on codecs that would break it."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aebench.codecs import Codec, Rgb, codec, parameter
from aebench.errors import CodecError
from aebench.images import ImageRef, pixel_digest
from aebench.kept import IMAGE, ORIGINAL, STREAM, Keep
from aebench.measure import Original, Request, measure, measure_batch

ALL = Request()


@dataclass(frozen=True)
class Base(Codec):
    """Stores pixels as they are."""

    name = "base"
    version_text: str = parameter("1")

    def encode(self, rgb: Rgb) -> Any:
        return rgb.shape[0].to_bytes(2) + rgb.tobytes()

    def decode(self, data: bytes) -> Rgb:
        return np.frombuffer(data[2:], np.uint8).reshape(int.from_bytes(data[:2]), -1, 3)

    def version(self) -> str:
        return self.version_text


@dataclass(frozen=True)
class Cheat(Base):
    """Hides the image in the instance and writes one byte."""

    name = "cheat"
    hidden: dict[str, Rgb] = field(default_factory=dict, init=False, compare=False)

    def encode(self, rgb: Rgb) -> Any:
        self.hidden["rgb"] = rgb
        return b"!"

    def decode(self, data: bytes) -> Rgb:
        return self.hidden["rgb"]


@dataclass(frozen=True)
class ReturnsArray(Base):
    """Counts no bytes."""

    name = "array"

    def encode(self, rgb: Rgb) -> Any:
        return rgb


@dataclass(frozen=True)
class Batched(Base):
    """Codes batches, and fails on a batch that holds a black image."""

    name = "batched"
    batched = True

    def encode_batch(self, images: list[Rgb]) -> list[bytes]:
        if any(rgb.max() == 0 for rgb in images):
            raise RuntimeError("out of memory")
        return [self.encode(rgb) for rgb in images]

    def decode_batch(self, streams: list[bytes]) -> list[Rgb]:
        return [self.decode(data) for data in streams]


def pixels(data: bytes) -> Rgb:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.fixture
def image(tmp_path: Path) -> ImageRef:
    path = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return ImageRef("noise.png", str(path))


def test_a_row_tells_all_there_is_to_tell(image: ImageRef) -> None:
    subject = codec("jpeg[quality=40]")
    (row,) = measure([image], [subject], ALL)
    rgb = np.asarray(Image.open(image.uri))
    stream = subject.encode(rgb)
    error = (subject.decode(stream).astype(float) - rgb) ** 2
    assert row["bytes"] == len(stream)
    assert row["bpp"] == 8 * len(stream) / 600
    assert row["mse"] == pytest.approx(error.mean(), rel=1e-12)
    assert row["psnr_rgb"] == pytest.approx(10 * math.log10(255**2 / error.mean()), rel=1e-12)
    assert row["image_digest"] == pixel_digest(rgb)
    assert (row["width"], row["height"], row["setting"]) == (30, 20, "jpeg[quality=40]")
    assert row["codec_version"] == subject.version()
    assert row["ms_ssim"] is None  # too small for it
    for verb in ("encode", "decode"):
        assert row[f"{verb}_seconds"] > 0
        assert row[f"{verb}_cpu_seconds"] >= 0
    assert "error" not in row


def test_lossless_is_infinite(image: ImageRef) -> None:
    (row,) = measure([image], [Base()], ALL)
    assert (row["psnr_rgb"], row["mse"]) == (math.inf, 0.0)


@pytest.mark.parametrize(("subject", "message"), [(Cheat(), "KeyError"), (ReturnsArray(), "must return bytes")])
def test_pixels_come_from_the_bytes_alone(image: ImageRef, subject: Codec, message: str) -> None:
    (row,) = measure([image], [subject], ALL)
    assert message in row["error"]
    assert "bytes" not in row


def test_one_failure_costs_no_other_row(image: ImageRef) -> None:
    rows = list(measure([image], [Base(), Cheat(), Base("2")], ALL))
    assert ["error" in row for row in rows] == [False, True, False]


def test_an_image_that_cannot_be_read_is_a_row_for_every_setting(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"nothing")
    rows = list(measure([ImageRef("bad.png", str(tmp_path / "bad.png"))], [Base(), Base("2")], ALL))
    assert len(rows) == 2
    assert all("bad.png" in row["error"] and row["image"] == "bad.png" for row in rows)


def test_what_is_done_is_left_out_until_the_version_changes(image: ImageRef) -> None:
    digest = pixel_digest(np.asarray(Image.open(image.uri)))
    done = frozenset({(image.name, digest, "base", "1"), (image.name, digest, "base[version_text=2]", "1")})
    rows = list(measure([image], [Base(), Base("2")], Request(done=done)))
    assert [row["setting"] for row in rows] == ["base[version_text=2]"]


def test_an_image_under_another_name_is_another_measurement(image: ImageRef) -> None:
    digest = pixel_digest(np.asarray(Image.open(image.uri)))
    done = frozenset({(image.name, digest, "base", "1")})
    (row,) = measure([ImageRef("again.png", image.uri)], [Base()], Request(done=done))
    assert row["image"] == "again.png"


def test_what_is_measured_anew_keeps_the_metrics_that_it_had(tmp_path: Path, photograph: Rgb) -> None:
    path = tmp_path / "photograph.png"
    Image.fromarray(photograph[:170, :180]).save(path)
    image, subject = ImageRef(path.name, str(path)), codec("jpeg[quality=40]")
    key = (image.name, pixel_digest(photograph[:170, :180]), subject.setting, subject.version())
    (first,) = measure([image], [subject], Request(["ssimulacra2"]))
    (again,) = measure([image], [subject], Request(["ssimulacra2"], known={key: ["psnr", "ms-ssim"]}))
    assert first["ms_ssim"] is None
    assert again["ms_ssim"] > 0.8
    assert again["ssimulacra2"] == first["ssimulacra2"] < 100
    assert again["psnr_rgb"] == first["psnr_rgb"]


def test_rows_carry_exactly_the_bytes_that_were_counted_and_the_pixels_that_were_scored(image: ImageRef) -> None:
    rows = list(measure([image], [codec("jpeg[quality=40]"), Cheat(), Base()], Request(keep="images"), True))
    original = np.asarray(Image.open(image.uri))
    assert [ORIGINAL in row for row in rows] == [True, False, False]
    assert np.array_equal(pixels(rows[0][ORIGINAL]), original)
    for row, subject in ((rows[0], codec("jpeg[quality=40]")), (rows[2], Base())):
        assert row["bytes"] == len(row[STREAM])
        decoded = pixels(row[IMAGE])
        assert np.array_equal(decoded, subject.decode(row[STREAM]))
        assert row["mse"] == ((decoded.astype(float) - original) ** 2).mean()
    assert not {STREAM, IMAGE} & rows[1].keys()  # a failure has nothing to keep


@pytest.mark.parametrize(("keep", "kept"), [(None, set()), ("streams", {STREAM}), ("images", {STREAM, IMAGE})])
def test_rows_carry_only_what_is_to_be_kept(image: ImageRef, keep: Keep | None, kept: set[str]) -> None:
    (row,) = measure([image], [Base()], Request(keep=keep))
    assert {STREAM, IMAGE, ORIGINAL} & row.keys() == kept


def test_the_cpu_time_of_programs_that_a_codec_runs_counts(image: ImageRef) -> None:
    @dataclass(frozen=True)
    class Runs(Base):
        def encode(self, rgb: Rgb) -> bytes:
            subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
            return bytes(super().encode(rgb))

    (row,) = measure([image], [Runs()], ALL)
    assert row["encode_cpu_seconds"] >= 0.29  # the two clocks are rounded apart
    assert row["decode_cpu_seconds"] < 0.29


def test_one_image_of_a_batch_that_fails_does_not_cost_the_others(tmp_path: Path) -> None:
    originals = []
    for value in (9, 0, 200):
        path = tmp_path / f"{value}.png"
        Image.new("RGB", (8, 8), (value, value, value)).save(path)
        originals.append(Original.open(ImageRef(path.name, str(path))))
    rows = {row["image"]: row for row in measure_batch(originals, Batched(), ALL)}
    assert {name: row.get("error") for name, row in rows.items()} == {
        "9.png": None, "0.png": "RuntimeError: out of memory", "200.png": None,
    }  # fmt: skip


def test_errors_of_aebench_are_told_without_their_class(image: ImageRef) -> None:
    @dataclass(frozen=True)
    class Refuses(Base):
        def encode(self, rgb: Rgb) -> bytes:
            raise CodecError("too wide for this codec")

    (row,) = measure([image], [Refuses()], ALL)
    assert row["error"] == "too wide for this codec"
