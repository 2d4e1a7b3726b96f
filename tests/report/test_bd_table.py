"""What the tables of BD-rates and of matched rates print is what the run says."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from aebench.analysis.published import read_published
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from aebench.export import write_compressai
from tests.report.helpers import failure, line, printed, prose, row, section, write

WIDTHS = [80, 100, 140]


def pages(text: str, start: str) -> dict[str, list[str]]:
    """Gather the words of a table's rows over its pages by the name of the row."""
    rows: dict[str, list[str]] = {}
    for name, *words in filter(None, map(str.split, section(text, start).splitlines()[1:])):
        rows.setdefault(name, []).extend(words)
    return rows


def shown(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:+.{decimals}f}"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_of_bd_rates_shows_the_figures_of_the_run(measured: Run, width: int) -> None:
    cells = pages(printed(measured.folder, width), "BD-rate against jpeg in PSNR-RGB")
    assert [name for name in cells if name in measured.variants] == ["jpeg[chroma=444]", "jpeg2000", "heif"]
    for variant, found in measured.bd_rate().items():
        rate, (low, high) = found.rate, found.rate.interval
        assert cells[variant] == [
            shown(rate.of_mean_curve, 1), shown(rate.mean, 1), shown(low, 1), "to", shown(high, 1),
            shown(rate.median, 1), str(rate.wins), "of", "4", shown(found.quality.of_mean_curve, 2),
            rate.best, shown(rate.per_image[rate.best], 1), rate.worst, shown(rate.per_image[rate.worst], 1),
        ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_in_ms_ssim_is_brief(measured: Run, width: int) -> None:
    text = printed(measured.folder, width)
    cells = pages(text, "BD-rate against jpeg in MS-SSIM")
    for variant, found in measured.bd_rate(metric="ms_ssim").items():
        assert cells[variant][:2] == [shown(found.rate.of_mean_curve, 1), shown(found.rate.mean, 1)]
        assert cells[variant][-3:] == [str(found.rate.wins), "of", "3"]
    assert "over the 3 images that every setting coded; 1 left out: small.png" in prose(
        section(text, "BD-rate against jpeg in MS-SSIM")
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_matrix_shows_both_means(measured: Run, width: int) -> None:
    cells = pages(printed(measured.folder, width), "BD-rate of all against all")
    for test in measured.variants:
        written = "".join(cells[test]).replace("/", "")
        expected = [measured.bd_matrix()[anchor, test].rate for anchor in measured.variants if anchor != test]
        assert written == "".join(shown(rate.of_mean_curve, 1) + shown(rate.mean, 1) for rate in expected)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("options", [{}, {"bpp": 0.75, "psnr": 30.0}])
def test_matched_tables_show_what_is_read_off(measured: Run, width: int, options: dict[str, float]) -> None:
    text = printed(measured.folder, width, **options)
    for found, unit, decimals in (
        (measured.at_rate(options.get("bpp")), "bpp", 2),
        (measured.at_quality(options.get("psnr")), "dB", 3),
    ):
        cells = pages(text, f"Every codec at exactly {found.target:g} {unit}")
        for image in found.images:
            expected = [found.cells.get((image, variant), math.nan) for variant in measured.variants]
            assert cells[image] == [shown(value, decimals).lstrip("+") for value in expected]
        means = [f"{found.means[variant]:.{decimals}f}" for variant in measured.variants]
        assert cells["mean"][-len(means) :] == means


@pytest.mark.parametrize("width", [60, *WIDTHS])
def test_no_line_is_wider_than_the_console(measured: Run, width: int) -> None:
    assert max(map(len, printed(measured.folder, width).splitlines())) <= width


def test_another_anchor_is_taken_and_an_unknown_one_refused(measured: Run) -> None:
    text = printed(measured.folder, anchor="heif")
    assert line(text, "BD-rate against").startswith("BD-rate against heif in PSNR-RGB")
    with pytest.raises(ResultsError, match=r"no 'heic' \(did you mean 'heif'"):
        printed(measured.folder, anchor="heic")


def test_references_stand_below_with_their_caveat(measured: Run, tmp_path: Path) -> None:
    (path,), _ = write_compressai(Run(write(tmp_path / "run", measured_of(measured, "heif"))), tmp_path / "curves")
    weak = tmp_path / "weak.json"
    weak.write_text('{"name": "J2K", "results": {"bpp": [0.2, 0.6, 1.2, 2.39732], "psnr-rgb": [27, 32, 36, 39.792]}}')
    references = [read_published(path), read_published(weak)]
    text = printed(measured.folder, references=references)
    table = section(text, "BD-rate against jpeg in PSNR-RGB")
    found = measured.bd_published(references)
    for reference in found:
        start = f"{reference.test} (published)"
        assert line(table, start).removeprefix(start).split()[0] == shown(reference.rate.of_mean_curve, 1)
    assert "J2K is the curve usually published for JPEG 2000" in prose(table)
    brief = section(text, "BD-rate against jpeg in MS-SSIM")
    assert "J2K has no MS-SSIM." in brief
    assert "usually published" not in brief


def test_refusals_are_said_once_with_the_codecs_names(tmp_path: Path) -> None:
    images = [f"i{number}" for number in range(9)]
    rows = [row(image, f"jpeg[q={q}]", 30.0 + q, 0.2 * q) for image in images for q in range(1, 6)]
    rows += [row(image, f"flat[q={q}]", 33.0, 0.2 * q) for image in images for q in range(1, 6)]
    rows += [row(image, f"short[q={q}]", 33.0 + q, 0.2 * q) for image in images for q in range(1, 4)]
    text = prose(section(printed(write(tmp_path / "run", rows)), "BD-rate against jpeg in PSNR-RGB"))
    assert text.count("flat is not monotone") == 1 == text.count("short has 3 points")
    assert "No BD-rate or BD-PSNR for the mean curve and on 9 of 9 images: flat is not monotone: (0.2 bpp" in text
    assert "BD-rate of all" not in text
    at_rate = prose(section(printed(write(tmp_path / "run", [])), "Every codec at exactly 0.5 bpp"))
    assert "flat has too few points of finite, growing quality on 9 of 9 images (i0: 1, and 2 are needed)" in at_rate


def test_many_reasons_are_cut(tmp_path: Path) -> None:
    rows = [row("a", f"c{number}[q={q}]", 30.0 + q, float(q)) for number in range(12) for q in (1, 2)]
    table = section(printed(write(tmp_path / "run", rows)), "BD-rate against c0 in PSNR-RGB")
    assert "No BD-rate or BD-PSNR for the mean curve and on 1 of 1 image: c0 has 2 points" in prose(table)
    rates = section(printed(write(tmp_path / "run", []), bpp=9), "Every codec at exactly 9 bpp")
    assert rates.count("does not reach 9 bpp") == 8
    assert "… and 4 reasons more like these." in rates


def test_one_codec_is_compared_with_none(tmp_path: Path) -> None:
    rows = [row("a", f"jpeg[q={q}]", 30.0 + q, float(q)) for q in range(5)[1:]]
    text = printed(write(tmp_path / "run", rows))
    assert "BD-rate" not in text
    assert "Every codec at exactly" in text


def test_a_run_of_failures_prints_no_numbers(tmp_path: Path) -> None:
    text = printed(write(tmp_path / "run", [failure("a", "jpeg", "x"), failure("a", "bpg", "x")]))
    assert "nan" not in text
    assert not re.search(r"mean of [1-9]", text)


def measured_of(run: Run, variant: str) -> list[dict[str, object]]:
    return [made for made in run.rows.to_pylist() if made["variant"] == variant]
