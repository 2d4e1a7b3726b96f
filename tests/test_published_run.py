"""The run that lies in ``results/kodak``: whole, in line with what others published, and still what the codecs give."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

from aebench import Run, codec, read
from aebench.analysis.curves import METRICS
from aebench.analysis.published import read_published
from aebench.bdrate import quality_at
from aebench.errors import BdRateError
from aebench.images import ImageRef
from aebench.measure import Request, measure

FOLDER = Path(__file__).parent.parent / "results" / "kodak"
WITHIN_DB = 0.15


@pytest.fixture(scope="module")
def run() -> Run:
    return read(FOLDER)


def reference(name: str) -> Path:
    """A published curve, from ``reference/kodak`` in a folder that AEBENCH_DATA lists."""
    for folder in filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep)):
        path = Path(folder, "reference", "kodak", f"{name}.json")
        if path.is_file():
            return path
    pytest.skip("reference/kodak is in none of the folders that AEBENCH_DATA lists")


def test_every_codec_has_coded_every_image_at_every_setting(run: Run) -> None:
    assert len(run.basis.images) == 24
    assert not run.basis.left_out and not run.basis.uncoded
    assert pc.count(run.rows["error"]).as_py() == 0
    assert len(run.rows) == 24 * len(run.summaries)
    assert set(run.codecs) == {
        "jpeg", "jpeg2000", "bpg", "heif", "webp", "avif", "jxl", "lapped", "paper", "paper-rate",
        "theis2017", "cheng2018", "balle2018-factorised", "balle2018-hyperprior", "minnen2018", "box-downsample",
    }  # fmt: skip
    assert run.metrics == list(METRICS)
    assert len(run.trainings["paper"]) > 0
    assert len(run.folder.times()) > 0


@pytest.mark.parametrize(("variant", "name"), [("jpeg", "jpeg"), ("bpg", "bpg_444_x265_ycbcr")])
def test_baselines_are_as_good_as_published(run: Run, variant: str, name: str) -> None:
    published = read_published(reference(name)).curve(METRICS["psnr_rgb"])
    assert published is not None
    ours, compared = run.rd_curves().means[variant].curve, 0
    for bpp, theirs in zip(published.bpp, published.values, strict=True):
        try:
            assert quality_at(ours, bpp) > theirs - WITHIN_DB, f"at {bpp:.3f} bpp"
        except BdRateError:
            continue  # beyond our sweep
        compared += 1
    assert compared >= len(published.bpp) - 2


def test_every_codec_beats_the_floor(run: Run) -> None:
    """At equal rate, all but the paper's network, which needs more bits than this, beat averages of boxes.

    Trained for rate, that network does too, but not by much.
    """
    means = run.at_rate(1.0).means
    floor = means.pop("box-downsample")
    reached = {variant: quality for variant, quality in means.items() if quality == quality}
    assert set(run.variants) - set(reached) == {"box-downsample", "paper"}
    assert reached.pop("paper-rate") > floor + 3
    assert all(quality > floor + 5 for quality in reached.values())


@pytest.mark.parametrize("setting", ["jpeg[quality=50]", "jpeg2000[bpp=0.6]", "bpg[qp=32]"])
def test_rows_are_still_what_the_codecs_give(run: Run, kodak: list[Path], setting: str) -> None:
    path = kodak[3]
    (row,) = measure([ImageRef(path.name, str(path))], [codec(setting)], Request())
    stored = run.rows.filter(pc.and_(pc.equal(run.rows["image"], path.name), pc.equal(run.rows["setting"], setting)))
    (known,) = stored.to_pylist()
    assert row["image_digest"] == known["image_digest"]
    if row["codec_version"] != known["codec_version"]:
        pytest.skip(f"the run was made with {known['codec_version']}, here is {row['codec_version']}")
    assert row["bytes"] == known["bytes"]
    assert row["mse"] == known["mse"]
