"""The examples of CONTRIBUTING.md, run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.test_cli import aebench

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()


def example(name: str, folder: Path) -> str:
    """Write the example that the text calls `name` into a folder; return it."""
    found = re.search(rf"`{re.escape(name)}`.*?```python\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    (folder / name).write_text(found[1])
    return found[1]


@pytest.mark.slow
def test_a_codec_in_twenty_lines(tmp_path: Path) -> None:
    body = example("my_codec.py", tmp_path).split("@dataclass")[1]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20
    codecs = "my_codec:MyWebP[quality=10|90],jpeg[quality=50]"
    aebench("evaluate", "--images", "samples[:1]", "--codecs", codecs, "-o", "r", cwd=tmp_path)
    rows = {row["setting"]: row for row in pq.read_table(tmp_path / "r" / "rows").to_pylist()}
    assert set(rows) == {"my-webp[quality=10]", "my-webp[quality=90]", "jpeg[quality=50]"}
    assert rows["my-webp[quality=10]"]["bytes"] < rows["my-webp[quality=90]"]["bytes"]
    assert rows["my-webp[quality=90]"]["psnr_rgb"] > 25


@pytest.mark.slow
def test_a_network_in_a_page(tmp_path: Path) -> None:
    assert len(example("my_network.py", tmp_path).splitlines()) <= 60
    options = ["--set", "train.epochs=1", "--set", "train.steps=20", "--set", "train.validation=1"]
    aebench("train", "--images", "samples[:3]", "--model", "my_network:Network", "-o", "r", *options, cwd=tmp_path)
    codecs = "my_network:MyCodec[step=0.05|0.2],jpeg[quality=50]"
    aebench("evaluate", "--images", "samples[7:8]", "--codecs", codecs, "-o", "r", cwd=tmp_path)
    rows = {row["setting"]: row for row in pq.read_table(tmp_path / "r" / "rows").to_pylist()}
    assert not any(row["error"] for row in rows.values())
    assert rows["mine[step=0.05]"]["bytes"] > rows["mine[step=0.2]"]["bytes"]
