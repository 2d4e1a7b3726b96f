"""The paper's figure 6: training and validation loss by epoch, of every network that was trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aebench.report.figures.look import INK, NARROW, NothingToDrawError, below, drawing, folded, log_axis, look, mark
from aebench.report.layout import count

if TYPE_CHECKING:
    from aebench.analysis.run import Run

_TRAINING: Final[dict[str, Any]] = {"color": "#0072b2", "marker": "o", "linestyle": "-"}
_VALIDATION: Final[dict[str, Any]] = {"color": "#d55e00", "marker": "s", "linestyle": (0, (5, 2))}
_BEST: Final[dict[str, Any]] = {
    "marker": "o",
    "color": "none",
    "markeredgecolor": INK,
    "markersize": 9.0,
    "linestyle": "none",
}
_MOST_MARKERS: Final = 40
_ALONE, _AMONG_OTHERS = 3.1, 2.3
"""Height in inches of the axes of a network."""


def training_figure(run: Run) -> Figure:
    """Draw both losses of every epoch on a logarithmic axis, and mark the epoch whose weights are kept.

    Networks stand below each other: their losses are not of one kind.

    Raises
    ------
    NothingToDrawError
        If the run trained nothing.
    """
    if not run.trainings:
        raise NothingToDrawError("the run trained nothing, so that there is no training curve")
    with look():
        height = _ALONE if len(run.trainings) == 1 else _AMONG_OTHERS * len(run.trainings)
        figure = drawing(NARROW, height, "Training and validation loss by epoch")
        grid = figure.subplots(len(run.trainings), squeeze=False)[:, 0]
        drawn = [_draw(axes, *training) for axes, training in zip(grid, run.trainings.items(), strict=True)]
        grid[-1].set_xlabel("epoch")
        entries = max(drawn, key=len)  # a training whose losses are all infinite has no best epoch
        known = len(entries) > 2
        below(figure, entries, ["Best is the smallest validation loss; its weights are kept."] if known else [])
    return figure


def _draw(axes: Axes, network: str, epochs: pa.Table) -> list[Artist]:
    """Draw the curves of a network; return the entries of the legend."""
    numbers, training, validation = (
        epochs[column].to_pylist() for column in ("epoch", "train_loss", "validation_loss")
    )
    size: dict[str, Any] = {"markersize": 3.5 if len(numbers) <= _MOST_MARKERS else 0.0}
    axes.plot(numbers, training, label="training", **_TRAINING, **size)
    axes.plot(numbers, validation, label="validation", **_VALIDATION, **size)
    entries: list[Artist] = [mark("training", **_TRAINING, **size), mark("validation", **_VALIDATION, **size)]
    steps, workers = epochs["step"][-1].as_py(), epochs["workers"][-1].as_py()
    said = f"{count(len(numbers), 'epoch')}, {count(steps, 'step')}, {count(workers, 'worker')}"
    known = [(loss, epoch) for epoch, loss in zip(numbers, validation, strict=True) if math.isfinite(loss)]
    if known:
        loss, epoch = min(known)
        axes.plot([epoch], [loss], label="best", **_BEST)
        entries.append(mark("best", **_BEST))
        said += f", best epoch {epoch} ({loss:.3g})"
    losses = [loss for loss in (*training, *validation) if loss and 0 < loss < math.inf]
    if losses:
        log_axis(axes, "y", min(losses) / 1.2, max(losses) * 1.2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_ylabel("loss (logarithmic)")
    axes.set_title(f"{folded(network)}\n{said}")
    return entries
