from __future__ import annotations

import math

import pytest

from aebench.analysis.curves import METRICS, decibels, metric_of, rd_curves
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from tests.report.helpers import failure, row, table

PSNR, MS_SSIM = METRICS["psnr_rgb"], METRICS["ms_ssim"]


def test_mean_curves_are_means_of_the_rows(measured: Run) -> None:
    frame = measured.to_pandas()
    for metric in ("psnr_rgb", "ms_ssim"):
        curves = measured.rd_curves(metric)
        means = frame[frame.image.isin(curves.basis.images)].groupby("setting")[["bpp", metric]].mean()
        for curve in curves.means.values():
            assert list(curve.bpp) == sorted(curve.bpp)
            assert curve.bpp == pytest.approx(means.loc[list(curve.settings), "bpp"])
            assert curve.values == pytest.approx(means.loc[list(curve.settings), metric])


def test_a_curve_is_a_variant(measured: Run) -> None:
    curves = measured.rd_curves()
    assert list(curves.means) == ["heif", "jpeg", "jpeg2000", "jpeg[chroma=444]"]
    assert set(curves.variants) == set(curves.means)
    assert curves.means["jpeg[chroma=444]"].settings[0] == "jpeg[quality=5,chroma=444]"
    assert curves.means["jpeg[chroma=444]"].codec == "jpeg"


def test_basis_leaves_out_what_any_compared_setting_failed_on() -> None:
    rows = [row(image, f"{c}[q={q}]", 30.0 + q, float(q)) for image in "abc" for c in ("x", "y") for q in (1, 2)]
    rows[-1] = failure("c", "y[q=2]", "too small")
    curves = rd_curves(table(*rows, failure("a", "broken", "no library")), PSNR)
    assert curves.basis.images == {"a", "b"} and curves.basis.left_out == ("c",)
    assert curves.basis.uncoded == ("broken",)
    assert len(curves.images["c"]["x"].bpp) == 2 and len(curves.images["c"]["y"].bpp) == 1


def test_an_undefined_metric_leaves_the_image_out_of_that_metric_only() -> None:
    rows = [row(image, f"x[q={q}]", 30.0 + q, float(q)) for image in "ab" for q in (1, 2)]
    rows[0]["ms_ssim"] = None
    assert rd_curves(table(*rows), MS_SSIM).basis.images == {"b"}
    assert rd_curves(table(*rows), PSNR).basis.images == {"a", "b"}


def test_no_common_image_leaves_no_mean_curve() -> None:
    curves = rd_curves(table(row("a", "x"), row("b", "y")), PSNR)
    assert curves.means == {} and set(curves.images) == {"a", "b"}


def test_lossless_points_stay_in_the_curve_and_out_of_what_is_integrated() -> None:
    curve = rd_curves(table(row("a", "x[q=1]", 40.0, 2.0), row("a", "x[q=2]", math.inf, 8.0)), PSNR).means["x"]
    assert curve.values == (40.0, math.inf)
    assert curve.curve.qualities == (40.0,)


@pytest.mark.parametrize(("similarity", "expected"), [(0.9, 10), (0.99, 20), (0, 0), (1, math.inf)])
def test_similarities_are_stretched(similarity: float, expected: float) -> None:
    assert decibels(similarity) == pytest.approx(expected)


def test_the_mean_of_a_similarity_is_taken_before_it_is_stretched() -> None:
    rows = table(row("a", "x", ms_ssim=0.9), row("b", "x", ms_ssim=0.98))
    assert rd_curves(rows, MS_SSIM).means["x"].qualities == pytest.approx((decibels(0.94),))


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(ResultsError, match=r"no metric 'psnr_rbg' \(did you mean 'psnr_rgb'\?\); known: psnr_rgb"):
        metric_of("psnr_rbg")
