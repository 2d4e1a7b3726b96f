"""The timing pass on real Ray workers."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench.cluster import Cluster
from aebench.codecs import Codec, Rgb, codecs, parameter
from aebench.evaluate import time_codecs
from aebench.images import ImageRef
from aebench.measure import Row
from aebench.results import RunFolder

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Logs(Codec):
    """Notes when each encoding starts and ends, and kills its process on images of one colour."""

    name = "logs"
    log: str = parameter("")
    seconds: float = parameter(0.05)

    def encode(self, rgb: Rgb) -> bytes:
        if rgb.min() == rgb.max():
            os._exit(9)
        start = time.monotonic()
        time.sleep(self.seconds)
        with Path(self.log).open("a") as file:  # short lines are appended whole
            file.write(f"{start} {time.monotonic()}\n")
        return bytes(rgb.shape[:2]) + rgb.tobytes()

    def decode(self, data: bytes) -> Rgb:
        return np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)

    def version(self) -> str:
        return "1"


def noise(folder: Path, count: int) -> list[ImageRef]:
    """Write small images of noise."""
    found = []
    for index in range(count):
        path = folder / f"{index}.png"
        Image.fromarray(np.random.default_rng(index).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
        found.append(ImageRef(path.name, str(path)))
    return found


def overlaps(log: Path) -> int:
    """Count the encodings that began before one that had begun earlier was over."""
    spans = sorted(tuple(map(float, line.split())) for line in log.read_text().splitlines())
    return sum(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))


@pytest.mark.slow
def test_one_task_at_a_time_and_a_row_a_repeat(tmp_path: Path, cluster: Cluster) -> None:
    run, seen, log = RunFolder(tmp_path / "run"), list[Row](), tmp_path / "log"
    images = noise(tmp_path, 3)
    time_codecs(images, [Logs(str(log)), *codecs("jpeg[quality=50|90]")], 2, run, seen.extend)
    rows = run.times().to_pylist()
    assert len(rows) == len(seen) == 3 * 3 * 2
    assert len(log.read_text().splitlines()) == 3 * (1 + 2)
    assert overlaps(log) == 0
    assert all(row["run"] == "run" and row["node"] and row["cpu"] and not row["error"] for row in rows)

    time_codecs(images[:1], codecs("jpeg[quality=50]"), 1, run)
    assert len(run.times()) == 3 * 3 * 2 + 1


@pytest.mark.slow
def test_a_codec_that_kills_its_worker_costs_its_own_rows_alone(tmp_path: Path, cluster: Cluster) -> None:
    run = RunFolder(tmp_path / "run")
    Image.new("RGB", (30, 20)).save(tmp_path / "black.png")
    images = [ImageRef("black.png", str(tmp_path / "black.png")), *noise(tmp_path, 1)]
    time_codecs(images, [Logs(str(tmp_path / "log")), *codecs("jpeg[quality=50]")], 1, run)
    rows = {(row["image"], row["codec"]): row["error"] for row in run.times().to_pylist()}
    assert "the worker that timed it died" in rows.pop(("black.png", "logs"))
    assert rows == dict.fromkeys([("0.png", "logs"), ("black.png", "jpeg"), ("0.png", "jpeg")])


@pytest.mark.slow
def test_networks_are_timed_too(tmp_path: Path, cluster: Cluster, paper_weights: Path) -> None:
    run = RunFolder(tmp_path / "run")
    time_codecs(noise(tmp_path, 1), codecs(f"paper[bits=4,weights={paper_weights}]"), 1, run)
    (row,) = run.times().to_pylist()
    assert row["error"] is None
    assert row["decode_seconds"] > 0


TWO_NODES = """
import sys
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from aebench.evaluate import time_codecs
from aebench.results import RunFolder
from tests.evaluate.test_timing import Logs, noise

folder = Path(sys.argv[1])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
time_codecs(noise(folder, 4), [Logs(str(folder / "log"), 2.0)], 1, RunFolder(folder / "run"))
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.slow
def test_nodes_work_at_the_same_time(tmp_path: Path) -> None:
    """In a process of its own, since the Ray of the other tests has one node."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-c", TWO_NODES, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert len(RunFolder(tmp_path / "run").times()) == 4
    assert overlaps(tmp_path / "log") >= 1
