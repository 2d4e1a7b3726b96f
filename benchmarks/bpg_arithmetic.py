"""What BPG costs beside x265 and libde265: python -m benchmarks.bpg_arithmetic

Prints the median CPU time of every function of colour and chroma, and the share of an encode and a decode that passes
outside pillow-heif.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pillow_heif

from aebench.codecs import Rgb, bpg
from aebench.codecs.bpg import chroma, color
from aebench.images import open_rgb
from benchmarks.showing import images, show_machine, show_table

P = ParamSpec("P")
R = TypeVar("R")

REPEATS = 15
QPS = (17, 32, 47)


def main(spec: str = "kodak[2]", *, repeats: int = REPEATS) -> None:
    show_machine()
    rgb = open_rgb(images(spec)[0].uri)
    time_functions(rgb, repeats)
    time_codec(rgb, repeats)


def time_functions(rgb: Rgb, repeats: int) -> None:
    """Print the time of each function, alone and for a million pixels of the image."""
    height, width = rgb.shape[:2]
    y, cb, cr = color.rgb_to_ycbcr(rgb, 8)
    half, quarter = chroma.halve_width(cb, 8), chroma.halve(cb, 8)
    calls: dict[str, Callable[[], object]] = {
        "rgb_to_ycbcr": lambda: color.rgb_to_ycbcr(rgb, 8),
        "rgb_to_ycbcr, 10 bits": lambda: color.rgb_to_ycbcr(rgb, 10),
        "to_rgb": lambda: color.to_rgb(y, cb, cr, "ycbcr-bt601", 8, False),
        "halve_width, one plane": lambda: chroma.halve_width(cb, 8),
        "halve, one plane": lambda: chroma.halve(cb, 8),
        "double_width, one plane": lambda: chroma.double_width(half, width, 8, False),
        "double, one plane": lambda: chroma.double(quarter, height, width, 8, False),
    }
    rows = []
    for label, call in calls.items():
        spent = 1e3 * statistics.median(cpu(call) for _ in range(repeats))
        rows.append([label, f"{spent:.2f}", f"{1e6 * spent / (height * width):.2f}"])
    title = f"Colour and chroma, {width}×{height} pixels, CPU time in ms; medians of {repeats}"
    show_table(title, ["function", "an image", "a megapixel"], rows)


def time_codec(rgb: Rgb, repeats: int) -> None:
    """Print the time of encode and decode, and the share of it outside pillow-heif."""
    meter = Meter()
    pillow_heif.encode = meter.around(pillow_heif.encode)
    pillow_heif.open_heif = meter.around(pillow_heif.open_heif)
    meter.around_method(pillow_heif.HeifImage, "load")
    rows = []
    for subsampling in ("444", "420", "422", "grey"):
        for qp in QPS:
            data = bpg.encode(rgb, qp=qp, chroma=subsampling)
            row = [f"{subsampling}, qp {qp}"]
            for call in (lambda: bpg.encode(rgb, qp=qp, chroma=subsampling), lambda: bpg.decode(data)):  # noqa: B023
                runs = [meter.run(call) for _ in range(repeats)]
                whole = statistics.median(total for total, _ in runs)
                outside = statistics.median(1 - inside / total for total, inside in runs)
                row += [f"{1e3 * whole:.1f}", f"{100 * outside:.1f} %"]
            rows.append(row)
    title = f"Outside pillow-heif, of CPU time in ms; medians of {repeats}"
    show_table(title, ["chroma", "encode", "outside", "decode", "outside"], rows)


class Meter:
    """CPU time inside some functions during a call."""

    def __init__(self) -> None:
        self.inside = 0.0

    def around(self, function: Callable[P, R]) -> Callable[P, R]:
        """Count the time that a function takes."""

        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.inside += time.process_time() - start

        return timed

    def around_method(self, owner: type, name: str) -> None:
        """Count the time that a method takes."""
        setattr(owner, name, self.around(getattr(owner, name)))

    def run(self, call: Callable[[], object]) -> tuple[float, float]:
        """Return the CPU seconds of a call, and of them those inside."""
        self.inside = 0.0
        return cpu(call), self.inside


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, those of its threads included."""
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
