"""What all figures share: fonts, sizes, the legend and the notes below. Nothing here changes matplotlib's global state.

Figures are made as `Drawing` objects, not through pyplot, so that they need neither a display nor a backend.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Literal

import numpy as np
from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from aebench.errors import ResultsError
from aebench.report.layout import printable
from aebench.report.style import Style

NARROW: Final = 5.0
WIDE: Final = 7.2
"""Widths in inches, of which text stays readable in print at 3.4 and at 7 inches: one and two columns of a paper."""

DPI: Final = 160
NOTE_SIZE: Final = 7.0
_FONT: Final = "DejaVu Sans"
_LINE: Final = 1.25
_EDGE: Final = 6.0
_LEGEND_SIZE: Final = 8.0
_INCH: Final = 72.0
_MOST_NAME: Final = 40

GREY: Final = "#767676"
INK: Final = "#222222"

_SETTINGS: Final[dict[str, Any]] = {
    "font.family": _FONT,  # the one that matplotlib brings
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": _LEGEND_SIZE,
    "legend.frameon": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "text.parse_math": False,  # a dollar in a file's name is a dollar
    "svg.fonttype": "none",
    "svg.hashsalt": "aebench",
}


class NothingToDrawError(ResultsError):
    """A figure for which a run holds no numbers; the message says what is missing and how to get it."""


class Drawing(Figure):
    """A figure that shows itself in a notebook, whether pyplot was imported or not."""

    def _repr_png_(self) -> bytes:
        from aebench.report.figures.saving import png

        return png(self)


def look() -> AbstractContextManager[None]:
    """Set matplotlib up for a figure, whatever the reader's own settings are; they are back afterwards."""
    return style.context(["default", _SETTINGS])


def drawing(width: float, height: float, title: str) -> Drawing:
    """Make an empty figure, in inches, with the text by which it is known to who cannot see it."""
    figure = Drawing(figsize=(width, height), layout="constrained")
    figure.set_label(printable(title))
    return figure


def line_style(look: Style) -> dict[str, Any]:
    """Return what `Axes.plot` takes to draw a variant."""
    dashes = (0, look.dashes) if look.dashes else "-"
    return {**point_style(look), "linestyle": dashes, "dash_capstyle": "butt"}


def point_style(look: Style) -> dict[str, Any]:
    """Return what `Axes.plot` takes to draw a variant's points alone."""
    return {
        "color": look.light, "marker": look.marker, "linestyle": "none", "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }  # fmt: skip


def mark(label: str, **how: Any) -> Line2D:
    """Make an entry of a legend."""
    return Line2D([], [], label=label, **how)


def below(figure: Figure, entries: Sequence[Artist], notes: Iterable[str]) -> None:
    """Put a legend below the axes and notes below that, and give the axes the rest of the figure, which grows by them.

    Parameters
    ----------
    figure : Figure
    entries : sequence of Artist
        Each with its label.
    notes : iterable of str
        Sentences; empty ones are left out.
    """
    width, height = figure.get_size_inches()
    lines = [line for text in notes if text for line in _wrapped(printable(text), width * _INCH - 2 * _EDGE)]
    labels = [folded(str(entry.get_label())) for entry in entries]
    columns, legend_height = _columns(labels, width * _INCH)
    text_height = len(lines) * NOTE_SIZE * _LINE + _EDGE if lines else 0.0
    height += (text_height + legend_height) / _INCH
    figure.set_size_inches(width, height)
    foot = text_height / (height * _INCH)
    bottom = (text_height + legend_height) / (height * _INCH)
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, bottom, 1, 1 - bottom)))
    if entries:
        legend = figure.legend(
            handles=list(entries), labels=labels, loc="lower center", ncols=columns, bbox_to_anchor=(0.5, foot),
            handlelength=3.0, borderaxespad=0.2, columnspacing=1.4, labelspacing=0.4,
        )  # fmt: skip
        legend.set_in_layout(False)
    if lines:
        figure.text(
            _EDGE / (width * _INCH), 0.6 * _EDGE / (height * _INCH), "\n".join(lines), fontsize=NOTE_SIZE, color=INK,
            va="bottom", linespacing=_LINE,
        )  # fmt: skip


def folded(name: str, most: int = _MOST_NAME) -> str:
    """Break a long name into lines, after a comma or a bracket where it has one."""
    lines = [""]
    for part in re.findall(r"[^,\[]*[,\[]|[^,\[]+$", printable(name)):
        for piece in textwrap.wrap(part, most) or [part]:
            if lines[-1] and len(lines[-1]) + len(piece) > most:
                lines.append("")
            lines[-1] += piece
    return "\n".join(lines)


def shortened(name: str, most: int) -> str:
    """Leave the middle of a long name out."""
    name = printable(name)
    return name if len(name) <= most else f"{name[: most // 2]}…{name[len(name) - (most - most // 2 - 1) :]}"


def log_axis(axes: Axes, name: Literal["x", "y"], low: float, high: float, most: float = 1000.0) -> None:
    """Make an axis logarithmic, with plain numbers: at 1, 2 and 5, or at powers of ten alone where it spans `most`."""
    dense = high / low < most
    if name == "x":
        axes.set_xscale("log")
        axes.set_xlim(low, high)
    else:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
    axis: Axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if dense else (1,), numticks=20 if dense else 8))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_locator(NullLocator() if dense else LogLocator(subs=(2, 5), numticks=20))
    axis.set_minor_formatter(NullFormatter())


def _plain(value: float, _: float | None = None) -> str:
    return f"{value:g}"


def _columns(labels: Sequence[str], points: float) -> tuple[int, float]:
    """Choose the columns of a legend that fit, and tell how high it then is, in points."""
    if not labels:
        return 1, 0.0
    widest = max(_width(line, _LEGEND_SIZE) for label in labels for line in label.split("\n"))
    columns = max(1, min(len(labels), int(points // (widest + _LEGEND_SIZE * 5.4))))
    heights = [label.count("\n") * 1.25 + 1.6 for label in labels]
    shares = np.array_split(heights, columns)  # as matplotlib shares them out
    return columns, float(max(share.sum() for share in shares)) * _LEGEND_SIZE + _EDGE


def _wrapped(text: str, points: float) -> list[str]:
    """Break a paragraph into lines no wider than so many points."""
    characters = int(0.93 * points * len(text) / _width(text, NOTE_SIZE))  # lines are not all of average width
    return textwrap.wrap(text, max(characters, 20))


def _width(text: str, size: float) -> float:
    """Measure a line in points."""
    font = FontProperties(family=_FONT, size=size)
    width: float = TextToPath().get_text_width_height_descent(text or " ", font, ismath=False)[0]
    return width
