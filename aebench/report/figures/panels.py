"""Rate-distortion curves of many images, as small multiples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aebench.analysis.curves import RdCurve
from aebench.analysis.rows import failures
from aebench.report.figures.curves import draw
from aebench.report.figures.frame import Frame, finite, frame_of
from aebench.report.figures.look import WIDE, NothingToDrawError, below, drawing, log_axis, look, shortened
from aebench.report.layout import count, some

if TYPE_CHECKING:
    from aebench.analysis.run import Run

MOST_PANELS: Final = 24
_ACROSS: Final = 4


def rd_images_figure(run: Run, metric: str = "psnr_rgb") -> Figure:
    """Draw the curves of each image in a panel of its own, in one frame; of many images a sample, evenly by name.

    Raises
    ------
    ResultsError
        If there is no such metric.
    NothingToDrawError
        If the run holds no curve.
    """
    curves = run.rd_curves(metric)
    images = sorted(curves.images)
    shown = evenly(images, MOST_PANELS)
    if not shown:
        raise NothingToDrawError(f"no image has {curves.metric.label} at any setting")
    frame = frame_of(curve for image in shown for curve in curves.images[image].values())
    across = min(_ACROSS, len(shown))
    down = -(-len(shown) // across)
    label = f"{curves.metric.label} ({curves.metric.unit})" if curves.metric.unit else curves.metric.label
    with look():
        figure = drawing(WIDE, 0.5 + 1.45 * down, f"Rate and {curves.metric.label} of {count(len(shown), 'image')}")
        grid = list(figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flat)
        entries: dict[str, Artist] = {}
        for axes, image in zip(grid, shown, strict=False):
            handles = draw(axes, curves.images[image], run.variants, markersize=2.5, linewidth=0.9)
            entries |= {str(handle.get_label()): handle for handle in handles}
            axes.set_title(shortened(image, 24), fontsize=8)
            log_axis(axes, "x", *frame.rates, most=30)
            axes.set_ylim(*frame.qualities)
        _finish_grid(grid, len(shown), across)
        for axes in grid[: len(shown) : across]:
            axes.set_ylabel(label, fontsize=8)
        seen = [curve for image in shown for curve in curves.images[image].values()]
        below(figure, _ordered(entries, run.variants), _panel_notes(run, images, shown, seen, frame))
    return figure


def evenly(names: Sequence[str], most: int) -> list[str]:
    """Take at most so many of some names, evenly spaced, the first and the last among them."""
    if len(names) <= most:
        return list(names)
    return [names[round(i * (len(names) - 1) / max(most - 1, 1))] for i in range(most)]


def _finish_grid(grid: Sequence[Axes], used: int, across: int) -> None:
    """Remove the panels that no image fills, and label the lowest of each column."""
    for axes in grid[used:]:
        axes.remove()
    for axes in grid[max(used - across, 0) : used]:
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.set_xlabel("bits per pixel", fontsize=8)


def _ordered(entries: Mapping[str, Artist], variants: Sequence[str]) -> list[Artist]:
    return [entries[variant] for variant in variants if variant in entries]


def _panel_notes(
    run: Run, images: Sequence[str], shown: Sequence[str], seen: Sequence[RdCurve], frame: Frame
) -> Iterator[str]:
    if len(shown) < len(images):
        yield f"{len(shown)} of {len(images)} images, evenly spaced by name."
    failed = len(failures(run.rows))
    if failed:
        yield f"{count(failed, 'measurement')} of the run failed and {'is' if failed == 1 else 'are'} missing here."
    points = [(curve, bpp, quality) for curve in seen for bpp, quality in finite(curve)]
    beyond = sorted({curve.variant for curve, bpp, quality in points if not frame.holds(bpp, quality)})
    if beyond:
        total = sum(not frame.holds(bpp, quality) for _, bpp, quality in points)
        yield f"{count(total, 'point')} beyond the frame, of {some(beyond)}."
    lossless = sum(len(curve.bpp) - len(list(finite(curve))) for curve in seen)
    if lossless:
        yield f"{count(lossless, 'lossless point')} without a place on this axis."
