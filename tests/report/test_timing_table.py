from __future__ import annotations

import io

import pyarrow as pa
from rich.console import Console

from aebench.report.timing_table import show_timing
from tests.analysis.test_timing import table, times
from tests.report.helpers import line, prose


def printed(times: pa.Table, width: int = 120) -> str:
    file = io.StringIO()
    show_timing(times, Console(file=file, width=width))
    return file.getvalue()


def test_a_setting_is_a_line_of_medians_and_spreads() -> None:
    text = printed(table(*times("jpeg[quality=50]", 0.5, 0.25, 1.0), *times("bpg[qp=32]", 8.0)))
    assert line(text, "jpeg").split() == [
        "jpeg[quality=50]", "3", "500.0", "4.00", "2.00–8.00", "250.0", "8.00", "4.00–16.0",
    ]  # fmt: skip
    assert line(text, "bpg").split()[3] == "0.250"
    assert "one thread on 8086" in prose(text)


def test_several_machines_are_numbered() -> None:
    text = printed(table(*times("jpeg", 0.5), *times("jpeg", 1.0, cpu="68000"), *times("paper", 1, device="H100")))
    assert "1: 8086; 2: 68000; 3: H100 beside 8086" in prose(text)
    assert [row.split()[1] for row in text.splitlines() if row.startswith("jpeg")] == ["1", "2"]


def test_more_cpu_time_than_one_thread_takes_is_told() -> None:
    greedy = [{**row, "encode_cpu_seconds": 2.0} for row in times("bpg", 1.0)]
    assert "more than the one thread it was asked to take: bpg." in prose(printed(table(*times("jpeg", 1.0), *greedy)))
    assert "more than the one thread" not in prose(printed(table(*times("jpeg", 1.0))))


def test_versions_that_are_mixed_are_told() -> None:
    text = printed(table(*times("jpeg", 1.0), *times("jpeg", 1.0, codec_version="2")))
    assert "several versions of the codec, a row each: jpeg." in prose(text)


def test_failures_are_shown_even_where_nothing_else_is() -> None:
    failure = {"image": "b.png", "codec": "jpeg", "setting": "jpeg", "error": "b.png is damaged"}
    assert "b.png is damaged" in printed(table(failure))


def test_it_fits_a_narrow_terminal() -> None:
    text = printed(table(*times("jpeg[quality=50,chroma=444]", 0.5, 0.25, 1.0)), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
