from __future__ import annotations

import math

from aebench.analysis.rows import basis
from aebench.analysis.selection import by_codec, chosen_defaults, common_rate, matched_settings
from aebench.analysis.summary import Summary, summarise
from tests.report.helpers import failure, row, table


def summaries(*rates: tuple[str, float], broken: tuple[str, ...] = ()) -> list[Summary]:
    rows = table(
        *(row("a", setting, bpp=bpp) for setting, bpp in rates), *(failure("a", setting, "x") for setting in broken)
    )
    return summarise(rows, basis(rows))


JPEG = (("jpeg[quality=5]", 0.2), ("jpeg[quality=50]", 0.9), ("jpeg[quality=75]", 1.4), ("jpeg[quality=95]", 3.3))
PAPER = (("paper[bits=2]", 3.0), ("paper[bits=32]", 256.0))


def test_groups_rise_in_rate_and_end_with_what_coded_nothing() -> None:
    groups = by_codec(summaries(*PAPER[::-1], *JPEG[::-1], broken=("jpeg[quality=100]",)))
    assert [s.setting for s in groups["jpeg"]] == [*(setting for setting, _ in JPEG), "jpeg[quality=100]"]
    assert [s.bpp for s in groups["paper"]] == [3.0, 256.0]


def test_default_setting_is_the_recorded_one() -> None:
    recorded = {"paper": "paper[bits=32]", "jpeg": "jpeg[quality=75]", "heif": "heif[qp=26]"}
    assert chosen_defaults(summaries(*JPEG, *PAPER), recorded) == (
        {"jpeg": "jpeg[quality=75]", "paper": "paper[bits=32]"},
        [],
    )


def test_median_rate_stands_in_for_a_default_that_was_not_measured() -> None:
    found = chosen_defaults(summaries(*JPEG[:3], *PAPER), {"jpeg": "jpeg[quality=80]"})
    assert found == ({"jpeg": "jpeg[quality=50]", "paper": "paper[bits=2]"}, ["jpeg", "paper"])


def test_median_rate_is_of_what_coded_something() -> None:
    found, _ = chosen_defaults(summaries(JPEG[0], broken=("jpeg[a=1]", "jpeg[a=2]", "png")), {})
    assert found == {"jpeg": "jpeg[quality=5]", "png": "png"}


def test_default_that_failed_is_still_the_default() -> None:
    found = chosen_defaults(summaries(*JPEG, broken=("jpeg[quality=80]",)), {"jpeg": "jpeg[quality=80]"})
    assert found == ({"jpeg": "jpeg[quality=80]"}, [])


def test_common_rate_is_where_the_dearest_codec_begins() -> None:
    assert common_rate(summaries(*JPEG, *PAPER, broken=("png",))) == 3.0
    assert common_rate(summaries(*JPEG)) == 0.2
    assert math.isnan(common_rate(summaries(broken=("png",))))


def test_matched_settings_are_nearest_in_rate() -> None:
    measured = summaries(*JPEG, *PAPER, broken=("png",))
    assert matched_settings(measured, 3.0) == {"jpeg": "jpeg[quality=95]", "paper": "paper[bits=2]"}
    assert matched_settings(measured, 0.6) == {"jpeg": "jpeg[quality=50]", "paper": "paper[bits=2]"}
    assert matched_settings(summaries(("jpeg[quality=1]", 0.5), ("jpeg[quality=2]", 1.5)), 1.0) == {
        "jpeg": "jpeg[quality=1]"
    }
