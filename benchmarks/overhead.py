"""What a row costs beside its codec, stage by stage: python -m benchmarks.overhead [SET]

CPU time a row of each stage of measuring five JPEG settings, called by itself; then what the child process adds to all
of them, and what Ray, Parquet and the driver add to that.
"""

from __future__ import annotations

import dataclasses
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from aebench.codecs import Codec
from aebench.containment import Limits
from aebench.containment.harness import ContainedHarness, Harness
from aebench.images import ImageRef, open_rgb, pixel_digest
from aebench.measure import Request, Row, measure
from aebench.metrics import Reference
from aebench.results import RunFolder
from benchmarks.measuring import by_aebench, parse, ray, warm_up
from benchmarks.processes import cpu_seconds
from benchmarks.showing import images, show_machine, show_table, spread, timed

SETTINGS = "jpeg[quality=5|30|50|75|95]"
REPEATS = 3

Stages = dict[str, float]
"""Stage to CPU milliseconds a row."""


def main(spec: str = "kodak", *, repeats: int = REPEATS) -> None:
    show_machine()
    chosen, settings = images(spec), parse(SETTINGS)
    found = [_stages(chosen, settings) for _ in range(repeats)]  # before Ray, whose own processes are never quite idle
    with ray() as cluster:
        warm_up(chosen, settings, cluster)
        for stages in found:
            rows = len(chosen) * len(settings)
            whole = 1e3 * by_aebench(chosen, settings, cluster).cpu / rows
            contained = sum(stages.values())
            stages["Ray, driver and Parquet files"] = whole - contained
            stages["in all"] = whole
    codec = statistics.median(stages["encode"] + stages["decode"] for stages in found)
    show_table(
        f"CPU time a row, ms: {len(chosen)} images × {len(settings)} JPEG settings; medians, smallest and largest",
        ["stage", "ms a row"],
        [[stage, spread([stages[stage] for stages in found], 3)] for stage in found[0]],
        [
            f"All but the codec: {statistics.median(stages['in all'] for stages in found) - codec:.2f} ms a row.",
            _parquet(chosen, settings),
        ],
    )


def _stages(chosen: list[ImageRef], settings: list[Codec]) -> Stages:
    """Time every stage on every image, in this process and then in a child."""
    totals: dict[str, float] = {}

    def add(stage: str, call: Callable[[], object]) -> None:
        totals[stage] = totals.get(stage, 0.0) + timed(call, time.process_time)

    for image in chosen:
        add("reading the image", lambda: open_rgb(image.uri))  # noqa: B023
        rgb = open_rgb(image.uri)
        reference = Reference(rgb)
        add("its digest", lambda: pixel_digest(rgb))  # noqa: B023
        coded = [(codec, codec.encode(rgb)) for codec in settings]
        decoded = [dataclasses.replace(codec).decode(data) for codec, data in coded]
        once = timed(lambda: reference.score(decoded[0]), time.process_time)  # noqa: B023
        again = timed(lambda: reference.score(decoded[0]), time.process_time)  # noqa: B023
        totals["moments of the original"] = totals.get("moments of the original", 0.0) + once - again
        for (codec, data), shown in zip(coded, decoded, strict=True):
            add("encode", lambda: codec.encode(rgb))  # noqa: B023
            add("decode", lambda: codec.decode(data))  # noqa: B023
            start = time.process_time()
            reference.score(shown, ("psnr",))
            middle = time.process_time()
            reference.score(shown)
            both = time.process_time() - middle
            totals["PSNR"] = totals.get("PSNR", 0.0) + middle - start
            totals["MS-SSIM"] = totals.get("MS-SSIM", 0.0) + both - (middle - start)
    rows = len(chosen) * len(settings)
    stages = {stage: 1e3 * seconds / rows for stage, seconds in totals.items()}
    here = 1e3 * timed(lambda: [list(measure([image], settings, Request())) for image in chosen], time.process_time)
    stages["versions, settings, the row itself"] = here / rows - sum(stages.values())
    harness = ContainedHarness(pickle.dumps(Harness([settings], Request())), Limits())
    list(harness.measure(chosen[:1], 0))
    contained = 1e3 * timed(lambda: [list(harness.measure([image], 0)) for image in chosen], cpu_seconds)
    harness.close()
    stages["child process"] = (contained - here) / rows
    return stages


def _parquet(chosen: list[ImageRef], settings: list[Codec]) -> str:
    """Say what writing and compacting rows takes, of what Ray and the driver take."""
    rows: list[Row] = [row for _ in range(20) for row in measure(chosen[:1], settings, Request(("psnr",)))]
    rows = [{**row, "image": f"{row['image']}-{index // len(settings)}"} for index, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        written = sum(timed(lambda: run.append_rows(rows), time.process_time) for _ in range(5))
        compacted = timed(run.compact, time.process_time)
    each = 1e3 / (5 * len(rows))
    return f"Files of {len(rows)} rows: writing takes {each * written:.3f}, compacting {each * compacted:.3f} ms a row."


if __name__ == "__main__":
    main(*sys.argv[1:])
