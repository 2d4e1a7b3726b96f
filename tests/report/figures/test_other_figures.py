"""Training, PSNR by image, speed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from aebench.report.figures import NothingToDrawError, by_image_figure, speed_figure, training_figure
from tests.report.figures.runs import curve, epoch, line, misplaced, run_of, texts
from tests.report.helpers import row

IMAGES = ("a.png", "b.png", "c.png")


def test_losses_are_those_of_the_epochs_and_the_best_is_marked(tmp_path: Path) -> None:
    run = run_of(tmp_path, epochs=[epoch(1, 0.5, math.nan), epoch(2, 0.1, 0.02), epoch(3, 0.05, 0.04)])
    (axes,) = training_figure(run).axes
    assert line(axes, "training") == ([1, 2, 3], [0.5, 0.1, 0.05])
    assert line(axes, "validation")[1][1:] == [0.02, 0.04]
    assert line(axes, "best") == ([2], [0.02])
    assert axes.get_yscale() == "log"


def test_every_network_has_its_axes(tmp_path: Path) -> None:
    run = run_of(tmp_path, epochs=[epoch(1, 0.5, 0.4), epoch(1, 30, 20, "lapped"), epoch(2, 20, 10, "lapped")])
    paper, lapped = training_figure(run).axes
    assert (line(paper, "training"), line(lapped, "training")) == (([1], [0.5]), ([1, 2], [30, 20]))
    assert paper.get_title(loc="left").startswith("paper\n1 epoch, ")
    assert lapped.get_title(loc="left").endswith("best epoch 2 (10)")


def test_long_names_and_numbers_stay_in_the_figure(tmp_path: Path) -> None:
    networks = ["balle2018-hyperprior-published", "a_module_of_my_own.with_networks:AutoencoderWithALongName", "paper"]
    curves = [epoch(number, 0.123456, 0.000656, network) for network in networks for number in (1, 12345)]
    assert not misplaced(training_figure(run_of(tmp_path, epochs=curves)))


def test_one_epoch_is_a_figure_and_none_is_not(tmp_path: Path) -> None:
    assert training_figure(run_of(tmp_path / "one", epochs=[epoch(1, 0.5, 0.4)])).axes
    with pytest.raises(NothingToDrawError, match="trained nothing"):
        training_figure(run_of(tmp_path / "none", curve("a.png", "jpeg")))


def test_psnr_by_image_at_one_rate_and_at_the_defaults(tmp_path: Path) -> None:
    curves = [curve(image, v, g) for image in IMAGES for v, g in (("jpeg", 0), ("bpg", 3))]
    dear = [row(image, "paper", 20, 256) for image in IMAGES]
    run = run_of(tmp_path, *curves, dear, default_settings={"jpeg": "jpeg:3", "bpg": "bpg:2", "paper": "paper"})
    figure = by_image_figure(run)
    left, right = figure.axes
    matched = run.at_rate()
    for variant in ("jpeg", "bpg"):
        assert line(left, variant)[1] == [matched.cells[image, variant] for image in IMAGES]
    measured = {(r["image"], r["setting"]): r["psnr_rgb"] for r in run.rows.to_pylist()}
    for setting in ("jpeg:3", "bpg:2", "paper"):
        assert line(right, setting)[1] == [measured[image, setting] for image in IMAGES]
    assert f"On no image at {matched.target:g} bpp: paper." in texts(figure)
    assert "paper 256 bpp" in texts(figure)
    assert line(by_image_figure(run, 0.8).axes[0], "jpeg")[1] == [run.at_rate(0.8).cells[i, "jpeg"] for i in IMAGES]


def test_points_without_a_curve_leave_the_left_half_empty_and_say_so(tmp_path: Path) -> None:
    assert "no curve reaches it" in texts(by_image_figure(run_of(tmp_path, [row("a.png", "jpeg")])))


def test_speed_and_gain_of_every_variant_are_those_of_the_run(tmp_path: Path) -> None:
    curves = [curve(image, v, g) for image in IMAGES for v, g in (("jpeg", 0), ("bpg", 3))]
    dear = [row(image, "paper", 20, 256) for image in IMAGES]
    run = run_of(tmp_path, *curves, dear)
    figure = speed_figure(run)
    left, right = figure.axes
    bpg = run.speeds.variants["bpg"]
    gain = run.bd_rate()["bpg"].rate.mean
    assert line(left, "bpg") == ([bpg.encode.median], [gain])
    assert line(right, "bpg") == ([bpg.decode.median], [gain])
    assert line(left, "jpeg") == ([run.speeds.variants["jpeg"].encode.median], [0.0])
    assert "CPU time of the rows: the run has no timing pass." in texts(figure)
    assert "Without a BD-rate, so not drawn: paper." in texts(figure)
    with pytest.raises(NothingToDrawError):
        speed_figure(run_of(tmp_path / "alone", curve("a.png", "jpeg")))
