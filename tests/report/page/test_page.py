from __future__ import annotations

import base64
import io
import math
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from aebench.analysis.curves import METRICS
from aebench.analysis.published import Published
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from aebench.kept import image_path
from aebench.report.layout import number
from aebench.report.page import write_page
from aebench.report.page.bd import signed
from aebench.report.page.chart import MOST_POINTS, quality, sampled_images
from aebench.report.page.pictures import _spread
from tests.report.helpers import failure, row, write
from tests.report.page.conftest import IMAGES, SETTINGS
from tests.report.page.reading import Page

HOSTILE = "</script><img src=x onerror=alert(1)>&amp;\"'<!--.png"


def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(page_file: Path) -> Page:
    return read(page_file)


def test_the_chart_draws_the_curves_of_the_run(page: Page, kept_run: Run) -> None:
    names = [variant["name"] for variant in page.data["variants"]]
    assert page.data["images"] == sorted(IMAGES)
    for column in kept_run.metrics:
        curves = kept_run.rd_curves(column)
        for image, wanted in (("", curves.means), *curves.images.items()):
            drawn = {names[curve["variant"]]: curve for curve in page.data["curves"][column][image]}
            assert drawn.keys() == wanted.keys() == {"jpeg", "jpeg2000"}
            for variant, curve in wanted.items():
                assert [page.data["settings"][i] for i in drawn[variant]["settings"]] == list(curve.settings)
                assert drawn[variant]["x"] == pytest.approx(curve.bpp, rel=1e-5)
                assert drawn[variant]["y"] == pytest.approx(curve.qualities, rel=1e-5)
                assert drawn[variant]["bpp"] == [number(bpp, 3) for bpp in curve.bpp]
                assert drawn[variant]["quality"] == [quality(METRICS[column], value) for value in curve.values]


def test_tables_hold_the_numbers_of_the_run(page: Page, kept_run: Run) -> None:
    matched = kept_run.at_rate()
    table = page.tables[f"PSNR-RGB in dB at {matched.target:g} bits per pixel"]
    assert table[0] == ["image", "jpeg", "jpeg2000"]
    for image, *cells in table[1:-1]:
        assert cells == [number(matched.cells.get((image, v), math.nan), 2) for v in ("jpeg", "jpeg2000")]
    means = [number(matched.means[v], 2) for v in ("jpeg", "jpeg2000")]
    assert table[-1] == [f"mean of {len(matched.basis.images)}", *means]

    summaries = {summary.setting: summary for summary in kept_run.summaries}
    rows = page.tables["Every setting, by codec and rising rate"][1:]
    assert [cells[0] for cells in rows] == SETTINGS
    for setting, n, bpp, psnr, *_ in rows:
        summary = summaries[setting]
        assert (n, bpp, psnr) == (str(summary.coded), number(summary.bpp, 3), number(summary.psnr_rgb, 2))

    found = kept_run.bd_rate()["jpeg2000"]
    cells = page.tables["Against jpeg, PSNR-RGB"][1]
    assert cells[:3] == ["jpeg2000", f"{signed(found.rate.of_mean_curve, 1)} %", f"{signed(found.rate.mean, 1)} %"]
    assert cells[5:7] == [f"{found.rate.wins} of 3", f"{found.rate.best} {signed(_best(found.rate), 1)} %"]
    assert cells[8] == f"{signed(found.quality.of_mean_curve, 2)} dB"


def _best(rate: object) -> float:
    return rate.per_image[rate.best]  # type: ignore[attr-defined,no-any-return]


def test_every_table_has_scopes_and_nothing_is_loaded_from_a_network(page: Page, page_file: Path) -> None:
    for tag, attributes in page.tags:
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
        assert tag not in ("link", "iframe", "object")
        assert not (tag == "script" and "src" in attributes)
        for name in ("src", "href"):
            assert not re.match(r"(?:[a-z]+:)?//", attributes.get(name) or "", re.IGNORECASE)
    html = re.sub(r"data:image/webp;base64,[A-Za-z0-9+/=]+", "", page_file.read_text(encoding="utf-8"))
    assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in html.replace('"url(#area)"', "") and "@import" not in html


def test_embedded_pictures_are_the_pixels_that_were_scored(page: Page, kept_run: Run) -> None:
    for image in IMAGES:
        for setting in SETTINGS:
            path, data = page.data["pictures"][image][setting]
            assert (kept_run.folder.path / unquote(path)).samefile(image_path(kept_run.folder, image, setting))
            if data:
                shown = Image.open(io.BytesIO(base64.b64decode(data.removeprefix("data:image/webp;base64,"))))
                np.testing.assert_array_equal(
                    np.asarray(shown), np.asarray(Image.open(kept_run.folder.path / unquote(path)))
                )
        assert page.data["pictures"][image][""][1]


@pytest.mark.parametrize("budget", [0, 150_000, 10_000_000])
def test_pictures_stay_inside_the_budget(kept_run: Run, tmp_path: Path, budget: int) -> None:
    page = read(write_page(kept_run, tmp_path / "page.html", budget=budget))
    embedded = [data for by in page.data["pictures"].values() for _, data in by.values() if data]
    assert sum(map(len, embedded)) <= budget
    assert bool(embedded) == bool(budget)
    # those that are not inside are linked, from wherever the page lies
    for by in page.data["pictures"].values():
        assert all((tmp_path / unquote(path)).is_file() for path, _ in by.values())


def test_names_and_errors_with_markup_stay_text(tmp_path: Path) -> None:
    codec = "<b>evil</b>"
    rows = [row(HOSTILE, f"{codec}[q={q}]", 20 + q, q) for q in (1, 2, 3)]
    rows += [failure(HOSTILE, f"jpeg[quality={q}]", f"<script>alert({q})</script> of {HOSTILE}") for q in (1, 2)]
    run = Run(
        write(tmp_path / "run", rows, default_settings={codec: f"{codec}[q=1]"}, commit=HOSTILE, job={"a": HOSTILE})
    )
    page = read(write_page(run, published=[Published(HOSTILE, codec, (0.5,), {"psnr_rgb": (30.0,)})]))
    assert not [tag for tag, _ in page.tags if tag == "b"]
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert HOSTILE in page.data["images"] and page.data["variants"][0]["name"] == codec
    assert any("<script>alert(1)</script>" in cell for cell in page.tables["Errors, the most frequent first"][1])


def test_the_page_says_what_was_left_out_and_refused(tmp_path: Path) -> None:
    images = ["a.png", "b.png", "c.png"]
    rows = [row(i, f"jpeg[quality={q}]", 25 + q + n, 0.2 * q) for n, i in enumerate(images) for q in (1, 2, 3, 4)]
    rows += [row(i, f"webp[quality={q}]", 20 - q, 0.2 * q) for i in images[:2] for q in (1, 2, 3, 4)]
    rows.append(failure("c.png", "webp[quality=1]", "too large"))
    text = " ".join("".join(read(write_page(Run(write(tmp_path / "run", rows)))).text).split())
    assert "2 images that every setting coded; 1 left out: c.png" in text
    assert "refused [1]" in text and "is not monotone" in text
    assert "This run kept no reconstructions" in text and "--keep images" in text


def test_the_papers_figures_come_with_their_caveat(tmp_path: Path) -> None:
    rows = [row(f"kodim{n}.png", f"jpeg[quality={q}]", 25 + q, 0.3 * q) for n in range(18, 25) for q in (1, 2, 3, 4)]
    page = read(write_page(Run(write(tmp_path / "run", rows))))
    table = next(table for caption, table in page.tables.items() if caption.startswith("PSNR-RGB in dB at"))
    assert table[0][2:] == ["their model", "their JPEG", "their JPEG 2000", "their BPG"]
    assert table[-1][2:] == ["25.60", "11.04", "11.52", "11.86"]
    assert "which is not proven" in " ".join(page.text)


def test_a_published_curve_is_overlaid_with_its_caveat(kept_run: Run, tmp_path: Path) -> None:
    curve = Published("JPEG2000", "by ffmpeg", (2.39732, 0.6), {"psnr_rgb": (39.792, 32.1)})
    page = read(write_page(kept_run, tmp_path / "page.html", [curve]))
    drawn = page.data["curves"]["psnr_rgb"][""][-1]
    assert page.data["variants"][drawn["variant"]]["name"] == "JPEG2000"
    assert (drawn["bpp"], drawn["quality"]) == (["0.600", "2.397"], ["32.10 dB", "39.79 dB"])
    assert curve.caveat and curve.caveat in "".join(page.text)
    assert len(page.data["curves"]["ms_ssim"][""]) == 2


def test_of_many_images_a_sample_has_both_ends(tmp_path: Path) -> None:
    names = [f"{i:05}.png" for i in range(MOST_POINTS // 4 + 100)]
    rows = [row(name, "jpeg[quality=50]", 20 + i / 1000) for i, name in enumerate(names)]
    run = Run(write(tmp_path / "run", rows))
    found = sampled_images(run)
    assert len(found) * len(run.metrics) <= MOST_POINTS
    assert {names[0], names[-1]} < set(found) < set(names)
    path = write_page(run)
    assert path.stat().st_size < 4_000_000
    assert f"Of {len(names)} images {len(found)} can be chosen here" in path.read_text(encoding="utf-8")


def test_the_first_images_of_any_number_lie_evenly() -> None:
    assert _spread(["a", "b", "c", "d", "e", "f", "g", "h"]) == ["a", "e", "c", "g", "b", "f", "d", "h"]
    assert sorted(_spread([str(i) for i in range(7)])) == [str(i) for i in range(7)]
    assert _spread(["a"]) == ["a"]


def test_a_run_that_only_trained_has_a_page(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [], job={"train": [{"model": "paper", "images": "kodak[:17]"}]})
    numbers = ("train_loss", "validation_loss", "validation_psnr", "learning_rate", "seconds", "cpu_seconds")
    run.append_epoch(
        {"network": "paper", "epoch": 1, "step": 5, "workers": 1, "crops": 5, **dict.fromkeys(numbers, 0.5)}
    )
    assert read(write_page(Run(run))).tables["Epochs of paper"][1][:3] == ["1 first, best, last", "5", "0.500000"]


def test_a_page_that_cannot_be_written_is_an_error(kept_run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot write .*page\.html"):
        write_page(kept_run, tmp_path / "file" / "page.html")
