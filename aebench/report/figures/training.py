"""The paper's figure 6: training and validation loss by epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aebench.report.figures.look import INK, NARROW, NothingToDrawError, below, drawing, log_axis, look, mark
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


def training_figure(run: Run) -> Figure:
    """Draw both losses of every epoch on a logarithmic axis, and mark the epoch whose weights are kept.

    Raises
    ------
    NothingToDrawError
        If the run trained nothing.
    """
    if not len(run.epochs):
        raise NothingToDrawError("the run trained nothing, so that there is no training curve")
    epochs, training, validation = (
        run.epochs[column].to_pylist() for column in ("epoch", "train_loss", "validation_loss")
    )
    with look():
        figure = drawing(NARROW, 2.9, "Training and validation loss by epoch")
        axes = figure.add_subplot()
        size: dict[str, Any] = {"markersize": 3.5 if len(epochs) <= _MOST_MARKERS else 0.0}
        axes.plot(epochs, training, label="training", **_TRAINING, **size)
        axes.plot(epochs, validation, label="validation", **_VALIDATION, **size)
        known = [(loss, epoch) for epoch, loss in zip(epochs, validation, strict=True) if math.isfinite(loss)]
        entries = [mark("training", **_TRAINING, **size), mark("validation", **_VALIDATION, **size)]
        if known:
            loss, epoch = min(known)
            axes.plot([epoch], [loss], label="best", **_BEST)
            entries.append(mark(f"best: epoch {epoch}, {loss:.3g}", **_BEST))
        losses = [loss for loss in (*training, *validation) if loss and 0 < loss < math.inf]
        if losses:
            log_axis(axes, "y", min(losses) / 1.2, max(losses) * 1.2)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss (logarithmic)")
        steps, workers = run.epochs["step"][-1].as_py(), run.epochs["workers"][-1].as_py()
        axes.set_title(f"{count(len(epochs), 'epoch')}, {count(steps, 'step')}, {count(workers, 'worker')}")
        below(figure, entries, ["Best is the smallest validation loss; its weights are kept."] if known else [])
    return figure
