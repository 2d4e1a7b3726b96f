from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from aebench.analysis.speed import speeds
from aebench.analysis.timing import Spread, timing_summary
from aebench.results import TIMES
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
    assert found.variants["jpeg"].encode == Spread(*(pytest.approx(MEGAPIXELS / s) for s in (0.2, 0.4, 0.1)))
    assert found.variants["jpeg"].devices == ("cpu",)


def test_a_timing_pass_is_preferred_with_its_wall_time() -> None:
    rows = table(row("a", "jpeg"), row("a", "bpg"))
    times = pa.Table.from_pylist(
        [
            *(repeat("jpeg", number, seconds) for number, seconds in enumerate((0.5, 0.4, 9.0), 1)),
            {**repeat("bpg", 1, None), "error": "CodecError: no"},
        ],
        schema=TIMES,
    )
    found = speeds(rows, times)
    assert found.clock == "wall"
    assert list(found.variants) == ["jpeg"]
    assert found.variants["jpeg"].encode.median == timing_summary(times)[0].encode.megapixels.median
    assert found.variants["jpeg"].encode.median == pytest.approx(MEGAPIXELS / 0.5)
    assert speeds(rows, times.slice(0, 0)) == speeds(rows)
    assert speeds(rows, times.slice(3)) == speeds(rows)


def repeat(codec: str, number: int, seconds: float | None) -> dict[str, Any]:
    """Make a repeat of the timing pass."""
    clocks = dict.fromkeys(("encode_seconds", "encode_cpu_seconds", "decode_seconds", "decode_cpu_seconds"), seconds)
    made = {"image": "a", "width": 768, "height": 512, "codec": codec, "variant": codec, "setting": codec}
    return {**made, **clocks, "repeat": number, "codec_version": "1", "device": "cpu", "cpu": "this", "threads": 1}


def test_a_clock_too_coarse_is_left_out() -> None:
    assert speeds(table(row("a", "jpeg", encode_cpu_seconds=0.0))).variants == {}
