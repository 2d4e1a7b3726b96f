"""What is left to measure, told from what a run has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aebench.codecs import codecs
from aebench.evaluate import plan
from aebench.images import ImageRef
from aebench.kept import Keep, image_path, original_path, stream_path
from aebench.results import RunFolder
from aebench.storage import write_file

KEY = ("a.png", "digest", "jpeg[quality=50]", "1")


def run_with(folder: Path, **values: Any) -> RunFolder:
    """Write a run of one measurement."""
    run = RunFolder(folder)
    known = dict(zip(("image", "image_digest", "setting", "codec_version"), KEY, strict=True))
    measured = {"codec": "jpeg", "bytes": 3, "width": 200, "height": 200, "psnr_rgb": 30.0, "time": datetime.now(UTC)}
    run.append_rows([{**known, **measured, **values}])
    return run


def test_settings_are_grouped_by_codec_and_codecs_by_branch(tmp_path: Path) -> None:
    images = [ImageRef("a.png", "/a.png"), ImageRef("b.png", "/b.png")]
    work = plan(images, codecs("jpeg[quality=1],jpeg2000[bpp=1],jpeg[quality=2]"), RunFolder(tmp_path))
    assert [[codec.setting for codec in family] for family in work.families] == [
        ["jpeg[quality=1]", "jpeg[quality=2]"], ["jpeg2000[bpp=1]"],
    ]  # fmt: skip
    assert work.branch(batched=False) == dict(enumerate(work.families))
    assert work.branch(batched=True) == {}


@pytest.mark.parametrize(
    ("values", "metrics", "known"),
    [
        ({"ms_ssim": 0.9}, ["psnr", "ms-ssim"], None),
        ({"ms_ssim": 0.9}, ["psnr"], None),
        ({"ms_ssim": 0.9}, ["ssimulacra2"], {"psnr", "ms-ssim"}),
        ({}, ["ms-ssim"], {"psnr"}),
        ({"height": 160}, ["ms-ssim"], None),  # undefined, so not missing
        ({"height": 160}, ["ssimulacra2"], {"psnr", "ms-ssim"}),
        ({"height": 112}, ["ms-ssim", "ssimulacra2"], None),
    ],
)
def test_a_row_is_done_when_it_lacks_no_metric(
    tmp_path: Path, values: dict[str, Any], metrics: list[str], known: set[str] | None
) -> None:
    request = plan([], [], run_with(tmp_path, **values), metrics).request
    assert (KEY in request.done) == (known is None)
    assert request.known.get(KEY) == known


@pytest.mark.parametrize("lost", [(), ("codec_version",), ("image_digest", "codec_version")])
def test_failures_are_tried_again_only_when_asked(tmp_path: Path, lost: tuple[str, ...]) -> None:
    run = run_with(tmp_path, error="out of memory", **dict.fromkeys(lost))
    request = plan([], [], run).request
    assert request.is_done(*KEY)
    assert not request.is_done("b.png", *KEY[1:])
    again = plan([], [], run, retry_errors=True).request
    assert not again.done
    assert not again.known


@pytest.mark.parametrize(
    ("keep", "files", "done"),
    [
        (None, "", True),
        ("streams", "", False),
        ("streams", "s", True),
        ("streams", "S", False),  # a stream of another length
        ("images", "s", False),
        ("images", "si", False),
        ("images", "so", False),
        ("images", "io", False),
        ("images", "sio", True),
    ],
)
def test_a_row_is_done_when_the_files_to_keep_are_there(
    tmp_path: Path, keep: Keep | None, files: str, done: bool
) -> None:
    run = run_with(tmp_path, ms_ssim=0.9)
    image, _, setting, _ = KEY
    kept = {
        "s": (stream_path(run, image, setting), b"abc"),
        "S": (stream_path(run, image, setting), b"abcd"),
        "i": (image_path(run, image, setting), b""),
        "o": (original_path(run, image), b""),
    }
    for name in files:
        write_file(*kept[name])
    assert (KEY in plan([], [], run, keep=keep).request.done) == done
