from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import aebench
from aebench.analysis.run import Run
from aebench.codecs import Rgb
from aebench.errors import ResultsError
from aebench.kept import image_path, original_path
from aebench.report.figures import NothingToDrawError, pictures_figure
from aebench.report.figures.crops import CROP, busiest, differences
from aebench.results import RunFolder
from tests.report.figures.runs import misplaced, run_of, texts
from tests.report.helpers import row

SETTINGS = [f"{codec}[{name}={value}]" for codec, name, values in (
    ("jpeg", "quality", (10, 50, 90)), ("jpeg2000", "bpp", (0.25, 0.5, 1))) for value in values]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, photograph: Rgb) -> Run:
    """A run that kept what real codecs made of a photograph."""
    folder = RunFolder(tmp_path_factory.mktemp("kept") / "run")
    rows = []
    _save(original_path(folder, "cat.png"), photograph)
    for setting in SETTINGS:
        codec = aebench.codec(setting)
        data = codec.encode(photograph)
        decoded = codec.decode(data)
        psnr = 10 * np.log10(255**2 / np.mean((photograph.astype(float) - decoded) ** 2))
        rows.append(row("cat.png", setting, float(psnr), 8 * len(data) / photograph[..., 0].size))
        _save(image_path(folder, "cat.png", setting), decoded)
    return run_of(folder.path, rows)


def test_each_codec_is_shown_at_its_nearest_rate_with_its_own_numbers(run: Run) -> None:
    figure = pictures_figure(run, "cat.png", bpp=0.6)
    text = texts(figure)
    measured = {found["setting"]: found for found in run.rows.to_pylist()}
    for codec in ("jpeg", "jpeg2000"):
        own = [found for setting, found in measured.items() if setting.startswith(f"{codec}[")]
        nearest = min(own, key=lambda found: abs(found["bpp"] - 0.6))
        assert nearest["setting"] in text
        assert f"{nearest['bpp']:.3f} bpp, {nearest['psnr_rgb']:.2f} dB" in text
    assert "nearest 0.6 bpp" in text
    assert misplaced(figure) == []


def test_the_crops_are_the_same_window_of_the_kept_pixels(run: Run, photograph: Rgb) -> None:
    (rate,) = (found["bpp"] for found in run.rows.to_pylist() if found["setting"] == "jpeg[quality=50]")
    figure = pictures_figure(run, bpp=rate)
    window = busiest(photograph)
    crops = [np.asarray(axes.images[0].get_array()) for axes in figure.axes[3:6]]
    assert np.array_equal(crops[0], window.of(photograph))
    with Image.open(image_path(run.folder, "cat.png", "jpeg[quality=50]")) as file:
        assert np.array_equal(crops[1], window.of(np.asarray(file)))


def test_a_run_that_kept_nothing_says_how_to_keep(tmp_path: Path) -> None:
    with pytest.raises(NothingToDrawError, match='keep = "images"'):
        pictures_figure(run_of(tmp_path, [row("a.png", "jpeg")]))


def test_a_damaged_kept_file_is_named(tmp_path: Path) -> None:
    made = run_of(tmp_path, [row("a.png", "jpeg")])
    for path in (original_path(made.folder, "a.png"), image_path(made.folder, "a.png", "jpeg")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no image")
    with pytest.raises(ResultsError, match="cannot read the kept image"):
        pictures_figure(made)


def test_the_busiest_window_is_found_and_small_images_are_their_own() -> None:
    rgb = np.full((300, 400, 3), 128, np.uint8)
    rgb[100:200, 210:330] = np.random.default_rng(1).integers(0, 256, (100, 120, 1))
    window = busiest(rgb)
    assert (window.height, window.width) == (CROP, CROP)
    assert window.top <= 100
    assert window.top + CROP >= 200
    assert window.left <= 210 + 6
    assert dataclasses.astuple(busiest(rgb[:50, :60])) == (0, 0, 50, 60)
    assert dataclasses.astuple(busiest(np.zeros((200, 200, 3), np.uint8))) == (0, 0, CROP, CROP)


def test_differences_are_amplified_alike() -> None:
    original = np.full((8, 8, 3), 100, np.uint8)
    (none, some), amplification = differences(original, [original, original + np.uint8(10)])
    assert (amplification, none.min(), some.min(), some.max()) == (16, 255, 95, 95)
    assert differences(original, [original])[1] == 64


def _save(path: Path, rgb: Rgb) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
