from __future__ import annotations

import math
from pathlib import Path

import pytest

from aebench.analysis.published import Published
from aebench.errors import ResultsError
from aebench.report.figures import NothingToDrawError, rd_figure, rd_images_figure
from aebench.report.style import styles
from tests.report.figures.runs import curve, line, run_of, texts
from tests.report.helpers import failure, row

IMAGES = ("a.png", "b.png", "c.png")


@pytest.mark.parametrize("metric", ["psnr_rgb", "ms_ssim"])
def test_mean_curves_are_those_of_the_run(tmp_path: Path, metric: str) -> None:
    run = run_of(tmp_path, *(curve(image, v, g) for image in IMAGES for v, g in (("jpeg", 0), ("bpg", 3))))
    (axes,) = rd_figure(run, metric).axes
    for variant, mean in run.rd_curves(metric).means.items():
        assert line(axes, variant) == (list(mean.bpp), list(mean.qualities))
        (drawn,) = (drawn for drawn in axes.get_lines() if drawn.get_label() == variant)
        style = styles(run.variants)[variant]
        assert (drawn.get_color(), drawn.get_marker()) == (style.light, style.marker)
    assert axes.get_xscale() == "log"
    assert "mean of 3 images" in texts(axes.figure)  # type: ignore[arg-type]


def test_plot_draws_one_image(tmp_path: Path) -> None:
    run = run_of(tmp_path, *(curve(image, "jpeg") for image in IMAGES))
    (axes,) = run.plot(image="b.png").axes
    own = run.rd_curves().images["b.png"]["jpeg"]
    assert line(axes, "jpeg") == (list(own.bpp), list(own.qualities))
    assert "b.png" in axes.get_title(loc="left")


def test_a_figure_shows_itself_in_a_notebook_and_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figure = run_of(tmp_path, curve("a.png", "jpeg")).plot()
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert dict(mpl.rcParams) == before


def test_an_unknown_image_is_named_with_the_nearest(tmp_path: Path) -> None:
    run = run_of(tmp_path, curve("kodim01.png", "jpeg"))
    with pytest.raises(ResultsError, match=r"no image 'kodim1.png' \(did you mean 'kodim01.png'\?\)"):
        rd_figure(run, image="kodim1.png")
    with pytest.raises(ResultsError, match="no metric 'psnr'"):
        rd_figure(run, "psnr")


def test_what_is_not_shown_is_said(tmp_path: Path) -> None:
    lossless = row("a.png", "lossless", math.inf, 9.5, psnr_y=math.inf, psnr_yuv=math.inf, ms_ssim=1.0)
    run = run_of(tmp_path, curve("a.png", "jpeg"), curve("a.png", "paper", -25, (2.8, 9.3, 256)), [lossless])
    figure = rd_figure(run)
    assert figure.axes[0].get_xlim()[1] < 25
    assert "Beyond the frame: paper:2 (287 bpp" in texts(figure)
    assert "Lossless, without a place on this axis: lossless (9.5 bpp)." in texts(figure)


def test_images_left_out_and_codecs_that_failed_are_named(tmp_path: Path) -> None:
    rows = [made for image in IMAGES for made in curve(image, "jpeg")]
    rows[-1] = failure("c.png", "jpeg:4", "CodecError: no", variant="jpeg", codec="jpeg")
    broken = [failure(image, "webp", "CodecError: no") for image in IMAGES]
    run = run_of(tmp_path, rows, broken)
    text = texts(rd_figure(run))
    assert "over the 2 images that every setting coded; 1 left out: c.png." in text
    assert "it coded no image: webp" in text
    assert "Without a curve: webp." in text
    assert "Failed on this image: jpeg:4, webp." in texts(rd_figure(run, image="c.png"))


def test_published_curves_are_grey_dashed_and_carry_their_caveat(tmp_path: Path) -> None:
    weak = Published("JPEG2000", "", (2.39732, 0.5), {"psnr_rgb": (39.79200, 31.0)})
    other = Published("other", "", (1.0,), {"ms_ssim": (0.9,)})
    figure = rd_figure(run_of(tmp_path, curve("a.png", "jpeg")), published=[weak, other])
    assert line(figure.axes[0], "JPEG2000 (published)") == ([0.5, 2.39732], [31.0, 39.792])
    assert weak.caveat in texts(figure)
    assert "other (published)" not in texts(figure)


def test_a_run_without_a_mean_curve_says_so(tmp_path: Path) -> None:
    run = run_of(tmp_path, curve("a.png", "jpeg"), curve("b.png", "bpg"))
    with pytest.raises(NothingToDrawError, match="no mean curve; draw single images"):
        rd_figure(run)
    assert rd_figure(run, image="a.png").axes


def test_panels_hold_the_curves_of_their_images(tmp_path: Path) -> None:
    run = run_of(tmp_path, *(curve(image, "jpeg") for image in IMAGES))
    panels = rd_images_figure(run).axes
    assert [axes.get_title(loc="left") for axes in panels] == list(IMAGES)
    for axes, image in zip(panels, IMAGES, strict=True):
        own = run.rd_curves().images[image]["jpeg"]
        assert line(axes, "jpeg") == (list(own.bpp), list(own.qualities))


def test_many_images_are_sampled(tmp_path: Path) -> None:
    run = run_of(tmp_path, *(curve(f"{i:03}.png", "jpeg", rates=(0.5, 1)) for i in range(50)))
    figure = rd_images_figure(run)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert (len(titles), titles[0], titles[-1]) == (24, "000.png", "049.png")
    assert "24 of 50 images, evenly spaced by name." in texts(figure)
