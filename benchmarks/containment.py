"""What measuring in a child process costs: python -m benchmarks.containment

Wall time of a call and of a row with and without the child, taken alternately: for a codec that does nothing, where
what the child costs shows best, and for JPEG. Then what it takes to start a child, and a fork server.
"""

from __future__ import annotations

import pickle
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from aebench.codecs import Codec, Rgb
from aebench.containment import ChildProcess, Limits
from aebench.containment.harness import ContainedHarness, Harness
from aebench.images import ImageRef
from aebench.measure import Request, measure
from benchmarks.codecs import Nothing
from benchmarks.measuring import parse
from benchmarks.processes import wall
from benchmarks.showing import show_machine, show_table, spread, timed

CALLS = 60


def main(calls: int = CALLS) -> None:
    show_machine()
    astronaut: Rgb = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    pictures = {"64×64": astronaut[:64, :64], "768×512": np.tile(astronaut, (1, 2, 1))[:, :768]}
    settings: dict[str, Sequence[Codec]] = {
        "nothing, 1 setting": [Nothing(1)],
        "nothing, 10 settings": [Nothing(level) for level in range(10)],
        "jpeg, 5 settings": parse("jpeg[quality=5|30|50|75|95]"),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size, rgb in pictures.items():
            path = Path(folder) / f"{len(rgb)}.png"
            Image.fromarray(rgb).save(path)
            rows += [
                [f"{label}, {size}", *compare(ImageRef(path.name, str(path)), family, calls)]
                for label, family in settings.items()
            ]
    heads = ["codec and image", "here", "in a child", "more a call", "more a row"]
    show_table(f"Measuring an image, ms of wall time; medians of {calls} calls", heads, rows)
    show_starts()


def compare(image: ImageRef, family: Sequence[Codec], repeats: int) -> list[str]:
    """Measure an image at some settings, here and in a child; return the times and their difference."""
    request = Request()
    harness = ContainedHarness(pickle.dumps(Harness([family], request)), Limits())
    calls: list[Callable[[], object]] = [
        lambda: list(measure([image], family, request)),
        lambda: list(harness.measure([image], 0)),
    ]
    for call in calls:
        call()
    pairs = [[1e3 * timed(call, wall) for call in calls] for _ in range(repeats)]
    harness.close()
    here, child = (statistics.median(times) for times in zip(*pairs, strict=True))
    more = statistics.median(child - here for here, child in pairs)
    return [f"{here:.2f}", f"{child:.2f}", f"{more:.2f}", f"{more / len(family):.3f}"]


def show_starts() -> None:
    """Print how long a call takes that has to start a child, and a fork server as well."""
    server: bytes = pickle.dumps(Harness([parse("jpeg")], Request()))
    fork_servers, children = [], []
    for _ in range(5):
        child = ChildProcess(server, Limits())
        fork_servers.append(1e3 * timed(child.start, wall))
        for _ in range(5):
            child.stop()
            children.append(1e3 * timed(child.start, wall))
        child.close()
    rows = [["a fork server and a child", spread(fork_servers, 0)], ["another child", spread(children, 1)]]
    show_table("Starting, ms of wall time; medians, smallest and largest", ["", "ms"], rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
