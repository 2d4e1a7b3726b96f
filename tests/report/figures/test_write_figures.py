from __future__ import annotations

import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aebench.analysis.run import Run
from aebench.errors import ResultsError
from aebench.report.figures import (
    bd_rate_figure,
    by_image_figure,
    rd_figure,
    rd_images_figure,
    speed_figure,
    training_figure,
    write_figures,
)
from tests.report.figures.runs import curve, epoch, misplaced, psnr_only, run_of
from tests.report.helpers import failure, row

LONG = "my_package.codecs:MyVeryLongCodecName[alpha=0.25,beta=some-long-value,transform=hyperprior]"
VARIANTS = [
    "jpeg", "jpeg2000", "bpg", "webp", "avif", "jxl", "heif", "box-downsample", "bpg-libbpg", "x$y$z",
    "jpeg[chroma=444,optimize=true,progressive=true]", LONG,
]  # fmt: skip


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Thirty-two images, some with long names, by twelve variants and a codec far off."""
    curves = []
    for i in range(32):
        image = f"a long folder/photograph-{i:03}-by-somebody-at-some-place-é.png" if i % 2 else f"{i:03}.png"
        curves += [curve(image, variant, 0.4 * j) for j, variant in enumerate(VARIANTS)]
        curves.append(curve(image, "paper", -25, (2.8, 5, 9, 16, 256)))
    epochs = [epoch(i, 1 / i**2, 1.2 / i**1.8) for i in range(1, 61)]
    return run_of(tmp_path_factory.mktemp("big"), *curves, epochs=epochs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw",
    [rd_figure, rd_images_figure, bd_rate_figure, by_image_figure, speed_figure, training_figure],
    ids=lambda draw: draw.__name__,
)
def test_many_variants_with_long_names_fit(big: Run, draw: Callable[[Run], Any]) -> None:
    assert misplaced(draw(big)) == []


@pytest.mark.slow
def test_all_figures_of_a_run_in_both_formats(tmp_path: Path) -> None:
    curves = [curve(image, variant) for image in ("a.png", "b.png") for variant in ("jpeg", "bpg")]
    said: list[str] = []
    paths = write_figures(run_of(tmp_path / "run", *curves, epochs=[epoch(1, 0.5, 0.4)]), tmp_path, say=said.append)
    metrics = ("psnr_rgb", "psnr_y", "psnr_yuv", "ms_ssim")
    names = [f"{kind}-{metric}" for metric in metrics for kind in ("rd", "rd-images", "bd-rate")]
    names += ["training", "psnr-by-image", "speed"]
    assert [path.name for path in paths] == [f"{name}.{suffix}" for name in names for suffix in ("png", "svg")]
    assert [sentence.partition(" is left out")[0] for sentence in said] == ["Figure pictures"]
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.width >= 700
                image.verify()
        else:
            root = ET.parse(path).getroot()
            title = root.find("{http://www.w3.org/2000/svg}title")
            assert title is not None and title.text
            assert root.findall(".//{http://www.w3.org/2000/svg}text")


def test_the_same_run_gives_the_same_files(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", *(psnr_only(curve("a.png", variant)) for variant in ("jpeg", "bpg")))
    first, second = (write_figures(Run(run.folder), tmp_path / name) for name in ("first", "second"))
    assert [path.name for path in first] == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert b"<dc:date>" not in one.read_bytes()


@pytest.mark.parametrize(
    ("rows", "epochs", "left_out"),
    [
        ([row("a.png", "jpeg")], [], {"bd-rate", "training", "speed", "pictures"}),
        (curve("a.png", "jpeg") + curve("a.png", "bpg"), [], {"training", "pictures"}),
        ([row(f"{i}.png", v) for i in range(3) for v in ("jpeg", "bpg")], [], {"training", "speed", "pictures"}),
        ([row("a.png", "raw", math.inf, 24.0, psnr_y=math.inf, psnr_yuv=math.inf, ms_ssim=1.0)], [],
         {"bd-rate", "training", "speed", "pictures"}),
        ([failure("a.png", "jpeg", "CodecError: no")], [],
         {"rd", "rd-images", "bd-rate", "training", "psnr-by-image", "speed", "pictures"}),
        ([], [epoch(1, 0.5, 0.4)], {"rd", "rd-images", "bd-rate", "psnr-by-image", "speed", "pictures"}),
    ],
    ids=["one point", "one image", "one point each", "lossless", "failures", "only training"],
)  # fmt: skip
def test_what_a_run_lacks_is_left_out_and_said(
    tmp_path: Path, rows: list[dict[str, Any]], epochs: list[dict[str, Any]], left_out: set[str]
) -> None:
    said: list[str] = []
    paths = write_figures(
        run_of(tmp_path / "run", psnr_only(rows), epochs=epochs), tmp_path / "figures", say=said.append
    )
    missing = {sentence.split()[1].removesuffix("-psnr_rgb") for sentence in said}
    assert missing == left_out
    assert not {path.stem.removesuffix("-psnr_rgb") for path in paths} & left_out
    assert all(path.stat().st_size for path in paths)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot write .*\.png"):
        write_figures(run_of(tmp_path / "run", curve("a.png", "jpeg")), tmp_path / "file")


def test_commands_that_draw_nothing_do_not_load_matplotlib() -> None:
    code = "import sys, aebench.cli, aebench.report, aebench.analysis.run; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
