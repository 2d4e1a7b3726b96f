from __future__ import annotations

import math

import numpy as np
import pytest

from aebench.analysis.curves import METRICS, RdCurves, rd_curves
from aebench.analysis.matched import at_quality, at_rate, usual_quality, usual_rate
from aebench.analysis.run import Run
from tests.report.helpers import row, table

RATES = (0.25, 0.5, 1.0, 2.0)


def curves(**starts: float) -> RdCurves:
    """Make curves of 3 dB an octave from 0.25 to 2 bpp, `starts` being the PSNR that each has at its lowest rate."""
    return rd_curves(
        table(
            *(
                row(image, f"{name}[q={i}]", start + 3 * i + offset, bpp)
                for image, offset in (("a", 0), ("b", 2))
                for name, start in starts.items()
                for i, bpp in enumerate(RATES)
            )
        ),
        METRICS["psnr_rgb"],
    )


def test_a_straight_line_in_the_logarithm_is_read_off_exactly() -> None:
    found = at_rate(curves(x=30, y=40), ["y", "x"], math.sqrt(0.5))
    assert found.cells == pytest.approx({("a", "x"): 34.5, ("b", "x"): 36.5, ("a", "y"): 44.5, ("b", "y"): 46.5})
    assert list(found.means) == ["y", "x"] and found.means == pytest.approx({"x": 35.5, "y": 45.5})
    back = at_quality(curves(x=30), ["x"], 34.5)
    assert back.cells["a", "x"] == pytest.approx(math.sqrt(0.5))


def test_measured_points_are_read_off_as_they_are(measured: Run) -> None:
    for image, by in measured.rd_curves().images.items():
        curve = by["heif"]
        assert measured.at_rate(curve.bpp[2]).cells[image, "heif"] == pytest.approx(curve.values[2])
        assert measured.at_quality(curve.values[2]).cells[image, "heif"] == pytest.approx(curve.bpp[2])


def test_means_are_over_the_images_that_all_reach() -> None:
    found = at_quality(curves(x=30, y=28, z=90), ["x", "y", "z"], 38)
    assert found.basis.images == {"b"} and found.basis.left_out == ("a",)
    assert found.basis.uncoded == ("z",) and math.isnan(found.means["z"])
    assert found.means["x"] == found.cells["b", "x"]
    assert found.refused["a", "y"] == "the curve does not reach quality 38: it grows from 28 to 37"
    assert set(found.refused) == {("a", "y"), ("a", "z"), ("b", "z")}


def test_images_are_ranked_by_their_mean() -> None:
    assert at_rate(curves(x=30, y=40), ["x", "y"], 1).ranked() == ["a", "b"]
    assert at_quality(curves(x=30, y=29), ["x", "y"], 35).ranked() == ["b", "a"]


def test_too_few_points_and_unmeasured_images_say_so() -> None:
    rows = table(row("a", "x[q=1]", 30, 0.5), row("a", "y[q=1]", 30, 0.5), row("b", "y[q=1]", 30, 0.4))
    found = at_rate(rd_curves(rows, METRICS["psnr_rgb"]), ["x", "y"], 0.5)
    assert not found.cells and not found.basis.images
    assert found.refused["b", "x"] == "the curve was not measured"
    assert "2 are needed" in found.refused["a", "x"]


def test_usual_targets_are_what_most_reach(measured: Run) -> None:
    assert usual_rate(curves(x=30)) == 0.5
    assert usual_quality(curves(x=30)) == 32
    # x grows from 40 to 49 dB on one image and from 42 to 51 on the other, y from 42 to 51 and from 44 to 53
    assert usual_quality(curves(x=40, y=42)) == 44
    # z, which no image shares with x, does not cost the others their images
    assert usual_quality(curves(x=30, y=30, z=90)) == 32
    found = measured.at_rate()
    assert found.target == usual_rate(measured.rd_curves())
    assert np.isfinite(list(found.means.values())).all()


@pytest.mark.parametrize("psnr", [math.inf, 108.8])
def test_usual_targets_exist_for_any_curves(psnr: float) -> None:
    lossless = rd_curves(table(row("a", "png", psnr, 9.0), row("a", "webp", psnr, 8.0)), METRICS["psnr_rgb"])
    assert usual_rate(lossless) == 0.5
    assert math.isfinite(usual_quality(lossless))
    nothing = rd_curves(table(), METRICS["psnr_rgb"])
    assert (usual_rate(nothing), usual_quality(nothing)) == (0.5, 32)
