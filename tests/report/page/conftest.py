"""A small real run with its reconstructions kept, its page, and the browser that reads it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import aebench
from aebench.analysis.run import Run
from aebench.codecs import Rgb
from aebench.images import ImageRef
from aebench.kept import IMAGE, ORIGINAL, STREAM, write_kept
from aebench.measure import Request, measure
from aebench.report.page import write_page
from tests.report.helpers import write

SETTINGS = [f"jpeg[quality={quality}]" for quality in (10, 20, 40, 60, 80)]
SETTINGS += [f"jpeg2000[bpp={bpp}]" for bpp in ("0.3", "0.6", "1", "2")]
IMAGES = ("face.png", "hand.png", "sky.png")


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory, photograph: Rgb) -> Run:
    """Three pictures cut from the photograph at nine settings of two codecs, measured and kept as a job does it."""
    folder = tmp_path_factory.mktemp("page")
    run = write(folder / "small", [], default_settings={"jpeg": SETTINGS[3], "jpeg2000": SETTINGS[7]}, commit="0123abc")
    empty = dict.fromkeys((IMAGE, ORIGINAL, STREAM))
    for name, left in zip(IMAGES, (0, 130, 310), strict=True):
        Image.fromarray(photograph[40:216, left : left + 200]).save(folder / name)
        image = ImageRef(name, str(folder / name))
        rows = measure([image], [aebench.codec(s) for s in SETTINGS], Request(keep="images"), with_originals=True)
        run.append_rows([{"run": run.name, **write_kept(run, {**empty, **row})} for row in rows])
    return aebench.read(run.path)


@pytest.fixture(scope="session")
def page_file(kept_run: Run) -> Path:
    """The page of this run, where it belongs."""
    return write_page(kept_run)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, which playwright drives without a browser of its own."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium (apt-get install chromium): the page is not tested in a browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()
