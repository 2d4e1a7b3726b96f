"""Whether a row costs the same in a large run as in a small one: python -m benchmarks.scale [IMAGES …]

A codec that does nothing measures ever more images of 32×32 pixels, so that what is left is aebench's and Ray's. Prints
wall time and CPU time a row, the peak memory of driver and workers, then what the report of the largest run takes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from aebench.images import resolve
from benchmarks.codecs import Nothing
from benchmarks.measuring import by_aebench, ray, warm_up
from benchmarks.processes import MIB, Peaks
from benchmarks.showing import show_machine, show_table

SIZES = (1_000, 10_000, 100_000)
ORIGINALS = 100
"""Different pictures; the others are links to them, which no reader can tell from files of their own."""


def main(sizes: Sequence[int] = SIZES) -> None:
    show_machine()
    rows: list[list[str]] = []
    walls: list[float] = []
    drivers: list[int] = []
    with tempfile.TemporaryDirectory() as folder, ray() as cluster:
        for size in sizes:
            images = resolve(str(make_images(Path(folder) / str(size), size)))
            if not rows:
                warm_up(images, [Nothing()], cluster)
            began = time.process_time()
            with Peaks() as peaks:
                taken = by_aebench(images, [Nothing()], cluster)
            driver = time.process_time() - began
            walls.append(1e3 * taken.wall / size)
            drivers.append(peaks.here)
            rows.append(
                [
                    f"{size:,}", f"{walls[-1]:.2f}", f"{1e3 * taken.cpu / size:.2f}", f"{1e3 * driver / size:.2f}",
                    f"{peaks.here / MIB:.0f}", f"{peaks.others / MIB:.0f}",
                ]
            )  # fmt: skip
    show_table(
        "A codec that does nothing, images of 32×32 pixels",
        ["images", "wall, ms a row", "CPU, ms a row", "driver's", "driver, MiB", "others, MiB"],
        rows,
        [
            f"From {sizes[0]:,} to {sizes[-1]:,} images: wall a row ×{walls[-1] / walls[0]:.2f}, "
            f"driver's memory ×{drivers[-1] / drivers[0]:.2f}.",
            "CPU time is that of all processes. Driver: its resident set without Ray's store of shared objects. "
            "Others: Ray's own processes, workers and their children, what they share counted once.",
        ],
    )


def make_images(folder: Path, number: int) -> Path:
    """Write so many images of noise, 32×32 pixels."""
    folder.mkdir()
    random = np.random.default_rng(1)
    for index in range(number):
        path = folder / f"{index:07}.png"
        if index < ORIGINALS:
            Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
        else:
            os.link(folder / f"{index % ORIGINALS:07}.png", path)
    return folder


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or SIZES)
