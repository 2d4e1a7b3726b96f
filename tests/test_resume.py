"""Runs that are killed, and go on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from aebench.cluster import Cluster
from aebench.measure import Row
from aebench.results import RunFolder
from tests.containment.hostile import CRASHES, HARMLESS, RAISES, write_images
from tests.test_cli import ROOT, aebench

CODECS = ["tests.containment.hostile:Hostile[level=1|2,seconds=0.2]", "jpeg[quality=30|75]"]
MARK = "AEBENCH_TEST_MARK"
"""Environment variable by which the processes of one driver and its Ray are known."""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job of 48 images, of which some end the codec and one cannot be read."""
    kinds = [HARMLESS] * 47
    kinds[5], kinds[20], kinds[33] = RAISES, CRASHES, RAISES
    write_images(tmp_path / "images", kinds)
    (tmp_path / "images" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    path = tmp_path / "killed.toml"
    path.write_text(f"[evaluate]\nimages = '{tmp_path / 'images'}'\ncodecs = {CODECS}\n")
    return path


def measured(folder: Path) -> dict[tuple[str, str], Row]:
    """Return what a run measured, without times and places."""
    names = ("image", "setting", "image_digest", "codec_version", "bytes", "bpp", "mse", "psnr_rgb", "psnr_y", "error")
    table = RunFolder(folder).rows().select(names).to_pylist()
    rows = {(row["image"], row["setting"]): row for row in table}
    assert len(rows) == len(table)
    return rows


def start(job: Path, folder: Path, address: str, mark: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "aebench", "run", job, "--output", folder],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "RAY_ADDRESS": address, "PYTHONPATH": str(ROOT), MARK: mark},
    )  # fmt: skip


def marked(mark: str) -> dict[int, str]:
    """Find the processes that a driver has started, with their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended
            continue
    return {pid: command for pid, command in found.items() if command}


def wait_for_work(driver: subprocess.Popen[str], folder: Path | None) -> None:
    """Wait until a driver has its Ray, or until it has written a file into a folder, or has ended."""
    assert driver.stdout is not None
    before = set(folder.glob("*.parquet")) if folder else set()
    while (line := driver.stdout.readline()) and not line.startswith("Ray: "):
        pass
    while folder and driver.poll() is None and not set(folder.glob("*.parquet")) - before:
        time.sleep(0.05)


def kill_ray(mark: str) -> None:
    """Kill the Ray that a driver has started, and nothing that ought to end by itself."""
    for pid, command in marked(mark).items():
        if "aebench.containment" not in command:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.mark.slow
def test_a_run_that_is_killed_ten_times_comes_to_the_same(tmp_path: Path, job: Path, cluster: Cluster) -> None:
    chance = random.Random(7)
    with start(job, tmp_path / "undisturbed", cluster.address, "undisturbed") as driver:
        print(driver.communicate(timeout=200)[0][-200:])
    assert driver.returncode == 3
    expected = measured(tmp_path / "undisturbed")
    assert len(expected) == 48 * 4

    counts = []
    marks = []
    for number in range(10):
        own_ray = number % 5 == 4
        mark = uuid.uuid4().hex
        with start(job, tmp_path / "killed", "local" if own_ray else cluster.address, mark) as driver:
            wait_for_work(driver, tmp_path / "killed" / "rows" if number % 3 else None)
            time.sleep(chance.uniform(0, 5))
            driver.kill()
        if own_ray:
            marks.append(mark)
            kill_ray(mark)
        counts.append(len(measured(tmp_path / "killed")))
    print(f"rows after each kill: {counts}")
    assert counts == sorted(counts)
    assert len(set(counts)) > 2

    with start(job, tmp_path / "killed", cluster.address, "last") as driver:
        said, _ = driver.communicate(timeout=200)
    assert driver.returncode == 3
    assert measured(tmp_path / "killed") == expected
    assert not list((tmp_path / "killed").rglob("*.tmp"))
    if counts[-1]:
        assert f"{counts[-1]} of {48 * 4} measurements were in" in said
    assert all(wait_for_the_end(mark) for mark in marks)


def wait_for_the_end(mark: str) -> bool:
    """Wait until nothing is left of what a driver has started."""
    for _ in range(300):
        if not marked(mark):
            return True
        time.sleep(0.1)
    print(marked(mark))
    return False


@pytest.mark.slow
def test_failures_are_measured_again_on_request_and_resuming_needs_a_run(tmp_path: Path, job: Path) -> None:
    images, run = tmp_path / "images", tmp_path / "run"
    for path in images.glob("0[1-4]*.png"):  # of 48 images the run keeps some
        path.unlink()
    job.write_text(job.read_text().replace(",seconds=0.2", ""))
    assert "there is no run" in aebench("run", job, "--resume", run, cwd=ROOT, code=2)
    assert "leave out" in aebench("run", job, "--resume", run, "--output", run, cwd=ROOT, code=2)
    aebench("run", job, "--output", run, cwd=ROOT, code=3)
    first = measured(run)
    assert sum(row["error"] is not None for row in first.values()) == 2 + 4

    (images / "damaged.png").write_bytes((images / "000.png").read_bytes())
    said = aebench("run", job, "--resume", run, cwd=ROOT, code=3)
    assert f"{len(first)} of {len(first)} measurements were in" in said
    assert measured(run) == first

    said = aebench("run", job, "--resume", run, "--retry-errors", cwd=ROOT, code=3)
    assert "2 measurements failed, of 005.png; the column 'error' says why, and --retry-errors tries again" in said
    again = measured(run)
    assert {key for key in again if again[key] != first[key]} == {key for key in again if key[0] == "damaged.png"}
