"""The paper's figure 8: quality by image and codec, at one rate, and beside it at the default settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aebench.analysis.comparison import Comparison, compare
from aebench.analysis.matched import Matched
from aebench.analysis.selection import chosen_defaults
from aebench.analysis.summary import mean
from aebench.report.figures.look import (
    GREY,
    WIDE,
    NothingToDrawError,
    below,
    drawing,
    look,
    mark,
    point_style,
    shortened,
)
from aebench.report.layout import count, some
from aebench.report.style import Style, styles

if TYPE_CHECKING:
    from aebench.analysis.run import Run

_MOST_NAMED: Final = 30


def by_image_figure(run: Run, bpp: float | None = None) -> Figure:
    """Draw PSNR-RGB by image: each variant read off its curves at one rate, and each codec's default setting.

    Parameters
    ----------
    run : Run
    bpp : float, optional
        Bits per pixel; by default the rate that most variants reach (`Run.at_rate`).

    Raises
    ------
    NothingToDrawError
        If nothing was coded.
    """
    if not run.rd_curves().images:
        raise NothingToDrawError("no image was coded, so that there is no PSNR by image")
    matched = run.at_rate(bpp)
    settings, _ = chosen_defaults(run.summaries, run.default_settings)
    defaults = compare(run.rows, {codec: settings[codec] for codec in run.codecs})
    images = _ranked(matched)
    looks = styles(run.variants)
    defaults_looks = _default_looks(run, defaults, looks)
    with look():
        figure = drawing(
            WIDE, 3.2, f"PSNR-RGB by image at {matched.target:g} bits per pixel: {', '.join(run.variants)}"
        )
        left, right = figure.subplots(1, 2, sharey=True)
        for variant in run.variants:
            values = [matched.cells.get((image, variant), math.nan) for image in images]
            _draw(left, variant, values, looks[variant])
        for setting, style in defaults_looks.items():
            cells = [defaults.cells.get((image, setting)) for image in images]
            _draw(right, setting, [cell.psnr if cell else math.nan for cell in cells], style)
        if not matched.cells:
            left.text(0.5, 0.5, "no curve reaches it", transform=left.transAxes, ha="center", color=GREY)
        left.set_title(f"all at {matched.target:g} bpp, interpolated")
        right.set_title("default settings: rates differ")
        left.set_ylabel("PSNR-RGB (dB)")
        left.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
        for axes in (left, right):
            _name_images(axes, images)
        entries = [mark(variant, **_look(looks[variant])) for variant in run.variants]
        below(figure, entries, _notes(matched, defaults))
    return figure


def _draw(axes: Axes, name: str, values: Sequence[float], style: Style) -> None:
    finite = [value if math.isfinite(value) else math.nan for value in values]
    size = {"markersize": 4.5 if len(finite) <= _MOST_NAMED else 3.0}
    axes.plot(range(len(finite)), finite, label=name, **{**_look(style), **size})


def _look(style: Style) -> dict[str, Any]:
    return {**point_style(style), "linestyle": (0, style.dashes) if style.dashes else "-", "linewidth": 0.5}


def _ranked(matched: Matched) -> list[str]:
    """Order images by the mean of what the variants reach on them, as far as they are comparable; else by name."""
    if len(matched.images) <= _MOST_NAMED:
        return list(matched.images)

    values: dict[str, list[float]] = {}
    for (image, _), value in matched.cells.items():
        values.setdefault(image, []).append(value)
    return sorted(matched.images, key=lambda image: mean(values[image]) if image in values else math.inf)


def _default_looks(run: Run, defaults: Comparison, looks: Mapping[str, Style]) -> dict[str, Style]:
    """Give each codec's default setting the look of the variant that it belongs to."""
    pairs = run.rows.select(["setting", "variant"]).group_by(["setting", "variant"]).aggregate([]).to_pylist()
    variants = {pair["setting"]: pair["variant"] for pair in pairs}
    return {summary.setting: looks[variants[summary.setting]] for summary in defaults.summaries}


def _name_images(axes: Axes, images: Sequence[str]) -> None:
    axes.margins(x=0.03)
    axes.grid(visible=False, axis="x")
    if len(images) <= _MOST_NAMED:
        axes.set_xticks(
            range(len(images)),
            [shortened(image.rpartition(".")[0] or image, 18) for image in images],
            rotation=90,
            fontsize=7,
        )
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(images)} images, by rising PSNR")


def _notes(matched: Matched, defaults: Comparison) -> list[str]:
    """Say who does not reach the rate, and at which rates the default settings are."""
    over = matched.basis
    reached = len(matched.images) - len(over.left_out)
    rates = [f"{s.setting} {s.bpp:.3g} bpp" for s in defaults.summaries if math.isfinite(s.bpp)]
    lossless = [s.setting for s in defaults.summaries if any(
        math.isinf(cell.psnr) for (_, setting), cell in defaults.cells.items() if setting == s.setting
    )]  # fmt: skip
    return [
        f"{reached} of {count(len(matched.images), 'image')} reach {matched.target:g} bpp with every variant drawn; "
        "nothing is extrapolated."
        if over.uncoded != tuple(matched.means)
        else "",
        f"On no image at {matched.target:g} bpp: {some(over.uncoded)}." if over.uncoded else "",
        f"Mean rates of the default settings: {', '.join(rates)}." if rates else "",
        f"Lossless somewhere, without a place on this axis: {some(lossless)}." if lossless else "",
    ]
