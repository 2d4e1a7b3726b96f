from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from aebench.errors import ResultsError
from aebench.report.figures import NothingToDrawError, bd_rate_figure
from aebench.report.figures.gains import gain_axis
from tests.report.figures.runs import curve, run_of, texts

IMAGES = ("a.png", "b.png", "c.png")


def test_dots_mean_median_and_interval_are_those_of_the_run(tmp_path: Path) -> None:
    run = run_of(tmp_path, *(curve(image, v, g) for image in IMAGES for v, g in (("jpeg", 0), ("bpg", 3), ("webp", 1))))
    (axes,) = bd_rate_figure(run).axes
    rows = dict(zip((label.get_text() for label in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert list(rows) == ["bpg", "webp"]
    for variant, comparison in run.bd_rate().items():
        rate = comparison.rate
        expected = {
            "images": [rate.per_image[image] for image in sorted(rate.per_image)],
            "mean": [rate.mean],
            "median": [rate.median] * 2,
            "interval": list(rate.interval),
            "of the mean curve": [rate.of_mean_curve],
        }
        for label, numbers in expected.items():
            drawn = [
                list(a.get_xdata()) for a in axes.get_lines() if a.get_label() == label and _row(a) == rows[variant]
            ]
            assert drawn == [pytest.approx(numbers)]


def test_refusals_are_counted_with_their_reason(tmp_path: Path) -> None:
    jagged = curve("b.png", "bpg", 3)
    jagged[2]["psnr_rgb"] = 10.0
    run = run_of(
        tmp_path, *(curve(image, "jpeg") for image in IMAGES), curve("a.png", "bpg", 3), jagged, curve("c.png", "bpg")
    )
    text = texts(bd_rate_figure(run))
    assert "2 of 3" in text
    assert "bpg is refused on 1 image: the test is not monotone." in text


def test_a_variant_without_any_figure_keeps_its_row(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        *(curve(image, v) for image in IMAGES for v in ("jpeg", "bpg")),
        *(curve(image, "paper", rates=(1,)) for image in IMAGES),
    )
    text = texts(bd_rate_figure(run))
    assert "refused on every image" in text
    assert "paper is refused on 3 images: the test has 1 points of finite quality, 4 are needed." in text


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    run = run_of(tmp_path, curve("a.png", "jpeg"))
    with pytest.raises(NothingToDrawError, match="it takes two variants"):
        bd_rate_figure(run)
    with pytest.raises(ResultsError, match="has no 'bpg'"):
        bd_rate_figure(run, anchor="bpg")


@pytest.mark.parametrize("gains", [[0.0], [-1, 2], [-60, -45], [-99.99, 50], [20, 90000], [-30, 35]])
def test_axis_of_gains_holds_them_with_few_ticks(gains: list[float]) -> None:
    axes = Figure().add_subplot()
    gain_axis(axes, "x", gains)
    low, high = axes.get_xlim()
    assert -100 < low < min(*gains, 0)
    assert high > max(*gains, 0)
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 0 in ticks
    assert len(ticks) <= 8
    half, same, double = axes.transData.transform([(-50, 0), (0, 0), (100, 0)])[:, 0]
    assert double - same == pytest.approx(same - half)


def _row(line: object) -> float:
    heights = list(line.get_ydata())  # type: ignore[attr-defined]
    return round(sum(heights) / len(heights))
