"""The timing pass without Ray, on real codecs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_info

from aebench.codecs import Codec, Rgb, codecs, parameter
from aebench.errors import CodecError
from aebench.images import ImageRef
from aebench.results import TIMES
from aebench.timing import one_thread, time_image


@dataclass(frozen=True)
class Raw(Codec):
    """Stores pixels as they are, notes its calls in a file, and fails on the call that it is told to fail on."""

    name = "raw"
    log: str = parameter("")
    fails_at: int = parameter(0)
    burn: float = parameter(0.0)

    def encode(self, rgb: Rgb) -> bytes:
        calls = Path(self.log)
        calls.write_text((calls.read_text() if calls.exists() else "") + "x")
        if len(calls.read_text()) == self.fails_at:
            raise CodecError("enough")
        if self.burn:
            work = f"import time\nwhile time.process_time() < {self.burn}: pass"
            subprocess.run([sys.executable, "-c", work], check=True)
        return bytes(rgb.shape[:2]) + rgb.tobytes()

    def decode(self, data: bytes) -> Rgb:
        return np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)

    def version(self) -> str:
        return "1"


@pytest.fixture
def image(tmp_path: Path) -> ImageRef:
    path = tmp_path / "grey.png"
    Image.new("RGB", (30, 20), "grey").save(path)
    return ImageRef(path.name, str(path))


def test_every_setting_is_repeated_after_a_warm_up(tmp_path: Path, image: ImageRef) -> None:
    raw = Raw(str(tmp_path / "calls"))
    rows = list(time_image(image, [raw, *codecs("jpeg[quality=30|75]")], repeats=2))
    assert [(row["codec"], row["repeat"]) for row in rows] == [("raw", 1), ("raw", 2), *[("jpeg", 1), ("jpeg", 2)] * 2]
    assert len((tmp_path / "calls").read_text()) == 3
    assert {name for row in rows for name in row} == set(TIMES.names) - {"run", "error", "schema_version"}
    for row in rows:
        assert (row["width"], row["height"], row["threads"], row["niceness"]) == (30, 20, 1, os.nice(0))
        assert row["encode_seconds"] > 0 < row["decode_seconds"]
        assert row["cpu"]
        assert row["node"]


def test_a_setting_that_fails_is_one_row_and_costs_no_other(tmp_path: Path, image: ImageRef) -> None:
    first, second = Raw(str(tmp_path / "1"), fails_at=1), Raw(str(tmp_path / "2"), fails_at=3)
    rows = list(time_image(image, [first, second, *codecs("jpeg[quality=30]")], repeats=3))
    assert [(row["setting"], row.get("repeat"), row.get("error")) for row in rows] == [
        (first.setting, None, "enough"),
        (second.setting, 1, None), (second.setting, None, "enough"),
        ("jpeg[quality=30]", 1, None), ("jpeg[quality=30]", 2, None), ("jpeg[quality=30]", 3, None),
    ]  # fmt: skip


def test_an_image_that_cannot_be_read_is_a_row_for_every_setting(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"nothing")
    rows = list(time_image(ImageRef("bad.png", str(tmp_path / "bad.png")), codecs("jpeg[quality=30|75]"), 3))
    assert [row["setting"] for row in rows] == ["jpeg[quality=30]", "jpeg[quality=75]"]
    assert all("bad.png" in row["error"] for row in rows)


def test_the_cpu_time_of_child_processes_counts(tmp_path: Path, image: ImageRef) -> None:
    (row,) = time_image(image, [Raw(str(tmp_path / "calls"), burn=0.3)], repeats=1)
    assert row["encode_cpu_seconds"] >= 0.29  # the two clocks are rounded apart
    assert row["decode_cpu_seconds"] < 0.29


def test_libraries_and_child_processes_are_asked_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    before = torch.get_num_threads()
    with one_thread():
        assert {library["num_threads"] for library in threadpool_info()} == {1}
        assert torch.get_num_threads() == 1
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert torch.get_num_threads() == before
    assert os.environ["OMP_NUM_THREADS"] == "2"
    monkeypatch.delenv("OMP_NUM_THREADS")
    with one_thread():
        pass
    assert "OMP_NUM_THREADS" not in os.environ
