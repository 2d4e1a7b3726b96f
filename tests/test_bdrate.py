"""BD-rate against the package bjontegaard, on generated and on published curves, and every refusal."""

from __future__ import annotations

import itertools
import json
import math
import os
from pathlib import Path

import bjontegaard  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.bdrate import LEAST_OVERLAP, Curve, bd_psnr, bd_rate
from aebench.errors import BdRateError

JPEG = Curve([0.2, 0.4, 0.8, 1.6, 2.4], [27.0, 30.0, 33.5, 37.0, 39.0])


@st.composite
def monotone_curves(draw: st.DrawFn) -> Curve:
    count = draw(st.integers(4, 12))
    log_steps = draw(st.lists(st.floats(0.05, 0.8), min_size=count, max_size=count))
    quality_steps = draw(st.lists(st.floats(0.1, 5.0), min_size=count, max_size=count))
    start, floor = draw(st.floats(-3.0, 0.0)), draw(st.floats(20.0, 30.0))
    rates = [math.exp(start + step) for step in itertools.accumulate(log_steps)]
    return Curve(rates, [floor + step for step in itertools.accumulate(quality_steps)])


def oracle(name: str, anchor: Curve, test: Curve) -> float:
    function = getattr(bjontegaard, name)
    points = (anchor.rates, anchor.qualities, test.rates, test.qualities)
    return float(function(*points, method="pchip", require_matching_points=False, min_overlap=0))


def shared(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return max(min(a[-1], b[-1]) - max(a[0], b[0]), 0) / min(a[-1] - a[0], b[-1] - b[0])


@given(monotone_curves(), monotone_curves())
def test_bd_rate_is_that_of_bjontegaard_or_refused_for_overlap(anchor: Curve, test: Curve) -> None:
    if shared(anchor.qualities, test.qualities) < LEAST_OVERLAP:
        with pytest.raises(BdRateError, match="range of quality"):
            bd_rate(anchor, test)
    else:
        assert bd_rate(anchor, test) == pytest.approx(oracle("bd_rate", anchor, test), rel=1e-9, abs=1e-6)


@given(monotone_curves(), monotone_curves())
def test_bd_psnr_is_that_of_bjontegaard_or_refused_for_overlap(anchor: Curve, test: Curve) -> None:
    if shared(tuple(map(math.log, anchor.rates)), tuple(map(math.log, test.rates))) < LEAST_OVERLAP:
        with pytest.raises(BdRateError, match="range of ln"):
            bd_psnr(anchor, test)
    else:
        assert bd_psnr(anchor, test) == pytest.approx(oracle("bd_psnr", anchor, test), abs=1e-6)


@pytest.fixture(scope="module")
def published() -> dict[str, dict[str, Curve]]:
    """Curves published with CompressAI by metric and codec, from ``reference/kodak`` in a folder of AEBENCH_DATA."""
    curves: dict[str, dict[str, Curve]] = {"psnr-rgb": {}, "ms-ssim-rgb": {}}
    for folder in filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep)):
        for path in Path(folder, "reference", "kodak").glob("*.json"):
            results = json.loads(path.read_text())["results"]
            for metric in curves.keys() & results.keys():
                curves[metric][path.stem] = Curve(results["bpp"], results[metric])
    if not curves["psnr-rgb"]:
        pytest.skip("reference/kodak is in none of the folders that AEBENCH_DATA lists")
    return curves


@pytest.mark.parametrize("metric", ["psnr-rgb", "ms-ssim-rgb"])
def test_published_curves_agree_with_bjontegaard(metric: str, published: dict[str, dict[str, Curve]]) -> None:
    compared = 0
    for (anchor_name, anchor), (test_name, test) in itertools.permutations(published[metric].items(), 2):
        try:
            rate = bd_rate(anchor, test)
        except BdRateError:
            continue
        assert rate == pytest.approx(oracle("bd_rate", anchor, test), abs=1e-6), (anchor_name, test_name)
        compared += 1
    assert compared >= 20


def test_published_order_of_codecs(published: dict[str, dict[str, Curve]]) -> None:
    curves = published["psnr-rgb"]
    jpeg = curves["jpeg"]
    assert (
        bd_rate(jpeg, curves["vtm"]) < bd_rate(jpeg, curves["bpg_444_x265_ycbcr"]) < bd_rate(jpeg, curves["webp"]) < 0
    )


def test_a_constant_ratio_of_rates_is_that_ratio() -> None:
    halved = Curve([rate / 2 for rate in JPEG.rates], JPEG.qualities)
    assert bd_rate(JPEG, halved) == pytest.approx(-50)
    assert bd_rate(halved, JPEG) == pytest.approx(100)
    assert bd_rate(JPEG, JPEG) == 0


def test_a_constant_gain_in_quality_is_that_gain() -> None:
    better = Curve(JPEG.rates, [quality + 1.5 for quality in JPEG.qualities])
    assert bd_psnr(JPEG, better) == pytest.approx(1.5)
    assert bd_psnr(better, JPEG) == pytest.approx(-1.5)


def test_points_are_sorted_merged_and_lossless_ones_dropped() -> None:
    curve = Curve([2.4, 0.4, 0.2, 5.0, 0.8, 1.6, 0.4], [39.0, 30.0, 27.0, math.inf, 33.5, 37.0, 30.0])
    assert curve == JPEG


@pytest.mark.parametrize(
    ("rates", "qualities", "match"),
    [
        ([1, 2], [30], "2 and 1"),
        ([0, 1], [30, 31], "leave it out"),
        ([1, math.inf], [30, 31], "leave it out"),
        ([1, math.nan], [30, 31], "leave it out"),
        ([1, 2], [30, math.nan], "leave it out"),
        ([1, 2], [-math.inf, 30], "leave it out"),
    ],
)
def test_points_that_no_curve_can_hold(rates: list[float], qualities: list[float], match: str) -> None:
    with pytest.raises(BdRateError, match=match):
        Curve(rates, qualities)


@pytest.mark.parametrize("delta", [bd_rate, bd_psnr])
@pytest.mark.parametrize(
    ("curve", "match"),
    [
        (Curve(JPEG.rates[:3], JPEG.qualities[:3]), "has 3 points of finite quality, 4 are needed"),
        (Curve(JPEG.rates[:4], (*JPEG.qualities[:3], math.inf)), "has 3 points"),
        (Curve([0.2, 0.4, 0.8, 1.6], [27, 31, 30, 35]), r"not monotone: \(0.4 bpp, quality 31\) is followed by"),
        (Curve([0.2, 0.4, 0.8, 1.6], [27, 31, 31, 35]), "not monotone"),
        (Curve([0.2, 0.4, 0.4, 1.6], [27, 30, 31, 35]), "not monotone"),
        (Curve([10, 20, 40, 80], [50, 53, 56, 59]), "share 0%"),
    ],
)
def test_refusals_say_why_and_which_curve(delta: object, curve: Curve, match: str) -> None:
    assert callable(delta)
    with pytest.raises(BdRateError, match=match):
        delta(JPEG, curve)
    with pytest.raises(BdRateError, match=match):
        delta(curve, JPEG)


def test_the_role_of_the_refused_curve_is_named() -> None:
    short = Curve(JPEG.rates[:3], JPEG.qualities[:3])
    with pytest.raises(BdRateError, match="the anchor has"):
        bd_rate(short, JPEG)
    with pytest.raises(BdRateError, match="the test has"):
        bd_rate(JPEG, short)


@pytest.mark.parametrize(("top", "accepted"), [(29.9, False), (30.1, True)])
def test_a_quarter_of_the_shorter_range_must_be_shared(top: float, accepted: bool) -> None:
    """The anchor spans 27 to 39 dB; the test curve is 12 dB long, too, and ends at `top`."""
    low = Curve([0.05, 0.1, 0.15, 0.2], [top - 12, top - 8, top - 4, top])
    if accepted:
        assert bd_rate(JPEG, low) < 0
    else:
        with pytest.raises(BdRateError, match="share 24%"):
            bd_rate(JPEG, low)


def test_a_short_curve_inside_a_long_one_is_compared() -> None:
    inside = Curve([0.5, 0.55, 0.6, 0.65], [32.0, 32.4, 32.8, 33.2])
    assert bd_rate(JPEG, inside) == pytest.approx(oracle("bd_rate", JPEG, inside), abs=1e-6)
