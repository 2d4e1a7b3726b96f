from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from aebench.analysis.curves import METRICS, RdCurve
from aebench.report.figures.frame import MOST_RATE, finite, frame_of, unseen

PSNR = METRICS["psnr_rgb"]
POINTS = st.lists(st.tuples(st.floats(0.001, 1000), st.floats(-50, 120) | st.just(math.inf)), min_size=1, max_size=6)


def make(variant: str, *points: tuple[float, float]) -> RdCurve:
    bpp, values = zip(*points, strict=True)
    return RdCurve(variant, variant, PSNR, tuple(f"{variant}{i}" for i in range(len(points))), bpp, values)


def test_usual_curves_are_seen_whole() -> None:
    curves = [make("a", (0.1, 25), (2, 40)), make("b", (0.05, 24), (4, 47)), make("c", (2.8, 18), (16, 19))]
    assert all(frame_of(curves).holds(*point) for curve in curves for point in finite(curve))
    assert unseen(curves, frame_of(curves), PSNR) == ["", ""]


def test_one_far_curve_squeezes_nothing() -> None:
    usual = [make(name, (0.1, 25), (2, 40)) for name in "abcd"]
    frame = frame_of([*usual, make("far", (20, -300), (24, 500))])
    assert 2 < frame.rates[1] < MOST_RATE
    assert -10 < frame.qualities[0] < 25
    assert 40 < frame.qualities[1] < 70


@given(st.lists(POINTS, max_size=6))
def test_every_point_is_in_the_frame_or_said_to_be_outside(points: list[list[tuple[float, float]]]) -> None:
    curves = [make(f"v{i}-", *own) for i, own in enumerate(points)]
    frame = frame_of(curves)
    assert 0 < frame.rates[0] < frame.rates[1]
    assert frame.qualities[0] < frame.qualities[1]
    total = sum(not frame.holds(*point) for curve in curves for point in finite(curve))
    beyond, lossless = unseen(curves, frame, PSNR)
    assert bool(beyond) == (total > 0)
    assert bool(lossless) == any(math.isinf(quality) for curve in curves for quality in curve.values)
    if any(bpp <= MOST_RATE and math.isfinite(quality) for own in points for bpp, quality in own):
        assert any(frame.holds(*point) for curve in curves for point in finite(curve)) or len(curves) > 2
