"""How much of the machine's time goes into codecs: python -m benchmarks.efficiency [SET [FEW]]

Every image of a set through the default sweeps of JPEG, JPEG 2000 and BPG, warm: by aebench, and by a plain
``multiprocessing.Pool`` that runs the same harness; by a loop in one process on few images, which also make the codecs'
own figures. Efficiency is CPU time inside ``encode`` and ``decode`` over CPUs times wall time. What lowers it for all
alike is reading and scoring.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from aebench.images import ImageRef
from benchmarks.measuring import Taken, by_aebench, by_loop, by_pool, parse, ray, warm_pool, warm_up
from benchmarks.showing import cpus, images, show_machine, show_table

CODECS = ("jpeg", "jpeg2000", "bpg")
METRICS = {"PSNR": ("psnr",), "PSNR, MS-SSIM": ("psnr", "ms-ssim")}


def main(spec: str = "kodak", few: str = "kodak[::6]") -> None:
    show_machine()
    everything, some = images(spec), images(few)
    rows = []
    with ray() as cluster:
        sweep = parse(",".join(CODECS))
        warm_up(some, sweep, cluster)
        with warm_pool(cpus(), some, sweep) as pool:
            cases = [(name, name, "PSNR, MS-SSIM", everything if name == "jpeg" else some) for name in CODECS]
            cases += [("all three", ",".join(CODECS), metrics, everything) for metrics in METRICS]
            for label, names, metrics, chosen in cases:
                settings, scored = parse(names), METRICS[metrics]
                ours = by_aebench(chosen, settings, cluster, scored)
                pooled = by_pool(pool, chosen, settings, scored)
                rows.append([label, metrics, *_figures(chosen, ours, pooled)])
        by_loop(some[:1], sweep)
        single = by_loop(some, sweep)
    show_table(
        "Efficiency: CPU time in encode and decode over CPUs × wall time",
        ["codecs", "metrics", "images", "rows", "aebench", "Pool", "wall, s", "Pool, s", "throughput / Pool's"],
        rows,
        [
            f"One process, all three codecs, PSNR and MS-SSIM, {len(some)} images: efficiency "
            f"{single.codecs / single.wall:.3f} of its one CPU, {single.wall:.1f} s."
        ],
    )


def _figures(chosen: Sequence[ImageRef], ours: Taken, pooled: Taken) -> list[str]:
    efficiency = (f"{taken.codecs / (cpus() * taken.wall):.3f}" for taken in (ours, pooled))
    walls = (f"{taken.wall:.1f}" for taken in (ours, pooled))
    return [str(len(chosen)), str(ours.rows), *efficiency, *walls, f"{pooled.wall / ours.wall:.3f}"]


if __name__ == "__main__":
    main(*sys.argv[1:])
