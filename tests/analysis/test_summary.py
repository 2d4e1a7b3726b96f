from __future__ import annotations

import math

import pytest

from aebench.analysis.comparison import compare
from aebench.analysis.rows import basis, codec_order, image_names
from aebench.analysis.summary import summarise
from tests.report.helpers import failure, row, table


def test_latest_prefers_a_success_then_the_newest() -> None:
    rows = table(
        row("a", "jpeg[quality=50]", 31.0, minute=1, codec_version="1"),
        row("a", "jpeg[quality=50]", 32.0, minute=2, codec_version="2"),
        failure("a", "jpeg[quality=50]", "killed", minute=3, codec_version="2", image_digest=None),
        row("b", "jpeg[quality=50]", 40.0, minute=9),
        row("b", "jpeg[quality=50]", 39.0, minute=8, codec_version="2"),
        failure("c", "jpeg[quality=50]", "first", minute=1),
        failure("c", "jpeg[quality=50]", "second", minute=2, codec_version="2"),
    )
    found = {r["image"]: (r["psnr_rgb"], r["error"]) for r in rows.to_pylist()}
    assert found == {"a": (32.0, None), "b": (40.0, None), "c": (None, "second")}


def test_latest_takes_a_row_without_a_time_for_the_oldest() -> None:
    rows = table(row("a", "x", 32.0), row("a", "x", 31.0, time=None, codec_version="2"))
    assert rows["psnr_rgb"].to_pylist() == [32.0]


def test_basis_is_what_every_setting_coded() -> None:
    rows = table(
        *(row(image, setting) for image in "abc" for setting in ("jpeg", "heif")),
        row("d", "jpeg"),
        failure("d", "heif", "too small"),
        row("e", "jpeg"),
        *(failure(image, "broken", "no library") for image in "abcde"),
    )
    over = basis(rows)
    assert over.images == {"a", "b", "c"}
    assert over.left_out == ("d", "e")
    assert over.uncoded == ("broken",)


def test_summary_is_over_the_basis_and_counts_everything() -> None:
    rows = table(
        row("a", "jpeg", 30.0, 1.0, encode_cpu_seconds=0.1, ms_ssim=0.9),
        row("b", "jpeg", 34.0, 2.0, encode_cpu_seconds=0.2, ms_ssim=None),
        row("c", "jpeg", 35.0, 6.0, encode_cpu_seconds=0.6, ms_ssim=0.8),
        row("d", "jpeg", 10.0, 99.0),
        *(row(image, "heif") for image in "abc"),
        failure("d", "heif", "too small"),
        failure("a", "broken", "no library"),
    )
    summaries = {summary.setting: summary for summary in summarise(rows, basis(rows))}
    jpeg, heif, broken = summaries["jpeg"], summaries["heif"], summaries["broken"]
    assert (jpeg.coded, jpeg.failed) == (4, 0)
    assert (jpeg.bpp, jpeg.psnr_rgb, jpeg.psnr_rgb_median) == (3.0, 33.0, 34.0)
    assert (jpeg.worst_image, jpeg.psnr_rgb_worst) == ("a", 30.0)
    assert jpeg.psnr_y == pytest.approx(34.5)
    assert jpeg.encode_cpu_seconds == pytest.approx(0.3)
    assert (jpeg.ms_ssim, jpeg.ms_ssim_undefined) == (pytest.approx(0.85), 1)
    assert (heif.coded, heif.failed) == (3, 1)
    assert (broken.coded, broken.failed) == (0, 1)
    assert math.isnan(broken.bpp) and math.isnan(broken.psnr_rgb_worst)


def test_one_lossless_image_makes_the_mean_infinite() -> None:
    rows = table(row("a", "png", math.inf), row("b", "png", 40.0), row("c", "png", 44.0))
    (png,) = summarise(rows, basis(rows))
    assert math.isinf(png.psnr_rgb)
    assert (png.psnr_rgb_median, png.psnr_rgb_worst, png.worst_image) == (44.0, 40.0, "b")


def test_no_common_image_leaves_no_means() -> None:
    rows = table(row("a", "jpeg"), row("b", "heif"))
    over = basis(rows)
    assert not over.images and over.left_out == ("a", "b")
    assert all(math.isnan(summary.psnr_rgb) and summary.coded == 1 for summary in summarise(rows, over))


def test_comparison_is_over_the_chosen_settings_alone() -> None:
    rows = table(
        *(row(image, "jpeg[quality=50]", psnr) for image, psnr in (("a", 30.0), ("b", 32.0), ("c", 50.0))),
        row("a", "jpeg[quality=90]"),
        row("a", "heif[qp=26]", 36.0),
        row("b", "heif[qp=26]", math.inf),
        failure("c", "heif[qp=26]", "too small"),
    )
    comparison = compare(rows, {"heif": "heif[qp=26]", "jpeg": "jpeg[quality=50]"})
    assert [summary.setting for summary in comparison.summaries] == ["heif[qp=26]", "jpeg[quality=50]"]
    assert comparison.images == ("a", "b", "c")
    assert comparison.basis.images == {"a", "b"} and comparison.basis.left_out == ("c",)
    assert comparison.summaries[1].psnr_rgb == 31.0
    assert comparison.cells["a", "heif[qp=26]"].psnr == 36.0
    assert math.isnan(comparison.cells["c", "heif[qp=26]"].psnr)
    assert comparison.ranked() == ["b", "a"]  # 32 dB by jpeg alone, and 33 dB by both


def test_codecs_come_in_the_order_of_the_job() -> None:
    rows = table(row("b", "zip"), row("a", "jpeg"), row("a", "paper[bits=4]"), row("a", "bpg"))
    assert codec_order(rows, {"paper": "…", "heif": "…", "jpeg": "…"}) == ["paper", "jpeg", "bpg", "zip"]
    assert image_names(rows) == ["a", "b"]
