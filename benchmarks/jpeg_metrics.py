"""Kodak × 5 JPEG settings with PSNR and MS-SSIM, warm: python -m benchmarks.jpeg_metrics [SET]

CPU time against the same work with the MS-SSIM of pytorch-msssim, and wall time against a bare loop in two processes
over the same functions of codec and metrics, which counts bytes but keeps no time, names no image and writes nothing.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from aebench.codecs import Codec, Rgb
from aebench.images import ImageRef, open_rgb
from aebench.metrics import Reference
from benchmarks.measuring import by_aebench, parse, ray, warm_up
from benchmarks.processes import cpu_seconds, wall
from benchmarks.showing import images, show_machine, show_table, spread, timed

SETTINGS = "jpeg[quality=5|30|50|75|95]"
REPEATS = 5

Scorer = Callable[[Rgb], Callable[[Rgb], float]]
"""Takes an original; returns what scores a decoded image, and gives its MS-SSIM."""


def main(spec: str = "kodak", *, repeats: int = REPEATS) -> None:
    show_machine()
    chosen, settings = images(spec), parse(SETTINGS)
    with ray() as cluster:
        warm_up(chosen, settings, cluster)
        ours = [by_aebench(chosen, settings, cluster) for _ in range(repeats)]
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            work = partial(bare, settings=settings, scorer=with_aebench)
            pool.map(work, chosen[:1] * 8, chunksize=1)
            walls = [timed(lambda: pool.map(work, chosen, chunksize=1), wall) for _ in range(repeats)]
    theirs = []
    bare(chosen[0], settings, with_pytorch_msssim)
    for _ in range(max(1, repeats // 3)):
        start = cpu_seconds()
        scores = [bare(image, settings, with_pytorch_msssim) for image in chosen]
        theirs.append(cpu_seconds() - start)
    furthest = max(
        abs(a - b)
        for image, known in zip(chosen, scores, strict=True)
        for a, b in zip(bare(image, settings, with_aebench), known, strict=True)
    )
    cpu, mine, loop = ([t.cpu for t in ours], [t.wall for t in ours], walls)
    show_table(
        f"{len(chosen)} images × {len(settings)} JPEG settings, PSNR and MS-SSIM, warm; medians, smallest and largest",
        ["", "CPU, s", "wall, s"],
        [
            ["aebench, up to the Parquet file", spread(cpu), spread(mine)],
            ["bare loop in two processes, same functions", "–", spread(loop)],
            ["bare loop with pytorch-msssim, one thread", spread(theirs), "–"],
        ],
        [
            f"CPU, aebench over pytorch-msssim: {statistics.median(cpu) / statistics.median(theirs):.3f}. "
            f"Wall, aebench over bare loop: {statistics.median(mine) / statistics.median(loop):.2f}.",
            f"Largest difference in MS-SSIM: {furthest:.1e}.",
        ],
    )


def bare(image: ImageRef, settings: list[Codec], scorer: Scorer) -> list[float]:
    """Code an image at every setting, count the bits, and score what is decoded."""
    rgb = open_rgb(image.uri)
    score = scorer(rgb)
    found = []
    for codec in settings:
        data = codec.encode(rgb)
        assert 8 * len(data) / (rgb.size // 3) > 0
        found.append(score(codec.decode(data)))
    return found


def with_aebench(original: Rgb) -> Callable[[Rgb], float]:
    """Score PSNR and MS-SSIM by aebench."""
    reference = Reference(original)
    return lambda decoded: reference.score(decoded).ms_ssim or 0.0


def with_pytorch_msssim(original: Rgb) -> Callable[[Rgb], float]:
    """Score PSNR by aebench and MS-SSIM by pytorch-msssim, in one thread."""
    import torch
    from pytorch_msssim import MS_SSIM

    torch.set_num_threads(1)
    metric, reference = MS_SSIM(data_range=255), Reference(original)

    def planes(rgb: Rgb) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None].float()

    first = planes(original)

    def score(decoded: Rgb) -> float:
        reference.score(decoded, ("psnr",))
        with torch.inference_mode():
            return float(metric(first, planes(decoded)))

    return score


if __name__ == "__main__":
    main(*sys.argv[1:])
