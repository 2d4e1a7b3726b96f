"""Peaks of memory, of the driver and of every kind of process of a run: python -m benchmarks.memory [SET]

BPG, JPEG and the paper's network, the last untrained, on every image of a set: small, middling and large.
"""

from __future__ import annotations

import sys

from aebench.codecs.paper import Paper
from aebench.models.weights import Weights, build
from benchmarks.measuring import by_aebench, parse, ray
from benchmarks.processes import MIB, Peaks
from benchmarks.showing import images, show_machine, show_table


def main(spec: str = "kodak[:4]") -> None:
    show_machine()
    chosen = images(spec)
    network = Paper(bits=4).bind(Weights.of("paper", build("paper"), {}))
    rows = []
    with ray() as cluster:
        for label, settings in {
            "jpeg": parse("jpeg"),
            "jpeg, bpg": parse("jpeg,bpg[qp=22..37:5]"),
            "jpeg, paper": [*parse("jpeg"), network],
        }.items():
            with Peaks() as peaks:
                by_aebench(chosen, settings, cluster)
            rows.append([label, "driver", "1", f"{peaks.here / MIB:.0f}"])
            rows += [["", kind, str(n), f"{size / MIB:.0f}"] for kind, (n, size) in sorted(peaks.kinds.items())]
    show_table(
        f"Peak of memory, MiB, {len(chosen)} images",
        ["codecs", "process", "how many", "MiB"],
        rows,
        [
            "The driver's resident set without shared memory; of the others the proportional set, in which what is "
            "shared counts once."
        ],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
