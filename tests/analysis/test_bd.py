"""BD statistics on measured rows, against the package bjontegaard, and their arithmetic on made ones."""

from __future__ import annotations

import itertools
import math

import bjontegaard  # type: ignore[import-untyped]
import numpy as np
import pytest

from aebench.analysis.bd import BdStatistics, compare_bd
from aebench.analysis.curves import METRICS, RdCurve, rd_curves
from aebench.analysis.run import Run
from tests.measured import SMALL
from tests.report.helpers import row, table


def oracle(name: str, anchor: RdCurve, test: RdCurve) -> float:
    points = (anchor.bpp, anchor.qualities, test.bpp, test.qualities)
    function = getattr(bjontegaard, name)
    return float(function(*points, method="pchip", require_matching_points=False, min_overlap=0))


def statistics(*figures: float, lower_is_better: bool = True) -> BdStatistics:
    per_image = {f"image {index}": figure for index, figure in enumerate(figures)}
    return BdStatistics(math.nan, "", per_image, {}, lower_is_better)


@pytest.mark.parametrize("metric", ["psnr_rgb", "psnr_y", "ms_ssim"])
def test_figures_are_those_of_bjontegaard(measured: Run, metric: str) -> None:
    curves = measured.rd_curves(metric)
    compared = 0
    for (anchor, test), found in measured.bd_matrix(metric).items():
        for name, statistics in (("bd_rate", found.rate), ("bd_psnr", found.quality)):
            assert not statistics.refusal
            expected = oracle(name, curves.means[anchor], curves.means[test])
            assert statistics.of_mean_curve == pytest.approx(expected, abs=1e-6)
            for image, figure in statistics.per_image.items():
                own = curves.images[image]
                assert figure == pytest.approx(oracle(name, own[anchor], own[test]), abs=1e-6)
                compared += 1
    assert compared >= 4 * 3 * 2 * 3


def test_means_are_over_images_and_not_of_the_mean_curve(measured: Run) -> None:
    rate = measured.bd_rate("jpeg")["heif"].rate
    assert rate.mean == pytest.approx(np.mean(list(rate.per_image.values())))
    assert rate.median == pytest.approx(np.median(list(rate.per_image.values())))
    assert rate.mean != pytest.approx(rate.of_mean_curve, abs=0.01)


def test_swapped_roles_invert_rates_and_negate_gains(measured: Run) -> None:
    matrix = measured.bd_matrix()
    for anchor, test in itertools.combinations(measured.variants, 2):
        there, back = matrix[anchor, test], matrix[test, anchor]
        assert (1 + there.rate.of_mean_curve / 100) * (1 + back.rate.of_mean_curve / 100) == pytest.approx(1)
        for image, figure in there.rate.per_image.items():
            assert (1 + figure / 100) * (1 + back.rate.per_image[image] / 100) == pytest.approx(1)
            assert there.quality.per_image[image] == pytest.approx(-back.quality.per_image[image])
        assert there.rate.wins + back.rate.wins == len(there.rate.per_image)


def test_an_image_without_the_metric_is_left_out_of_that_metric_alone(measured: Run) -> None:
    assert SMALL in measured.bd_rate("jpeg")["heif"].rate.per_image
    similarity = measured.bd_rate("jpeg", "ms_ssim")["heif"]
    assert SMALL not in similarity.rate.per_image and SMALL not in similarity.rate.refused
    assert similarity.images == 3
    assert measured.rd_curves("ms_ssim").basis.left_out == (SMALL,)


def test_wins_best_and_worst_follow_the_direction() -> None:
    rate, gain = statistics(-20, 5, -1, 0), statistics(-20, 5, -1, 0, lower_is_better=False)
    assert (rate.wins, rate.best, rate.worst) == (2, "image 0", "image 1")
    assert (gain.wins, gain.best, gain.worst) == (1, "image 1", "image 0")


def test_interval_holds_the_mean_and_shrinks_with_more_images() -> None:
    figures = np.random.default_rng(3).normal(-20, 10, 400)
    widths = []
    for size in (4, 25, 400):
        found = statistics(*figures[:size])
        low, high = found.interval
        assert low < found.mean < high
        assert found.interval == statistics(*figures[:size]).interval
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(2 * 1.96 * np.std(figures) / 20, rel=0.1)


def test_nothing_is_said_of_no_image_and_no_interval_of_one() -> None:
    none, one = statistics(), statistics(-3)
    assert math.isnan(none.mean) and math.isnan(none.median)
    assert (none.wins, none.best, none.worst) == (0, "", "")
    assert (one.mean, one.best, one.worst) == (-3, "image 0", "image 0")
    assert all(math.isnan(bound) for bound in one.interval)


def test_refusals_keep_their_reason_image_by_image() -> None:
    points = ((0.2, 27.0), (0.4, 30.0), (0.8, 33.0), (1.6, 36.0))
    jpeg = [row(image, f"jpeg[quality={i}]", psnr, bpp) for image in "ab" for i, (bpp, psnr) in enumerate(points)]
    mine = [row(image, f"mine[q={i}]", psnr + 1, bpp) for image in "ab" for i, (bpp, psnr) in enumerate(points)]
    mine[2]["psnr_rgb"] = 30.5  # of image a: falls from 31
    curves = rd_curves(table(*jpeg, *mine), METRICS["psnr_rgb"])
    found = compare_bd(curves, "jpeg", "mine")
    assert set(found.rate.per_image) == {"b"}
    assert "the test is not monotone: (0.4 bpp, quality 31)" in found.rate.refused["a"]
    assert found.images == 2 and not found.rate.refusal


def test_a_point_that_no_curve_can_hold_is_a_refusal() -> None:
    rows = [row("a", f"{codec}[q={q}]", 30.0 + q, 0.2 * q) for codec in ("jpeg", "empty") for q in range(1, 6)]
    rows[5]["bpp"] = 0.0
    curves = rd_curves(table(*rows), METRICS["psnr_rgb"])
    found = compare_bd(curves, "jpeg", "empty")
    assert "cannot hold the point (0 bpp" in found.rate.refusal
    assert "cannot hold the point (0 bpp" in found.rate.refused["a"]
