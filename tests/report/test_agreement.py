"""One number is one number: in the tables, on the page, in the figures, and through the API."""

from __future__ import annotations

import io
import itertools
import re
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console

from aebench import Run, read
from aebench.report import show
from aebench.report.figures import bd_rate_figure, by_image_figure, rd_figure
from aebench.report.layout import signed
from aebench.report.page import write_page


@pytest.mark.slow
def test_bd_rate_and_points_are_the_same_everywhere(measured: Run) -> None:
    expected = measured.bd_rate()["jpeg2000"].rate
    mean_curve, mean = signed(expected.of_mean_curve, 1), signed(expected.mean, 1)

    file = io.StringIO()
    show(measured, Console(file=file, width=160))
    (printed,) = [line for line in file.getvalue().splitlines() if re.match(r"jpeg2000 +\S+ +\S+ +\S+ to ", line)][:1]
    assert printed.split()[1:3] == [mean_curve, mean]

    page = unescape(write_page(measured).read_text())
    cells = re.findall(r"<t[dh][^>]*>\s*(.*?)\s*</t[dh]>", page, re.DOTALL)
    texts = [re.sub(r"<[^>]*>", "", cell).strip() for cell in cells]
    pairs = list(itertools.pairwise(texts))
    assert (f"{mean_curve} %", f"{mean} %") in pairs, [pair for pair in pairs if pair[0] == "jpeg2000"]

    curve = measured.rd_curves().means["jpeg2000"]
    drawn = [line for line in rd_figure(measured).axes[0].get_lines() if line.get_label() == "jpeg2000"]
    assert [tuple(line.get_ydata()) for line in drawn] == [curve.qualities]
    for value in curve.qualities:
        assert f"{value:.2f}" in file.getvalue()
        assert f"{value:.2f}" in page


@pytest.mark.slow
def test_what_is_chosen_holds_everywhere(measured: Run, tmp_path: Path) -> None:
    run = read(measured.folder.path, bpp=0.7, psnr=33, anchor="heif")
    file = io.StringIO()
    show(run, Console(file=file, width=160))
    for said in ("BD-rate against heif", "exactly 0.7 bpp", "exactly 33 dB", "nearest 0.7 bpp"):
        assert said in file.getvalue()

    page = unescape(write_page(run, tmp_path / "page.html").read_text())
    for said in ("Against heif, PSNR-RGB", "at 0.7 bits per pixel", "Bits per pixel at 33 dB"):
        assert said in page
    for value in (*run.at_rate(0.7).means.values(), *run.bd_rate("heif").keys()):
        assert (f"{value:.2f}" if isinstance(value, float) else value) in page

    assert "against heif" in bd_rate_figure(run).axes[0].get_xlabel()
    assert "0.7 bpp" in by_image_figure(run).axes[0].get_title(loc="left")
