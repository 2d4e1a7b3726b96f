from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.analysis.curves import METRICS
from aebench.analysis.published import Published, published_json, read_published
from aebench.errors import ResultsError

JPEG = {"name": "JPEG", "results": {"bpp": [0.5, 0.25], "psnr-rgb": [30, 27.5], "ms-ssim-rgb": [0.95, 0.9]}}
NUMBERS = st.floats(1e-6, 1e6)
KEYS = ["bpp", "psnr-rgb", "psnr", "ms-ssim-rgb", "ms-ssim-db-rgb", "encoding_time"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
VALUES = JSON | st.lists(st.integers() | st.floats() | st.just(10**400) | JSON, min_size=1, max_size=3)
FILES = JSON | st.fixed_dictionaries({"results": JSON | st.dictionaries(st.sampled_from(KEYS), VALUES)})


def write(folder: Path, content: Any) -> Path:
    path = folder / "curve.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_curve_is_read_and_sorted(tmp_path: Path) -> None:
    found = read_published(write(tmp_path, JPEG))
    assert (found.name, found.description, found.bpp) == ("JPEG", "", (0.5, 0.25))
    curve = found.curve(METRICS["psnr_rgb"])
    assert curve is not None and (curve.bpp, curve.values, curve.variant) == ((0.25, 0.5), (27.5, 30.0), "JPEG")
    assert found.curve(METRICS["psnr_y"]) is None


def test_similarity_in_decibels_is_turned_back(tmp_path: Path) -> None:
    found = read_published(write(tmp_path, {"results": {"bpp": [0.1, 0.2], "ms-ssim-db-rgb": [10, 20]}}))
    assert found.name == "curve"
    assert found.columns["ms_ssim"] == pytest.approx((0.9, 0.99))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([], "is not a curve in CompressAI's format"),
        ({"results": {"bpp": []}}, "is not a curve"),
        ({"results": {"bpp": [True], "psnr-rgb": [30]}}, "is not a curve"),
        ({"results": {"bpp": [0.5], "psnr-rgb": [30, 31]}}, "'psnr-rgb' must hold 1 numbers"),
        ({"results": {"bpp": [0.5], "psnr-rgb": [10**400]}}, "'psnr-rgb' must hold"),
        ('{"results": {"bpp": [0.5], "psnr-rgb": [Infinity]}}', "'psnr-rgb' must hold"),
        ({"results": {"bpp": [0.0], "psnr-rgb": [30]}}, "a rate is above 0"),
        ({"results": {"bpp": [0.5], "ms-ssim-db-rgb": [-4000]}}, "no dB below 0"),
        ({"results": {"bpp": [0.5], "lpips": [0.1]}}, "no quality known here: psnr-rgb"),
    ],
)
def test_what_is_no_curve_says_why(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        read_published(write(tmp_path, content))
    with pytest.raises(ResultsError, match="No such file"):
        read_published(tmp_path / "nowhere.json")


@given(content=FILES)
def test_any_json_is_a_curve_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = write(tmp_path_factory.getbasetemp(), content)
    try:
        found = read_published(path)
    except ResultsError:
        return
    assert found.columns and all(len(values) == len(found.bpp) for values in found.columns.values())
    assert isinstance(found.caveat, str)
    for metric in METRICS.values():
        curve = found.curve(metric)
        assert (curve is None) == (metric.column not in found.columns)
        if curve is not None:
            assert len(curve.qualities) == len(found.bpp)


@given(content=st.binary(max_size=40))
def test_any_bytes_are_a_curve_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    with pytest.raises(ResultsError):
        read_published(path)


@given(points=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=8), name=st.text(min_size=1))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, points: list[tuple[float, float, float]], name: str
) -> None:
    bpp, psnr, seconds = zip(*points, strict=True)
    written = Published(name, "why", bpp, {"psnr_rgb": psnr}, {"encode_seconds": seconds})
    path = tmp_path_factory.getbasetemp() / "written.json"
    path.write_text(published_json(written), encoding="utf-8", errors="surrogatepass")
    try:
        assert read_published(path) == written
    except ResultsError:  # half a surrogate is no text
        assert any("\ud800" <= character <= "\udfff" for character in name)


def published_files() -> list[Path]:
    folders = filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep))
    return [path for folder in folders for path in sorted(Path(folder, "reference", "kodak").glob("*.json"))]


def test_files_that_compressai_published_are_read() -> None:
    if not published_files():
        pytest.skip("reference/kodak is in none of the folders that AEBENCH_DATA lists")
    for path in published_files():
        found = read_published(path)
        assert found.columns["psnr_rgb"]
        assert ("ffmpeg" in found.caveat) == (path.stem == "jpeg2000")
