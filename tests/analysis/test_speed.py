from __future__ import annotations

import pytest

from aebench.analysis.speed import Speed, speeds
from tests.report.helpers import failure, row, table

MEGAPIXELS = 768 * 512 / 1e6


def test_rows_give_pixels_by_cpu_seconds_of_the_median_setting() -> None:
    rows = table(
        row("a", "jpeg[quality=1]", encode_cpu_seconds=0.1),
        row("b", "jpeg[quality=1]", encode_cpu_seconds=0.1),
        row("a", "jpeg[quality=2]", encode_cpu_seconds=0.2),
        row("b", "jpeg[quality=2]", encode_cpu_seconds=0.2),
        row("a", "jpeg[quality=3]", encode_cpu_seconds=0.4),
        failure("b", "jpeg[quality=3]", "CodecError: no", encode_cpu_seconds=0.001),
    )
    found = speeds(rows)
    assert found.clock == "cpu"
    assert found.variants["jpeg"].encode == Speed(*(pytest.approx(MEGAPIXELS / s) for s in (0.2, 0.4, 0.1)))
    assert found.variants["jpeg"].devices == ("cpu",)


def test_a_timing_pass_is_preferred_with_its_wall_time() -> None:
    rows = table(row("a", "jpeg"), row("a", "bpg"))
    times = table(row("a", "jpeg", encode_seconds=0.5), failure("a", "bpg", "CodecError: no"))
    found = speeds(rows, times)
    assert found.clock == "wall"
    assert list(found.variants) == ["jpeg"]
    assert found.variants["jpeg"].encode.median == pytest.approx(MEGAPIXELS / 0.5)
    assert speeds(rows, times.slice(0, 0)) == speeds(rows)
    assert speeds(rows, table(failure("a", "jpeg", "CodecError: no"))).clock == "cpu"


def test_a_clock_too_coarse_is_left_out() -> None:
    assert speeds(table(row("a", "jpeg", encode_cpu_seconds=0.0))).variants == {}
