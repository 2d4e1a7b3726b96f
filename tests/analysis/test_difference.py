from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aebench.analysis.difference import RunDifference, difference
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from tests.report.helpers import failure, row, write

POINTS = ((0.2, 27.0), (0.4, 30.0), (0.8, 33.0), (1.6, 36.0))


def changed(measured: Run, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Run:
    """Write the run again with its rows changed; None leaves a row out."""
    rows = [made for made in map(change, measured.rows.to_pylist()) if made is not None]
    return Run(write(folder / "changed", rows, **measured.info))


def of(found: RunDifference, variant: str) -> Any:
    return next(one for one in found.variants if one.variant == variant)


def test_a_run_against_itself_is_identical(measured: Run) -> None:
    found = difference(measured, measured)
    assert len(found.images) == 4 and found.only_images == ((), ()) == found.only_variants
    assert [variant.variant for variant in found.variants] == measured.variants
    for variant in found.variants:
        assert variant.is_identical and variant.bd.rate.of_mean_curve == 0 == variant.bd.rate.mean
        assert (variant.encode, variant.decode) == (1, 1)
        assert all(setting.images == 4 for setting in variant.settings)
    assert found.regressions(0) == {}


@pytest.mark.parametrize(("factor", "worse"), [(1.02, True), (1.004, False), (0.9, False)])
def test_a_constant_factor_of_the_rate_is_that_bd_rate(
    measured: Run, tmp_path: Path, factor: float, worse: bool
) -> None:
    run = changed(measured, tmp_path, lambda r: {**r, "bpp": r["bpp"] * (factor if r["codec"] == "heif" else 1)})
    found = difference(measured, run)
    heif = of(found, "heif")
    assert heif.bd.rate.of_mean_curve == pytest.approx((factor - 1) * 100)
    assert heif.settings[0].rate_change == pytest.approx((factor - 1) * 100)
    assert (list(found.regressions()) == ["heif"]) == worse
    assert not found.regressions(10)


def test_the_mean_over_images_counts_too(measured: Run, tmp_path: Path) -> None:
    def change(made: dict[str, Any]) -> dict[str, Any]:
        small = made["variant"] == "heif" and made["image"] == "small.png"
        return {**made, "bpp": made["bpp"] * (1.05 if small else 0.99)}

    found = of(difference(measured, changed(measured, tmp_path, change)), "heif")
    assert found.bd.rate.of_mean_curve != pytest.approx(found.bd.rate.mean)
    assert found.figures == [found.bd.rate.of_mean_curve, found.bd.rate.mean]


def test_images_are_recognised_by_their_pixels(measured: Run, tmp_path: Path) -> None:
    def change(made: dict[str, Any]) -> dict[str, Any] | None:
        if made["image"] == "small.png":
            return None
        if made["image"] == "coffee.png":
            return {**made, "image_digest": "other pixels", "psnr_rgb": 1.0}
        return {**made, "image": f"renamed {made['image']}"}

    found = difference(measured, changed(measured, tmp_path, change))
    assert found.images == ("astronaut.png", "chelsea.png")
    assert found.only_images == (("coffee.png", "small.png"), ("coffee.png",))
    assert all(variant.is_identical for variant in found.variants)


def test_settings_variants_and_versions_of_one_run_alone(measured: Run, tmp_path: Path) -> None:
    def change(made: dict[str, Any]) -> dict[str, Any] | None:
        if made["variant"] == "jpeg[chroma=444]":
            return {**made, "codec": "mine", "variant": "mine", "setting": made["setting"].replace("jpeg", "mine")}
        if made["setting"] == "heif[qp=17]":
            return None
        return {**made, "codec_version": "next"} if made["codec"] == "jpeg2000" else made

    found = difference(measured, changed(measured, tmp_path, change))
    assert found.only_variants == (("jpeg[chroma=444]",), ("mine",))
    assert of(found, "heif").only == (("heif[qp=17]",), ())
    assert of(found, "heif").bd.rate.of_mean_curve == 0  # the settings that both have
    assert of(found, "jpeg2000").versions[1] == ("next",) != of(found, "jpeg2000").versions[0]


def test_other_settings_are_compared_by_their_curves(measured: Run, tmp_path: Path) -> None:
    a = changed(measured, tmp_path / "a", lambda r: r if r["setting"] < "heif[qp=36" or r["codec"] != "heif" else None)
    b = changed(measured, tmp_path / "b", lambda r: r if r["setting"] > "heif[qp=24" or r["codec"] != "heif" else None)
    heif = of(difference(a, b), "heif")
    assert heif.only == (("heif[qp=17]", "heif[qp=23]"), ("heif[qp=41]", "heif[qp=47]"))
    assert abs(heif.bd.rate.of_mean_curve) < 1 or heif.bd.rate.refusal


def test_a_measurement_that_fails_is_a_regression(measured: Run, tmp_path: Path) -> None:
    def change(made: dict[str, Any]) -> dict[str, Any]:
        if (made["image"], made["setting"]) != ("coffee.png", "heif[qp=17]"):
            return made
        unknown = ("bytes", "bpp", "mse", "psnr_rgb", "ms_ssim", "image_digest")
        return {**made, **dict.fromkeys(unknown), "error": "killed"}

    run = changed(measured, tmp_path, change)
    assert difference(measured, run).regressions() == {"heif": ["1 of A's measurements failed"]}
    assert difference(run, measured).regressions() == {}
    assert of(difference(measured, run), "heif").bd.images == 3


def single(folder: Path, psnr: float, bpp: float, name: str) -> Run:
    return Run(write(folder / name, [row(image, "png", psnr, bpp) for image in "ab"]))


@pytest.mark.parametrize(
    ("psnr", "bpp", "reasons"),
    [
        (40.0, 2.0, []),
        (40.0, 2.009, []),
        (39.98, 2.0, []),
        (41.0, 1.0, []),
        (40.0, 2.02, ["png takes 1.00 % more bits"]),
        (39.9, 2.0, ["png loses 0.100 dB"]),
        (math.inf, 2.0, []),
    ],
)
def test_where_bd_rate_is_refused_settings_decide(tmp_path: Path, psnr: float, bpp: float, reasons: list[str]) -> None:
    found = difference(single(tmp_path, 40.0, 2.0, "a"), single(tmp_path, psnr, bpp, "b"))
    assert found.variants[0].bd.rate.refusal
    assert found.regressions() == ({"png": reasons} if reasons else {})


def test_lossless_stays_lossless_or_is_a_regression(tmp_path: Path) -> None:
    lossless, again = (single(tmp_path, math.inf, 9.0, name) for name in "ab")
    assert difference(lossless, again).variants[0].settings[0].quality_change == 0
    assert difference(lossless, again).regressions() == {}
    assert difference(lossless, single(tmp_path, 60.0, 9.0, "c")).regressions() == {"png": ["png loses inf dB"]}


def test_what_cannot_be_compared_is_an_error(measured: Run, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no image in common"):
        difference(measured, Run(write(tmp_path / "a", [row("a", "jpeg")])))
    digest = measured.rows["image_digest"][0].as_py()
    other = Run(write(tmp_path / "b", [row("a", "mine", image_digest=digest)]))
    with pytest.raises(ResultsError, match=r"no codec whose PSNR-RGB can be compared; .* b has mine"):
        difference(measured, other)
    with pytest.raises(ResultsError, match="no codec whose SSIMULACRA 2 can be compared"):
        difference(measured, measured, "ssimulacra2")
    with pytest.raises(ResultsError, match="did you mean 'ms_ssim'"):
        difference(measured, measured, "ms-ssim")


def test_two_names_of_the_same_pixels_count_once(tmp_path: Path) -> None:
    rows = [
        row(image, f"jpeg[q={q}]", psnr, bpp, image_digest="same")
        for image in "ab"
        for q, (bpp, psnr) in enumerate(POINTS)
    ]
    run = Run(write(tmp_path / "run", rows))
    found = difference(run, run)
    assert found.images == ("a",) and found.variants[0].settings[0].images == 1


def test_failures_alone_are_not_identical(tmp_path: Path) -> None:
    a = Run(write(tmp_path / "a", [row("a", "jpeg"), row("b", "jpeg"), row("b", "png")]))
    b = Run(write(tmp_path / "b", [failure("a", "jpeg", "x"), failure("b", "jpeg", "x"), row("b", "png")]))
    assert difference(a, b).regressions() == {"jpeg": ["2 of A's measurements failed"]}
    assert not of(difference(a, b), "jpeg").is_identical
