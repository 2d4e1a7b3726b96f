"""What measuring in a child process costs: python benchmarks/containment.py

Prints medians, in ms of wall time, of a call and of a row with and without the child, taken alternately: for a codec
that does nothing, where what the child costs shows best, and for JPEG. Then what it takes to start a child, and a fork
server.
"""

from __future__ import annotations

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from aebench.codecs import Codec, Rgb, codecs, parameter
from aebench.containment import ChildProcess, Limits
from aebench.containment.harness import ContainedHarness, Harness
from aebench.images import ImageRef
from aebench.measure import Request, measure

CALLS = 60


@dataclass(frozen=True)
class Nothing(Codec):
    """Writes the size and decodes to black."""

    name = "nothing"
    level: int = parameter(1)

    def encode(self, rgb: Rgb) -> bytes:
        return rgb.shape[0].to_bytes(2) + rgb.shape[1].to_bytes(2)

    def decode(self, data: bytes) -> Rgb:
        return np.zeros((int.from_bytes(data[:2]), int.from_bytes(data[2:]), 3), np.uint8)

    def version(self) -> str:
        return "1"


def main() -> None:
    astronaut: Rgb = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    pictures = {"64×64": astronaut[:64, :64], "768×512": np.tile(astronaut, (1, 2, 1))[:, :768]}
    settings: dict[str, Sequence[Codec]] = {
        "nothing, 1 setting": [Nothing(1)],
        "nothing, 10 settings": [Nothing(level) for level in range(10)],
        "jpeg, 5 settings": codecs("jpeg[quality=5|30|50|75|95]"),
    }
    print(f"medians of {CALLS} calls, ms       here    child   more a call   more a row")
    with tempfile.TemporaryDirectory() as folder:
        for size, rgb in pictures.items():
            path = Path(folder) / f"{len(rgb)}.png"
            Image.fromarray(rgb).save(path)
            for label, family in settings.items():
                compare(f"{label}, {size}", ImageRef(path.name, str(path)), family)
    time_starts()


def compare(label: str, image: ImageRef, family: Sequence[Codec]) -> None:
    """Print the time of measuring an image at some settings, here and in a child."""
    request = Request()
    harness = ContainedHarness(pickle.dumps(Harness([family], request)), Limits())
    calls: list[Callable[[], object]] = [
        lambda: list(measure([image], family, request)),
        lambda: list(harness.measure([image], 0)),
    ]
    for call in calls:
        call()
    pairs = [[wall(call) for call in calls] for _ in range(CALLS)]
    harness.close()
    here, child = (statistics.median(times) for times in zip(*pairs, strict=True))
    more = statistics.median(child - here for here, child in pairs)
    print(f"{label:30}  {here:7.2f}  {child:7.2f}   {more:11.2f}   {more / len(family):10.3f}")


def time_starts() -> None:
    """Print how long a call takes that has to start a child, and a fork server as well."""
    server = pickle.dumps(Harness([codecs("jpeg")], Request()))
    fork_servers, children = [], []
    for _ in range(5):
        child = ChildProcess(server, Limits())
        fork_servers.append(wall(lambda: child._start()))  # noqa: B023
        children += [wall(lambda: child._start()) for _ in range(5)]  # noqa: B023
        child.close()
    print(f"start of a fork server and a child   {statistics.median(fork_servers):7.1f}")
    print(f"replacement of a child               {statistics.median(children):7.1f}")


def wall(call: Callable[[], object]) -> float:
    """Return the milliseconds of wall time of a call."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    import containment  # the child knows this file by its name

    containment.main()
