from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from aebench.analysis.timing import Spread, timing_summary
from aebench.results import TIMES


def times(setting: str, *seconds: float, **others: Any) -> list[dict[str, Any]]:
    """Make the rows of a setting's repeats on an image of 2 megapixels; it decodes in half the time."""
    known = {
        "image": "a.png", "width": 2000, "height": 1000, "codec": setting.partition("[")[0], "setting": setting,
        "codec_version": "1", "device": "cpu", "cpu": "8086", "threads": 1, "node": "n", **others,
    }  # fmt: skip
    return [
        {
            **known, "repeat": repeat, "encode_seconds": value, "decode_seconds": value / 2,
            "encode_cpu_seconds": value / 4, "decode_cpu_seconds": value / 8,
        }
        for repeat, value in enumerate(seconds, 1)
    ]  # fmt: skip


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=TIMES)


def test_speed_is_pixels_by_seconds_with_its_spread() -> None:
    (summary,) = timing_summary(table(*times("jpeg", 0.5, 0.25, 1.0)))
    assert (summary.codec, summary.setting, summary.images, summary.repeats, summary.failed) == (
        "jpeg",
        "jpeg",
        1,
        3,
        0,
    )
    assert summary.encode.megapixels == Spread(median=4, smallest=2, largest=8)
    assert summary.encode.milliseconds == 500
    assert summary.decode.megapixels == Spread(median=8, smallest=4, largest=16)
    assert summary.encode_cpu.megapixels.median == 16
    assert summary.decode_cpu.milliseconds == 62.5


def test_images_of_every_size_count_alike() -> None:
    small = times("jpeg", 0.5, image="b.png", width=1000)
    (summary,) = timing_summary(table(*times("jpeg", 0.5), *small))
    assert summary.images == 2
    assert summary.encode.megapixels == Spread(median=3, smallest=2, largest=4)


def test_codecs_stay_together_and_settings_in_order() -> None:
    rows = [*times("jpeg[q=9]", 1), *times("bpg", 1), *times("jpeg[q=1]", 1), *times("bpg", 2)]
    assert [summary.setting for summary in timing_summary(table(*rows))] == ["jpeg[q=9]", "jpeg[q=1]", "bpg"]


@pytest.mark.parametrize("difference", ["codec_version", "device", "cpu"])
def test_what_is_not_comparable_is_not_mixed(difference: str) -> None:
    rows = [*times("jpeg", 1), *times("jpeg", 2, **{difference: "another"})]
    assert [summary.encode.megapixels.median for summary in timing_summary(table(*rows))] == [2, 1]


def test_failures_are_counted_and_leave_the_speed_alone() -> None:
    failure = {"image": "b.png", "codec": "jpeg", "setting": "jpeg", "error": "damaged"}
    hopeless = {**failure, "codec": "bpg", "setting": "bpg"}
    (summary,) = timing_summary(table(*times("jpeg", 1), failure, hopeless))
    assert (summary.setting, summary.repeats, summary.failed, summary.encode.megapixels.median) == ("jpeg", 1, 1, 2)


def test_a_clock_too_coarse_for_an_image_gives_infinite_speed() -> None:
    (summary,) = timing_summary(table(*times("jpeg", 0.0)))
    assert summary.encode.megapixels.median == float("inf")


def test_nothing_timed_is_nothing_to_say() -> None:
    assert timing_summary(table()) == []
