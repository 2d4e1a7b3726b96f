"""The figures of a run, drawn with matplotlib: readable in print, and without colour vision.

All numbers are those of `aebench.analysis.run.Run`; the look of a variant is that of `aebench.report.style`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from aebench.analysis.curves import METRICS
from aebench.analysis.published import Published
from aebench.names import file_name
from aebench.report.figures.by_image import by_image_figure
from aebench.report.figures.curves import rd_figure
from aebench.report.figures.gains import bd_rate_figure
from aebench.report.figures.look import NothingToDrawError
from aebench.report.figures.panels import evenly, rd_images_figure
from aebench.report.figures.pictures import kept_images, pictures_figure
from aebench.report.figures.saving import save
from aebench.report.figures.speed import speed_figure
from aebench.report.figures.training import training_figure
from aebench.storage import Place, place

if TYPE_CHECKING:
    from aebench.analysis.run import Run

__all__ = [
    "NothingToDrawError", "bd_rate_figure", "by_image_figure", "pictures_figure", "rd_figure", "rd_images_figure",
    "speed_figure", "training_figure", "write_figures",
]  # fmt: skip

MOST_PICTURES = 4
"""Images, evenly spaced by name, whose reconstructions are shown."""


def write_figures(
    run: Run,
    folder: str | Place,
    published: Sequence[Published] = (),
    say: Callable[[str], None] = lambda sentence: None,
) -> list[Place]:
    """Draw every figure for which a run has numbers, as PNG and SVG.

    Parameters
    ----------
    run : Run
    folder : path or URI
        Where they go; it is created.
    published : sequence of Published
        Curves drawn beside the run's mean curves.
    say : callable
        Takes a sentence for every figure that is left out: what is missing, and how to get it.

    Returns
    -------
    list of Path or RemotePath
        ``rd-METRIC``, ``rd-images-METRIC`` and ``bd-rate-METRIC`` for each metric, ``training``, ``psnr-by-image``,
        ``speed`` and ``pictures-IMAGE``, each ``.png`` and ``.svg``.

    Raises
    ------
    ResultsError
        If a file cannot be written, or a kept image not be read.
    """
    paths: list[Place] = []
    destination = place(folder)
    for name, draw in _figures(run, published):
        try:
            figure = draw()
        except NothingToDrawError as reason:
            say(f"Figure {name} is left out: {reason}.")
        else:
            paths += save(figure, destination, name)
    return paths


def _figures(run: Run, published: Sequence[Published]) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Name every figure, with the function that draws it."""
    for metric in run.metrics or list(METRICS)[:1]:
        yield f"rd-{metric}", partial(rd_figure, run, metric, published=published)
        yield f"rd-images-{metric}", partial(rd_images_figure, run, metric)
        yield f"bd-rate-{metric}", partial(bd_rate_figure, run, metric)
    yield "training", partial(training_figure, run)
    yield "psnr-by-image", partial(by_image_figure, run)
    yield "speed", partial(speed_figure, run)
    kept = kept_images(run)
    stems = Counter(map(_stem, kept))
    for image in evenly(kept, MOST_PICTURES):
        name = _stem(image) if stems[_stem(image)] == 1 else image
        yield f"pictures-{file_name(name)}", partial(pictures_figure, run, image)
    if not kept:
        yield "pictures", partial(pictures_figure, run)


def _stem(image: str) -> str:
    """Leave the suffix of an image's name out."""
    return image.rpartition(".")[0] or image
