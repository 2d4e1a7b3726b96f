"""Figures as files: PNG to look at, SVG with its text as text. The same figure gives the same bytes."""

from __future__ import annotations

import io
import warnings
from typing import Any

from matplotlib.figure import Figure

from aebench.report.figures.look import DPI, look
from aebench.storage import Place, write_file


def save(figure: Figure, folder: Place, name: str) -> list[Place]:
    """Write a figure as ``name.png`` and ``name.svg``.

    Raises
    ------
    ResultsError
        If a file cannot be written.
    """
    paths: list[Place] = []
    for suffix, content in (("png", png(figure)), ("svg", svg(figure))):
        path = folder / f"{name}.{suffix}"
        write_file(path, content)
        paths.append(path)
    return paths


def png(figure: Figure) -> bytes:
    """Draw a figure as PNG, its title in the metadata."""
    return _drawn(figure, "png", {"Title": str(figure.get_label())})


def svg(figure: Figure) -> bytes:
    """Draw a figure as SVG whose ``title`` says what it shows, without the date."""
    return _drawn(figure, "svg", {"Title": str(figure.get_label()), "Date": None})


def _drawn(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    with look(), warnings.catch_warnings():
        # an image's name may be in a script that the font lacks; SVG still shows it
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(file, format=kind, dpi=DPI, metadata=metadata)
    return file.getvalue()
