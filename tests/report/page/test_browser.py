"""The page as a reader meets it, in Chromium."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from aebench.analysis.published import Published
from aebench.analysis.run import Run
from aebench.report.layout import number
from aebench.report.page import write_page
from tests.report.helpers import failure, row, write
from tests.report.page.test_page import HOSTILE

WIDTHS = (360, 800, 1400)


class Reader:
    """A page opened in the browser, with what went wrong and what it asked for."""

    def __init__(self, browser: Browser, path: Path, width: int = 1000, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.resolve().as_uri())
        self.until("document.querySelector('#plot svg') || !document.querySelector('#plot')")

    def until(self, condition: str) -> None:
        """Wait for a JavaScript condition, asking from outside: to poll inside takes eval, which the page forbids."""
        deadline = time.monotonic() + 30
        while not self.page.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            self.page.wait_for_timeout(20)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def colours(self) -> str:
        return str(self.page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.fixture
def reader(browser: Browser, page_file: Path) -> Iterator[Reader]:
    opened = Reader(browser, page_file)
    yield opened
    opened.context.close()
    assert not opened.errors
    assert all(url.startswith(("file:", "data:")) for url in opened.requests)


def said(run: Run, variant: str, index: int, image: str = "") -> tuple[str, str, str]:
    """Return setting, rate and PSNR of a point as the page should say them."""
    curves = run.rd_curves()
    curve = curves.images[image][variant] if image else curves.means[variant]
    return curve.settings[index], f"{number(curve.bpp[index], 3)} bpp", f"{number(curve.values[index], 2)} dB"


def test_keys_read_the_points_of_the_chart(reader: Reader, kept_run: Run) -> None:
    reader.page.focus("#plot")
    for keys, variant, index in (
        (["ArrowRight"], "jpeg", 0), (["ArrowRight"], "jpeg", 1), (["End"], "jpeg", 4), (["ArrowRight"], "jpeg", 4),
        (["ArrowLeft"], "jpeg", 3), (["ArrowDown", "Home"], "jpeg2000", 0), (["ArrowRight"], "jpeg2000", 1),
        (["ArrowUp", "Home"], "jpeg", 0),
    ):  # fmt: skip
        for key in keys:
            reader.page.keyboard.press(key)
        text = reader.text("#readout")
        assert all(part in text for part in (*said(kept_run, variant, index), "mean of 3"))
    reader.page.keyboard.press("Escape")
    assert not reader.text("#readout") and reader.page.locator(".tip").is_hidden()


def test_the_pointer_reads_the_nearest_point(reader: Reader, kept_run: Run) -> None:
    reader.page.locator("[data-variant='1'] .mark").nth(2).hover(force=True)
    assert reader.text(".tip").split("\n") == [*said(kept_run, "jpeg2000", 2)[:2], said(kept_run, "jpeg2000", 2)[2]]
    reader.page.mouse.move(5, 5)
    assert reader.page.locator(".tip").is_hidden()


def test_metric_image_axis_and_codecs_are_chosen(reader: Reader, kept_run: Run) -> None:
    drawn = reader.page.locator("#plot .curve")
    assert drawn.count() == 2
    before = drawn.first.get_attribute("d")
    reader.page.select_option("#metric", label="MS-SSIM")
    assert "MS-SSIM (dB)" in reader.page.locator("#plot svg").text_content()
    assert drawn.first.get_attribute("d") != before
    reader.page.select_option("#metric", label="PSNR-RGB")
    reader.page.select_option("#chart-image", "sky.png")
    assert reader.text("#chart-note") == "One image: sky.png."
    reader.page.focus("#plot")
    reader.page.keyboard.press("ArrowRight")
    assert all(part in reader.text("#readout") for part in (*said(kept_run, "jpeg", 0, "sky.png"), "sky.png"))
    linear = drawn.first.get_attribute("d")
    reader.page.select_option("#axis", "linear")
    assert drawn.first.get_attribute("d") != linear
    reader.page.get_by_label("jpeg", exact=True).uncheck()
    assert drawn.count() == 1 and reader.page.locator("#points-table tbody tr").count() == 4


def test_the_viewer_flips_and_slides_without_a_mouse(reader: Reader, kept_run: Run) -> None:
    reader.page.select_option("#image", "hand.png")
    setting, bpp, psnr = said(kept_run, "jpeg2000", 1, "hand.png")
    reader.page.select_option("#side-b", setting)
    caption = reader.text("#caption-b")
    assert all(part in caption for part in (setting, bpp, f"PSNR-RGB {psnr}"))
    assert "original" in reader.text("#caption-a")
    share = "Number(document.querySelector('#slide').value)"
    clip = "getComputedStyle(document.querySelector('#img-a')).clipPath"
    reader.page.focus("#stage")
    seen = []
    for _ in range(3):
        reader.page.keyboard.press("f")
        seen.append((reader.page.evaluate(share), reader.text("#flip")))
    assert seen == [(0, "Flip to A"), (100, "Flip to B"), (0, "Flip to A")]
    hidden = reader.page.evaluate(clip)
    reader.page.focus("#slide")
    reader.page.keyboard.press("ArrowRight")
    assert reader.page.evaluate(share) == 1 and reader.page.evaluate(clip) != hidden
    reader.page.focus("#flip")
    reader.page.keyboard.press("Space")
    assert reader.page.evaluate(share) == 100
    assert reader.page.evaluate("document.querySelector('#img-b').naturalWidth") == 200


def test_enter_in_the_chart_shows_the_picture(reader: Reader, kept_run: Run) -> None:
    reader.page.select_option("#chart-image", "sky.png")
    reader.page.focus("#plot")
    for key in ("ArrowDown", "End", "Enter"):
        reader.page.keyboard.press(key)
    assert reader.page.input_value("#image") == "sky.png"
    assert reader.page.input_value("#side-b") == said(kept_run, "jpeg", 4)[0]
    assert reader.page.evaluate("document.activeElement.id") == "flip"


def test_tables_sort(reader: Reader) -> None:
    table = reader.page.locator("#settings table")
    numbers = "rows => rows.map(row => Number(row.cells[3].textContent))"
    table.get_by_role("button", name="dB mean").click()
    rising = table.locator("tbody tr").evaluate_all(numbers)
    assert rising == sorted(rising)
    table.get_by_role("button", name="dB mean").press("Enter")
    assert table.locator("tbody tr").evaluate_all(numbers) == rising[::-1]
    assert table.locator("th[aria-sort=descending]").count() == 1


def test_bd_rate_is_shown_in_one_metric(reader: Reader) -> None:
    assert reader.page.locator("#bd caption:visible").all_inner_texts() == ["Against jpeg, PSNR-RGB"]
    reader.page.select_option("#bd-metric", label="PSNR-Y")
    assert reader.page.locator("#bd caption:visible").all_inner_texts() == ["Against jpeg, PSNR-Y"]


def test_the_theme_can_be_changed_and_is_remembered(reader: Reader) -> None:
    light = reader.colours()
    reader.page.click("#theme")
    dark = reader.colours()
    assert light == "rgb(255, 255, 255)" != dark
    reader.page.reload()
    assert reader.colours() == dark and reader.text("#theme") == "Light theme"


def test_a_picture_that_is_not_there_is_said(browser: Browser, kept_run: Run, tmp_path: Path) -> None:
    path = write_page(kept_run, kept_run.folder.path / "linked.html", budget=0)
    at_home = Reader(browser, path)
    at_home.until("document.querySelector('#img-b').naturalWidth === 200")
    assert not at_home.errors and not at_home.text("#picture-error")
    moved = Reader(browser, path.rename(tmp_path / "linked.html"))
    moved.until("document.querySelector('#picture-error').textContent")
    assert "is not found there" in moved.text("#picture-error")
    at_home.context.close()
    moved.context.close()


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long names, markup in names, failures, refusals, lossless images, a published curve."""
    long = "a-very-long-name-" * 12 + ".png"
    names = [HOSTILE, long, *(f"image-{i}.png" for i in range(6))]
    rows = [row(n, f"jpeg[quality={q}]", 25 + q + i / 9, q / 5) for i, n in enumerate(names) for q in range(1, 6)]
    rows += [row(n, f"<i>{'w' * 60}</i>[q={q}]", 28 - q, q / 5) for n in names for q in range(1, 6)]
    rows += [row(n, f"lossless[q={q}]", float("inf"), 9 + q) for n in names for q in range(2)]
    rows += [failure(names[0], f"jpeg2000[bpp={q}]", f"<img src=x> {'x' * 300}") for q in range(3)]
    run = Run(write(tmp_path_factory.mktemp("hostile") / "run", rows, commit=HOSTILE, job={"a": {"b": HOSTILE}}))
    return write_page(run, published=[Published(HOSTILE, "<u>", (0.2, 0.9), {"psnr_rgb": (26.0, 31.0)})])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(browser: Browser, page_file: Path, hostile_page: Path, width: int, scheme: str) -> None:
    for path in (page_file, hostile_page):
        opened = Reader(browser, path, width, scheme)
        for closed in opened.page.locator("details").all():
            closed.evaluate("element => element.open = true")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert not opened.errors
        opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(browser: Browser, page_file: Path, hostile_page: Path, scheme: str) -> None:
    for path in (page_file, hostile_page):
        opened = Reader(browser, path, 360, scheme)
        found = Axe().run(opened.page)
        assert found.response["passes"]
        assert not found.response["violations"], found.generate_report()
        opened.context.close()


def test_markup_in_names_runs_nothing(browser: Browser, hostile_page: Path) -> None:
    opened = Reader(browser, hostile_page)
    opened.page.select_option("#chart-image", HOSTILE)
    opened.page.focus("#plot")
    opened.page.keyboard.press("ArrowRight")
    assert HOSTILE in opened.text("#readout")
    assert opened.page.locator("img, main i, main u").count() == 0
    assert not opened.errors
    opened.context.close()
