from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aebench.results import RunFolder
from tests.report.helpers import failure, line, printed, prose, row, section, write

KODAK = [f"kodim{number}.png" for number in range(18, 25)]
DEFAULTS = {"paper": "paper[bits=32]", "jpeg": "jpeg[quality=75]", "heif": "heif[qp=26]"}


def kodak_rows() -> list[dict[str, Any]]:
    return [
        made
        for i, image in enumerate(KODAK)
        for made in (
            row(image, "paper[bits=2]", 21.0 + i / 3, 2.98 + i / 100),
            row(image, "paper[bits=32]", 25.1 + i / 7, 256.0),
            row(image, "jpeg[quality=5]", 23.3 + i / 9, 0.2 + i / 50),
            row(image, "jpeg[quality=75]", 34.0 + i / 11, 1.3 + i / 13),
            row(image, "jpeg[quality=95]", 40.0 + i / 17, 3.1 + i / 29),
            row(image, "heif[qp=26]", 37.7 - i / 5, 1.01 + i / 31),
        )
    ]


@pytest.fixture
def kodak_run(tmp_path: Path) -> RunFolder:
    return write(tmp_path / "kodak", kodak_rows(), default_settings=DEFAULTS)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_console(kodak_run: RunFolder, width: int) -> None:
    assert max(map(len, printed(kodak_run, width).splitlines())) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_default_table_holds_every_cell_and_the_papers_figures(kodak_run: RunFolder, width: int) -> None:
    table = section(printed(kodak_run, width), "Every codec at its default")
    for text in ("bits=32", "quality=75", "qp=26"):
        assert text in table
    assert "quality=95" not in table
    cells = line(table, "kodim19.png").replace(" / ", "/").split()
    assert cells == ["kodim19.png", "25.24/256.0", "34.09/1.38", "37.50/1.04", "27.05", "11.54", "12.35", "12.41"]
    assert line(table, "mean of 7").split()[-4:] == ["25.60", "11.04", "11.52", "11.86"]
    assert all(text in prose(table) for text in ("0 left out", "our mapping", "which is not proven"))


def test_printed_means_are_those_of_the_parquet_files(kodak_run: RunFolder) -> None:
    rows = pd.read_parquet(kodak_run.path / "rows")
    means = rows.groupby("setting")[["psnr_rgb", "bpp"]].mean()
    medians = rows.groupby("setting")["psnr_rgb"].median()
    text = printed(kodak_run)
    cells = line(section(text, "Every codec at its default"), "mean of 7").replace(" / ", "/").split()[3:6]
    for cell, setting, decimals in zip(cells, DEFAULTS.values(), (1, 2, 2), strict=True):
        psnr, bpp = means.loc[setting]
        assert cell == f"{psnr:.2f}/{bpp:.{decimals}f}"
    for setting, (psnr, bpp) in means.iterrows():
        shown = line(section(text, "Summary"), str(setting)).split()
        assert shown[2:5] == [f"{bpp:.3f}", f"{psnr:.2f}", f"{medians[setting]:.2f}"]


def test_means_leave_out_what_a_compared_codec_failed_on(tmp_path: Path) -> None:
    rows = [made for made in kodak_rows() if (made["image"], made["setting"]) != (KODAK[0], "heif[qp=26]")]
    run = write(tmp_path / "run", [*rows, failure(KODAK[0], "heif[qp=26]", "boom")], default_settings=DEFAULTS)
    psnr = pd.read_parquet(run.path / "rows").pivot(index="image", columns="setting", values="psnr_rgb")
    mean = psnr.dropna(subset=["heif[qp=26]"])["jpeg[quality=75]"].mean()
    table = section(printed(run), "Every codec at its default")
    assert f" {mean:.2f} / " in line(table, "mean of 6")
    assert "1 left out: kodim18.png" in table
    assert line(table, "kodim18.png").split()[7] == "failed"


def test_matched_table_takes_the_rate_that_the_dearest_codec_needs(kodak_run: RunFolder) -> None:
    table = section(printed(kodak_run), "Every codec at the setting nearest 3.01 bpp")
    assert all(text in table for text in ("bits=2 ", "quality=95", "qp=26"))
    assert "no setting of paper here needs less than 3.01 bpp" in table
    assert "More than 10% off that rate: heif[qp=26] (1.11 bpp)." in table
    assert "our mapping" not in table  # once is enough


def test_matched_table_takes_the_rate_that_is_asked_for(kodak_run: RunFolder) -> None:
    table = section(printed(kodak_run, bpp=0.25), "Every codec at the setting nearest 0.25 bpp")
    assert all(text in table for text in ("bits=2 ", "quality=5 ", "qp=26"))
    assert "needs less than" not in table
    assert "jpeg" not in line(table, "More than 10% off that rate")


def test_matched_table_is_not_printed_twice(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [row("a", "jpeg[quality=50]"), row("a", "heif[qp=26]")])
    assert "These are the settings of the table above." in printed(run)


def test_other_images_stand_alone(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [row("cat.png", "jpeg[quality=50]"), row("dog.png", "jpeg[quality=50]")])
    assert "their" not in printed(run)
    assert "median rate instead: jpeg[quality=50]." in printed(run)


def test_lossless_prints_as_infinity(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [row("a", "png", math.inf, 9.5), row("b", "png", math.inf, 8.5)])
    assert line(printed(run), "mean of 2").split() == ["mean", "of", "2", "∞", "/", "9.00"]


def test_what_was_not_measured_is_a_dash(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [row("a", "jpeg"), row("b", "jpeg"), row("b", "heif")])
    assert line(printed(run), "a ").split() == ["a", "–", "30.00", "/", "1.00"]
    assert "Not every image was coded by heif." in section(printed(run), "Summary")


def test_no_image_in_common_is_said(tmp_path: Path) -> None:
    text = printed(write(tmp_path / "run", [row("a", "jpeg"), row("b", "heif")]))
    assert "There is no image that all codecs shown coded" in text
    assert "no rates can be compared" in text
    assert "nan" not in text


def test_a_codec_that_coded_nothing_does_not_empty_the_means(tmp_path: Path) -> None:
    rows = [row("a", "jpeg", 31.0), row("b", "jpeg", 33.0), *(failure(i, "heif", "no library") for i in "ab")]
    table = section(printed(write(tmp_path / "run", rows)), "Every codec at its default")
    assert line(table, "mean of 2").split() == ["mean", "of", "2", "–", "32.00", "/", "1.00"]
    assert "Not compared, because it coded no image: heif." in prose(table)


def test_many_codecs_go_into_several_tables(tmp_path: Path) -> None:
    settings = [f"codec{number:02}[quality=50]" for number in range(12)]
    run = write(tmp_path / "run", [row("a", setting, 20.0 + i) for i, setting in enumerate(settings)])
    table = section(printed(run, width=80), "Every codec at its default")
    assert table.count("mean of 1") == 2
    assert all(f" {20 + i}.00/1.00" in table for i in range(12))


def test_many_images_show_their_extremes(tmp_path: Path) -> None:
    rows = [row(f"i{number:03}", setting, 20 + (number * 37 % 50)) for number in range(50) for setting in ("a", "b")]
    table = section(printed(write(tmp_path / "run", rows)), "Every codec at its default")
    shown = [text.split()[0] for text in table.splitlines() if text.startswith("i0")]
    psnr = {made["image"]: made["psnr_rgb"] for made in rows}
    assert [psnr[image] for image in shown] == [20, 21, 22, 67, 68, 69]
    assert "Of 50 images the 3 of lowest and the 3 of highest mean" in table
    assert line(table, "mean of 50").split()[3] == "44.50"


def test_failures_are_grouped(tmp_path: Path) -> None:
    images = [f"photo {number}.png" for number in range(9)]
    rows = [
        *(
            failure(image, "jpeg[quality=50]", f"cannot read {image}: [bold]damaged\x1b[31m\n at 17")
            for image in images
        ),
        failure("photo 3.png", "heif[qp=26]", "SIGSEGV"),
        row("fine.png", "jpeg[quality=50]"),
    ]
    text = printed(write(tmp_path / "run", rows), width=80)
    failures = section(text, "Failures")
    assert failures.count("cannot read") == 1
    assert "9 cannot read photo 0.png: [bold]damaged [31m at 17 (and 8 like it)" in failures
    assert "images: photo 0.png, photo 1.png, photo 2.png and 6 more" in failures
    assert "1 SIGSEGV" in failures
    assert "\x1b" not in text
    assert "1 measured, 10 failed" in text


def test_a_failure_that_succeeded_later_is_none(tmp_path: Path) -> None:
    rows = [failure("a", "jpeg", "killed", image_digest=None), row("a", "jpeg", minute=1)]
    assert "Failures" not in printed(write(tmp_path / "run", rows))


def test_summary_names_the_worst_image_and_the_time(kodak_run: RunFolder) -> None:
    shown = line(section(printed(kodak_run), "Summary"), "heif[qp=26]").split()
    assert shown[5:7] == ["36.50", "kodim24.png"]
    assert shown[-2:] == ["100.0", "20.0"]


def test_summary_warns_of_what_does_not_compare(tmp_path: Path) -> None:
    rows = [
        row("a", "jpeg[quality=50]", codec_version="1"),
        row("a", "jpeg[quality=75]", codec_version="2", image_digest="other", ms_ssim=None),
        row("a", "paper[bits=4]", device="NVIDIA H200"),
    ]
    summary = section(printed(write(tmp_path / "run", rows)), "Summary")
    assert "jpeg: rows of 2 versions are mixed here." in summary
    assert "The pixels changed between measurements under the same name: a." in summary
    assert "paper ran on an accelerator" in summary


def test_training_shows_first_best_and_last_epoch(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "trained")
    for number, loss in enumerate((0.03, 0.01, 0.02), 1):
        run.append_epoch(
            {"network": "paper", "epoch": number, "step": 100 * number, "train_loss": 0.04, "validation_loss": loss,
             "validation_psnr": 24.5, "learning_rate": 1e-3, "seconds": 6.5, "cpu_seconds": 12.25, "workers": 2,
             "crops": 800}
        )  # fmt: skip
    text = printed(run, width=80)
    assert "Training of paper" in text
    assert line(text, "best").split() == ["best", "2", "200", "0.040000", "0.010000", "24.50", "6.5", "12.2"]
    assert line(text, "last").split()[1] == "3"
    assert "3 epochs on 2 workers: 20 s wall, 37 s CPU in all." in text
    assert "Summary" not in text


def test_heading_tells_where_the_run_came_from(tmp_path: Path) -> None:
    run = write(
        tmp_path / "kodak",
        kodak_rows(),
        job={"evaluate": {"images": "kodak[17:]"}, "train": [{"model": "paper", "images": "kodak[:17]"}]},
        started="2024-05-06 07:08:09+00:00",
        finished="2024-05-06 07:18:09+00:00",
        versions={"aebench": "0.1.0", "torch": None, "python": "3.11.7"},
        commit="0123456789ab",
        hardware={"cpu": "A CPU", "cpus": 2, "node": "here"},
        default_settings=DEFAULTS,
    )
    text = printed(run)
    assert text.startswith("Run kodak\n")
    assert "7 of kodak[17:], 768×512" in text
    assert "paper, jpeg, heif (6 settings)" in text
    assert "42 measured, 0 failed" in text
    assert "network paper on kodak[:17]" in text
    assert "aebench 0.1.0, python 3.11.7, commit 0123456789ab" in text
    assert "A CPU, 2 CPUs, here" in text
    assert "2024-05-06 07:08 to 2024-05-06 07:18 UTC" in text
    run.update_info(started="2024-05-07 07:08:09+00:00")
    assert "2024-05-07 07:08 UTC, not finished" in printed(run)


@pytest.mark.parametrize("info", [{}, {"job": None, "versions": "?", "hardware": [], "default_settings": None}])
def test_report_needs_nothing_of_run_json(tmp_path: Path, info: dict[str, Any]) -> None:
    assert "mean of 1" in printed(write(tmp_path / "run", [row("a", "jpeg")], **info))


def test_report_imports_neither_ray_nor_torch(kodak_run: RunFolder) -> None:
    code = (
        "import sys; from rich.console import Console; from aebench.report import show; "
        "from aebench import read; show(read(sys.argv[1]), Console()); "
        "sys.exit(', '.join({'ray', 'torch'} & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(kodak_run.path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mean of 7" in done.stdout
