from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import aebench
from aebench.analysis.published import Published
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from tests.report.helpers import failure, row, write


def test_a_run_is_read_by_its_folder(measured: Run) -> None:
    run = aebench.read(measured.folder.path)
    assert (run.name, len(run.rows)) == ("measured", len(measured.rows))
    assert run.codecs == ["jpeg", "jpeg2000", "heif"]
    assert run.variants == ["jpeg", "jpeg[chroma=444]", "jpeg2000", "heif"]
    assert run.metrics == ["psnr_rgb", "psnr_y", "psnr_yuv", "ms_ssim"]
    assert "measured" in repr(run) and "jpeg2000" in repr(run)
    with pytest.raises(ResultsError, match="runs beside it: measured"):
        aebench.read(measured.folder.path.parent / "mesured")


def test_rows_go_to_pandas_and_polars(measured: Run) -> None:
    frame, polars = measured.to_pandas(), measured.to_polars()
    assert isinstance(measured.rows, pa.Table)
    assert list(frame.columns) == polars.columns == measured.rows.column_names
    assert len(frame) == polars.height == len(measured.rows)
    assert frame["psnr_rgb"].sum() == pytest.approx(polars["psnr_rgb"].sum())


def test_the_anchor_is_jpeg_or_the_first(tmp_path: Path, measured: Run) -> None:
    assert measured.anchor == "jpeg"
    assert set(measured.bd_rate()) == set(measured.variants) - {"jpeg"}
    assert set(measured.bd_rate("heif")) == set(measured.variants) - {"heif"}
    assert Run(write(tmp_path / "run", [row("a", "png"), row("a", "bpg")])).anchor == "bpg"


def test_unknown_names_name_the_nearest(measured: Run) -> None:
    with pytest.raises(ResultsError, match=r"measured has no 'jpg2000' \(did you mean 'jpeg2000'\?\); it has: jpeg, "):
        measured.bd_rate("jpg2000")
    with pytest.raises(ResultsError, match=r"did you mean 'ms_ssim'"):
        measured.bd_rate(metric="msssim")
    with pytest.raises(ResultsError, match="no metric 'bits'"):
        measured.at_rate(metric="bits")


def test_the_matrix_is_every_comparison(measured: Run) -> None:
    matrix = measured.bd_matrix()
    assert set(matrix) == {(a, b) for a in measured.variants for b in measured.variants if a != b}
    assert matrix["jpeg", "heif"].rate == measured.bd_rate("jpeg")["heif"].rate


def test_published_curves_are_compared_by_their_means(measured: Run) -> None:
    heif = measured.rd_curves().means["heif"]
    published = Published("HEIF", "", heif.bpp, {"psnr_rgb": heif.values})
    (found,) = measured.bd_published([published], "jpeg")
    assert found.rate.of_mean_curve == pytest.approx(measured.bd_rate("jpeg")["heif"].rate.of_mean_curve)
    assert (found.test, found.images, found.rate.per_image) == ("HEIF", 0, {})
    assert measured.bd_published([published], "jpeg", "ms_ssim") == []


def test_a_run_of_failures_has_no_curves(tmp_path: Path) -> None:
    run = Run(write(tmp_path / "run", [failure("a", "jpeg", "x"), failure("a", "bpg", "x")]))
    assert run.rd_curves().means == {} and run.metrics == []
    assert run.bd_rate()["bpg"].rate.refusal.startswith("the anchor has 0 points")
    assert not run.at_rate().cells
