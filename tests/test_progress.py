from __future__ import annotations

import io
import re
import time

from rich.console import Console

from aebench.progress import Meter


def plain() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=60), out


def test_plain_lines_say_done_failed_and_left() -> None:
    console, out = plain()
    with Meter(console, [("jpeg", 3)], seconds=0) as meter:
        meter.advance("jpeg")
        time.sleep(0.01)
        meter.advance("jpeg", note="1 failed")
        meter.advance("jpeg")
    lines = out.getvalue().splitlines()
    assert re.fullmatch(r"jpeg: 1/3 after \d s", lines[0])
    assert re.fullmatch(r"jpeg: 2/3 after \d s, about \d s left  1 failed", lines[1])
    assert re.fullmatch(r"jpeg: 3/3 after \d s", lines[2])


def test_plain_lines_are_few_but_the_last_is_said() -> None:
    console, out = plain()
    with Meter(console, [("jpeg", 50)], seconds=3600) as meter:
        for _ in range(50):
            meter.advance("jpeg")
    assert [line.split(" ")[1] for line in out.getvalue().splitlines()] == ["50/50"]


def test_a_terminal_gets_bars() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True)
    with Meter(console, [("training", 2)]) as meter:
        meter.advance_to("training", 2, "loss 0.1")
    assert "2/2" in out.getvalue()
    assert "loss 0.1" in out.getvalue()
