from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aebench.analysis.difference import difference
from aebench.analysis.run import Run
from aebench.report.difference_table import show_difference
from tests.report.helpers import line, prose, row, write


def compared(a: Run, b: Run, width: int = 120, threshold: float = 0.5) -> str:
    """Return what a comparison prints."""
    file = io.StringIO()
    show_difference(a, b, difference(a, b), threshold, Console(file=file, width=width))
    return file.getvalue()


@pytest.fixture
def worse(measured: Run, tmp_path: Path) -> Run:
    """The run with a new version of HEIF that takes 2 % more bits, and without one of its settings."""

    def change(made: dict[str, Any]) -> dict[str, Any]:
        heif = {"bpp": made["bpp"] * 1.02, "bytes": made["bytes"] + 1, "codec_version": "next"}
        return {**made, **(heif if made["codec"] == "heif" else {})}

    rows = [change(made) for made in measured.rows.to_pylist() if made["setting"] != "heif[qp=47]"]
    return Run(write(tmp_path / "worse", rows, **measured.info))


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_regression_is_told_with_its_numbers(measured: Run, worse: Run, width: int) -> None:
    text = compared(measured, worse, width)
    assert max(map(len, text.splitlines())) <= width
    found = next(v for v in difference(measured, worse).variants if v.variant == "heif")
    assert line(text, "heif ").split()[1:3] == [
        f"{found.bd.rate.of_mean_curve:+.2f}", f"{found.bd.rate.mean:+.2f}",
    ]  # fmt: skip
    assert "Regression above 0.5 %: heif: BD-rate +2.00 %." in prose(text)
    assert "next." in prose(text) and "Only in A: heif[qp=47]." in prose(text)
    for setting in found.settings:
        cells = line(text, setting.setting).split()
        assert cells[:5] == [
            setting.setting, "4", f"{setting.bpp[0]:.3f}", f"{setting.bpp[1]:.3f}", f"{setting.rate_change:+.2f}",
        ]  # fmt: skip
    assert "jpeg[quality" not in text  # of what did not change there is no row


def test_verdicts_are_said_of_every_codec(measured: Run, worse: Run) -> None:
    text, back = compared(measured, worse), compared(worse, measured)
    assert line(text, "jpeg2000 ").split()[-1] == "identical"
    assert line(text, "heif ").split()[-1] == "worse"
    assert line(back, "heif ").split()[-1] == "better"
    assert line(compared(measured, worse, threshold=5), "heif ").split()[-1] == "alike"
    assert "No regression above 0.5 %." in back


def test_what_is_in_one_run_alone_is_said(tmp_path: Path) -> None:
    a = Run(write(tmp_path / "a", [row(i, "jpeg") for i in "xy"] + [row("x", "png")]))
    b = Run(write(tmp_path / "b", [row("x", "jpeg"), row("x", "webp"), row("z", "jpeg")]))
    text = prose(compared(a, b))
    assert "/a: 2 images, 1 not in the other: y" in text and "/b: 2 images, 1 not in the other: z" in text
    assert "Only in A: png." in text and "Only in B: webp." in text
    assert "No BD-rate or" not in text and "No BD-rate for the mean curve and on 1 of 1 image: jpeg in A has 1" in text


def test_many_changed_settings_are_cut(tmp_path: Path) -> None:
    a, b = (
        Run(write(tmp_path / name, [row("x", f"jpeg[q={q}]", 30.0 + q, q + 1 + add * q) for q in range(60)]))
        for name, add in (("a", 0), ("b", 0.01))
    )
    text = compared(a, b)
    assert text.count("jpeg[q=") >= 40
    assert "… and 19 settings more, whose rates changed less." in text or "… and 20 settings more" in text
