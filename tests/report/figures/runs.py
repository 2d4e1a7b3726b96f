"""Runs whose figures the tests draw, and what is read off them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from aebench.analysis.run import Run
from tests.report.helpers import row, write

RATES = (0.1, 0.2, 0.4, 0.8, 1.6)


def curve(image: str, variant: str, gain: float = 0.0, rates: Sequence[float] = RATES) -> list[dict[str, Any]]:
    """Make the rows of a variant on one image: 5 dB for every doubling of the rate, and a little of the image's own."""
    own = sum(map(ord, image)) % 7 / 5
    return [
        row(
            image, f"{variant}:{i}", 26 + own + gain + 5 * math.log2(rate / 0.1), rate * (1 + own / 10),
            variant=variant, codec=variant.partition("[")[0], ms_ssim=1 - 0.2 / (1 + 9 * rate),
        )
        for i, rate in enumerate(rates)
    ]  # fmt: skip


def psnr_only(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave the other metrics out of rows, whose figures are alike."""
    return [{**made, "psnr_y": None, "psnr_yuv": None, "ms_ssim": None} for made in rows]


def epoch(number: int, training: float, validation: float, network: str = "paper") -> dict[str, Any]:
    """Make an epoch."""
    return {
        "network": network, "epoch": number, "step": 100 * number, "train_loss": training,
        "validation_loss": validation, "validation_psnr": 20.0, "learning_rate": 1e-3, "seconds": 1.0,
        "cpu_seconds": 2.0, "workers": 2, "crops": 800,
    }  # fmt: skip


def run_of(folder: Path, *curves: list[dict[str, Any]], epochs: Iterable[dict[str, Any]] = (), **info: Any) -> Run:
    """Write a run of some rows and epochs, and read it."""
    run = write(folder, [made for rows in curves for made in rows], **info)
    for made in epochs:
        run.append_epoch(made)
    return Run(run)


def line(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    """Return the data of the one line so labelled."""
    (found,) = (line for line in axes.get_lines() if line.get_label() == label)
    return list(map(float, found.get_xdata())), list(map(float, found.get_ydata()))


def texts(figure: Figure) -> str:
    """Return everything written on a figure, on one line."""
    found = [text.get_text() for text in figure.findobj(match=_is_text)]
    return " ".join(" ".join(found).split())


def misplaced(figure: Figure) -> list[str]:
    """List the parts of a figure that reach out of it, and what at its foot lies on another part."""
    FigureCanvasAgg(figure).draw()
    page = figure.bbox.padded(1)
    foot = [*figure.legends, *figure.texts]
    boxes = [(str(part), part.get_window_extent()) for part in foot]
    boxes += [(str(axes), axes.get_tightbbox()) for axes in figure.axes]
    outside = [
        name for name, box in boxes if min(box.x0 - page.x0, page.x1 - box.x1, box.y0 - page.y0, page.y1 - box.y1) < 0
    ]
    return outside + [
        f"{name} on {other}"
        for i, (name, box) in enumerate(boxes[: len(foot)])
        for other, body in boxes[i + 1 :]
        if box.padded(-1).overlaps(body)
    ]


def _is_text(artist: Any) -> bool:
    return isinstance(artist, Text)
