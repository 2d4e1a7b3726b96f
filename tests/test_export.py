from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aebench.analysis.published import read_published
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from aebench.export import published_curves, write_compressai, write_csv
from tests.measured import SMALL
from tests.report.helpers import failure, row, write


def test_csv_holds_every_row_and_column(measured: Run, tmp_path: Path) -> None:
    write_csv(measured, tmp_path / "rows.csv")
    frame = pd.read_csv(tmp_path / "rows.csv")
    assert list(frame.columns) == measured.rows.column_names
    for column in ("image", "setting", "parameters", "bytes", "psnr_rgb", "encode_seconds"):
        assert frame[column].tolist() == measured.rows[column].to_pylist()
    assert frame.loc[frame.image == SMALL, "ms_ssim"].isna().all()


def test_csv_writes_infinity_and_any_message(tmp_path: Path) -> None:
    rows = [row("a", "png", math.inf), failure("b", "png", 'it said "no",\nand left')]
    write_csv(Run(write(tmp_path / "run", rows)), tmp_path / "rows.csv")
    assert ",inf," in (tmp_path / "rows.csv").read_text()
    frame = pd.read_csv(tmp_path / "rows.csv").set_index("image")
    assert np.isinf(frame.psnr_rgb["a"]) and frame.error["b"] == 'it said "no",\nand left'


def test_curves_are_the_means_of_the_run(measured: Run, tmp_path: Path) -> None:
    paths, notes = write_compressai(measured, tmp_path / "curves")
    assert [path.stem for path in paths] == measured.variants
    assert notes == [f"{v}: MS-SSIM is left out, which not every image has" for v in measured.variants]
    frame = measured.to_pandas()
    for path, variant in zip(paths, measured.variants, strict=True):
        content = json.loads(path.read_text())
        assert content["name"] == variant
        assert "means over 4 images" in content["description"]
        means = frame[frame.variant == variant].groupby("setting").mean(numeric_only=True).sort_values("bpp")
        results = content["results"]
        assert results["bpp"] == pytest.approx(means.bpp.tolist())
        assert results["psnr-rgb"] == pytest.approx(means.psnr_rgb.tolist())
        assert results["encoding_time"] == pytest.approx(means.encode_seconds.tolist())
        assert results["decoding_time"] == pytest.approx(means.decode_seconds.tolist())


def test_curves_are_read_back_as_they_were(measured: Run, tmp_path: Path) -> None:
    paths, _ = write_compressai(measured, tmp_path / "curves")
    curves, _ = published_curves(measured)
    assert [read_published(path) for path in paths] == curves


def test_a_metric_that_all_images_have_is_written(measured: Run, tmp_path: Path) -> None:
    rows = [made for made in measured.rows.to_pylist() if made["image"] != SMALL]
    _, notes = write_compressai(Run(write(tmp_path / "run", rows)), tmp_path / "curves")
    assert notes == []
    values = measured.rd_curves("ms_ssim").means["heif"].values
    assert read_published(tmp_path / "curves" / "heif.json").columns["ms_ssim"] == pytest.approx(values)


def test_lossless_settings_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [row("a", "jxl[d=1]", 42.0, 2.0), row("a", "jxl[d=0]", math.inf, 9.0), row("a", "png", math.inf, 12.0)]
    rows += [failure("a", "bpg", "no library")]
    paths, notes = write_compressai(Run(write(tmp_path / "run", rows)), tmp_path / "curves")
    assert [path.name for path in paths] == ["jxl.json"]
    assert read_published(paths[0]).bpp == (2.0,)
    assert notes == [
        "bpg is left out: it coded no image",
        "jxl: 1 of 2 settings are left out, which are lossless",
        "png: 1 of 1 settings are left out, which are lossless",
    ]


def test_nothing_to_write_and_nowhere_to_write_are_errors(measured: Run, tmp_path: Path) -> None:
    nothing = Run(write(tmp_path / "run", [failure("a", "bpg", "no library")]))
    with pytest.raises(ResultsError, match="run has no mean curve to export; bpg is left out"):
        write_compressai(nothing, tmp_path / "curves")
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match=r"cannot write .*/file/jpeg\.json: "):
        write_compressai(measured, tmp_path / "file")
    with pytest.raises(ResultsError, match=r"cannot write .*/file/rows\.csv: "):
        write_csv(measured, tmp_path / "file" / "rows.csv")


def test_any_name_of_a_codec_is_the_name_of_a_file(tmp_path: Path) -> None:
    variants = ['command[encode="a/b {input}"]', "jpeg[chroma=444]"]
    rows = [row("a", variant, variant=variant) for variant in variants]
    paths, _ = write_compressai(Run(write(tmp_path / "run", rows)), tmp_path / "curves")
    assert [path.name for path in paths] == ["command[encode=%22a%2Fb%20%7Binput%7D%22].json", "jpeg[chroma=444].json"]
    assert [read_published(path).name for path in paths] == variants
