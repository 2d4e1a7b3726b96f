"""Runs whose images or codecs are out to end them."""

from __future__ import annotations

import io
import os
import random
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from aebench.cluster import Cluster
from aebench.codecs import Codec
from aebench.containment import Limits
from aebench.evaluate import evaluate, plan
from aebench.measure import Row
from aebench.results import RunFolder
from tests.containment.hostile import (
    CRASHES,
    CRASHES_LATE,
    HANGS,
    HANGS_LATE,
    HARMLESS,
    LEAKS,
    RAISES,
    Hostile,
    write_images,
)  # fmt: skip
from tests.images.files import encoded, photograph
from tests.images.hostile import size_bombs, text_bombs
from tests.test_cli import aebench

SECONDS = 5.0
"""The time limit."""


@pytest.mark.alone
@pytest.mark.slow
def test_misbehaving_codecs_cost_a_row_each_and_little_time(tmp_path: Path, cluster: Cluster) -> None:
    kinds = [HARMLESS] * 200
    bad = [RAISES] * 4 + [HANGS, HANGS_LATE] + [LEAKS] * 2 + [CRASHES] * 2 + [CRASHES_LATE] * 2
    for place, kind in zip(range(7, 199, 16), bad, strict=True):
        kinds[place] = kind
    images = write_images(tmp_path / "images", kinds)

    def measure(name: str, codec: Codec) -> tuple[float, dict[str, Row]]:
        run, seen = RunFolder(tmp_path / name), list[Row]()
        work = plan(images, [codec], run, limits=Limits(SECONDS, 200 * 10**6))
        start = time.monotonic()
        evaluate(work, run, cluster, seen.extend)
        seconds = time.monotonic() - start
        rows = {row["image"]: row for row in run.rows().to_pylist()}
        assert len(rows) == len(run.rows()) == len(seen) == len(images)
        return seconds, rows

    measure("warm", Hostile(1, harmless=True))
    before, clean = measure("before", Hostile(1, harmless=True, seconds=0.05))
    hostile, rows = measure("hostile", Hostile(1, seconds=0.05))
    after, _ = measure("after", Hostile(1, harmless=True, seconds=0.05))

    assert not any(row["error"] for row in clean.values())
    for image, kind in zip(images, kinds, strict=True):
        row = rows[image.name]
        assert (row["bytes"], row["error"]) == (578, None) if kind == HARMLESS else row["bytes"] is None
    assert Counter(row["error"] for row in rows.values() if row["error"]) == {
        "ZeroDivisionError: on purpose": 4,
        "exceeded the time limit of 5 s (time_limit) while encoding": 1,
        "exceeded the time limit of 5 s (time_limit) while decoding": 1,
        "exceeded the memory limit of 0.2 GB (memory_limit) while encoding": 2,
        "crashed with SIGSEGV while encoding": 2,
        "crashed with SIGSEGV while decoding": 2,
    }
    print(f"clean {before:.1f} and {after:.1f} s, hostile {hostile:.1f} s, of which time limits {2 * SECONDS:g} s")
    assert hostile <= 1.3 * max(before, after) + 2 * SECONDS


@pytest.mark.slow
def test_hostile_files_are_a_row_each(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    hopeless = write_hostile_files(folder, 300)
    job = tmp_path / "hostile.toml"
    job.write_text(
        f"[evaluate]\nimages = '{folder}'\ncodecs = ['jpeg[quality=50]']\ntime_limit = 10\nmemory_limit = '500MB'\n"
    )
    said = aebench("run", job, cwd=tmp_path, code=3, timeout=500)
    rows = {row["image"]: row for row in RunFolder(tmp_path / "results" / "hostile").rows().to_pylist()}
    assert set(rows) == {path.name for path in folder.iterdir()}
    assert len(rows) == 300
    assert all((row["bytes"] is None) == (row["error"] is not None) for row in rows.values())
    assert all(rows[name]["error"] for name in hopeless)
    for name in size_bombs():
        assert "too large" in rows[f"{name}-bomb.png"]["error"]
    assert rows["waits.png"]["error"] == "exceeded the time limit of 10 s (time_limit) while reading the image"
    endless = rows["endless.png"]["error"]
    assert endless == "exceeded the memory limit of 0.5 GB (memory_limit) while reading the image"
    assert "-bomb.png" in said
    assert not (tmp_path / "core").exists()


def write_hostile_files(folder: Path, count: int) -> list[str]:
    """Write files that are no images, or damaged ones; return the names of those that nobody could read."""
    folder.mkdir()
    chance = random.Random(1)
    rgb = Image.fromarray(photograph())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.png", encoded(rgb, "PNG"))
    hopeless = {f"{name}-bomb": data for name, data in {**size_bombs(), **text_bombs()}.items()}
    hopeless |= {"zero": b"", "text": b"not an image\n" * 100, "page": b"<!doctype html>", "zip": archive.getvalue()}
    hopeless |= {"zeros": bytes(100_000), "program": b"\x7fELF" + bytes(1000), "svg": b"<svg width='9' height='9'/>"}
    hopeless |= {f"random-{size}": chance.randbytes(size) for size in range(1, 60)}
    damaged: dict[str, bytes] = {}
    kinds = ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "PPM", "GIF", "JPEG2000"]
    while len(hopeless) + len(damaged) < count - 2:
        kind = kinds[len(damaged) % len(kinds)]
        whole = encoded(rgb.convert("P") if kind == "GIF" else rgb, kind)
        if len(damaged) % 2:
            data = whole[: chance.randrange(len(whole))]
        else:
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 9)):
                data[chance.randrange(min(len(data), 200))] = chance.randrange(256)
        damaged[f"{kind}-{len(damaged)}"] = bytes(data)
    for name, data in {**hopeless, **damaged}.items():
        (folder / f"{name}.png").write_bytes(data)
    os.mkfifo(folder / "waits.png")
    (folder / "endless.png").symlink_to("/dev/zero")
    return [f"{name}.png" for name in (*hopeless, "waits", "endless")]
