from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from aebench.progress import Meter, duration, pace


def plain() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=60), out


def test_plain_lines_say_done_failed_rate_and_left() -> None:
    console, out = plain()
    with Meter(console, [("jpeg", 3)], seconds=0) as meter:
        meter.advance("jpeg")
        time.sleep(0.01)
        meter.advance("jpeg", failed=1)
        meter.advance("jpeg")
    lines = out.getvalue().splitlines()
    assert re.fullmatch(r"jpeg: 1/3 after \d s", lines[0])
    assert re.fullmatch(r"jpeg: 2/3 after \d s, 1 failed, [\d.]+ (rows/s|s/row), about \d s left", lines[1])
    assert re.fullmatch(r"jpeg: 3/3 after \d s, 1 failed, [\d.]+ (rows/s|s/row)", lines[2])


def test_plain_lines_are_few_but_the_last_is_said() -> None:
    console, out = plain()
    with Meter(console, [("jpeg", 50)], seconds=3600) as meter:
        for _ in range(50):
            meter.advance("jpeg")
    assert [line.split(" ")[1] for line in out.getvalue().splitlines()] == ["50/50"]


def test_a_terminal_gets_bars() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True)
    with Meter(console, [("training", 4)], "epoch") as meter:
        meter.advance_to("training", 1, "loss 0.2")
        time.sleep(0.01)
        meter.advance_to("training", 2, "loss 0.1", failed=1)
    assert "2/4" in out.getvalue()
    assert re.search(r"1 failed, [\d.]+ (epochs/s|s/epoch), about \d s left, loss 0\.1", out.getvalue())


def test_what_was_done_before_says_nothing_about_the_speed() -> None:
    console, out = plain()
    with Meter(console, [("training", 1000)], "epoch", seconds=0) as meter:
        meter.advance_to("training", 900)
        time.sleep(0.05)
        meter.advance_to("training", 901)
    rate = re.search(r"([\d.]+) epochs/s", out.getvalue())
    assert rate is not None
    assert float(rate[1]) <= 20


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (250.4, "250 rows/s"),
        (12.34, "12.3 rows/s"),
        (1.0, "1.0 rows/s"),
        (0.4, "2.5 s/row"),
        (1 / 90, "1 min 30 s/row"),
    ],
)
def test_paces_are_readable_from_fast_to_slow(rate: float, said: str) -> None:
    assert pace(rate, "row") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599, "59 min 59 s"), (7380, "2 h 03 min")],
)
def test_durations_have_two_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said
