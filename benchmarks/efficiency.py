"""How much of the machine's time goes into codecs: python -m benchmarks.efficiency [SET [FEW]]

Every image of a set through the default sweeps of JPEG, JPEG 2000 and BPG, warm, by aebench and by a plain
``multiprocessing.Pool`` that runs the same harness: once, for that takes minutes. What is repeated, in turns with the
Pool, has few images: codecs one by one, all with MS-SSIM; by a loop in one process they go once.

Efficiency is CPU time inside ``encode`` and ``decode`` over CPUs times wall time. What lowers it for all alike is
reading and scoring. The share is that of codecs in the CPU time of all processes, which other work on the machine does
not change.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.measuring import Taken, by_aebench, by_loop, by_pool, parse, ray, warm_pool, warm_up
from benchmarks.showing import cpus, images, show_machine, show_table, spread

CODECS = ("jpeg", "jpeg2000", "bpg")
PSNR, BOTH = ("psnr",), ("psnr", "ms-ssim")


def main(spec: str = "kodak", few: str = "kodak[::6]") -> None:
    show_machine()
    everything, some = images(spec), images(few)
    rows = []
    with ray() as cluster:
        sweep = parse(",".join(CODECS))
        warm_up(some, sweep, cluster)
        with warm_pool(cpus(), some, sweep) as pool:
            cases = [
                ("jpeg: PSNR, MS-SSIM", parse("jpeg"), BOTH, everything, 5),
                ("jpeg2000: PSNR, MS-SSIM", parse("jpeg2000"), BOTH, some, 3),
                ("bpg: PSNR, MS-SSIM", parse("bpg"), BOTH, some, 3),
                ("all three: PSNR, MS-SSIM", sweep, BOTH, some, 3),
                ("all three: PSNR", sweep, PSNR, everything, 1),
            ]
            for label, settings, metrics, chosen, repeats in cases:
                pairs = [
                    (by_aebench(chosen, settings, cluster, metrics), by_pool(pool, chosen, settings, metrics))
                    for _ in range(repeats)
                ]
                rows.append([label, str(len(chosen)), str(pairs[0][0].rows), *_figures(pairs)])
        by_loop(some[:1], sweep)
        single = by_loop(some, sweep)
    share, efficiency = single.codecs / single.cpu, single.codecs / single.wall
    show_table(
        "Efficiency of aebench and of a Pool: CPU time in encode and decode over CPUs × wall time",
        ["codecs: metrics", "images", "rows", "aebench", "Pool", "share", "Pool's", "wall, s", "Pool's", "speed"],
        rows,
        [
            "Medians of 5, 3, 3, 3 and 1 runs in turns. Share: CPU time in encode and decode over that of all "
            "processes. Speed: aebench's over the Pool's, with the smallest and the largest of a turn.",
            f"One process, all three codecs, {len(some)} images, PSNR and MS-SSIM: efficiency {efficiency:.3f} of its "
            f"one CPU, share {share:.3f}, {single.wall:.1f} s.",
        ],
    )


def _figures(pairs: Sequence[tuple[Taken, Taken]]) -> list[str]:
    """Compare what aebench and the Pool took: efficiencies, shares, wall times, ratio of speeds."""
    sides = list(zip(*pairs, strict=True))
    efficiency = (median(one.codecs / (cpus() * one.wall) for one in side) for side in sides)
    shares = (median(one.codecs / one.cpu for one in side) for side in sides)
    walls = (median(one.wall for one in side) for side in sides)
    speed = spread([pooled.wall / ours.wall for ours, pooled in pairs], 3)
    return [*(f"{value:.3f}" for value in (*efficiency, *shares)), *(f"{wall:.1f}" for wall in walls), speed]


if __name__ == "__main__":
    main(*sys.argv[1:])
