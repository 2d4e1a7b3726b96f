"""The paper's table at exactly one rate, or one quality, read off every codec's own curve image by image."""

from __future__ import annotations

import math

from rich.console import Console

from aebench.analysis.matched import Matched
from aebench.analysis.run import Run
from aebench.report.columns import Column, head, show_columns, shown_images, shown_note
from aebench.report.layout import basis_note, note, number, title
from aebench.report.refusals import matched_refusals


def show_at_rate(run: Run, console: Console) -> None:
    """Print every variant's PSNR-RGB at one rate in bits per pixel."""
    matched = run.at_rate()
    title(console, f"Every codec at exactly {matched.target:.4g} bpp: PSNR-RGB in dB, interpolated")
    _show(matched, 2, console)


def show_at_quality(run: Run, console: Console) -> None:
    """Print every variant's rate at one PSNR-RGB in dB."""
    matched = run.at_quality()
    title(console, f"Every codec at exactly {matched.target:.4g} dB PSNR-RGB: bits per pixel, interpolated")
    _show(matched, 3, console)


def _show(matched: Matched, decimals: int, console: Console) -> None:
    """Print a row an image and a column a variant; those that reach the target nowhere stand in the notes."""
    variants = [variant for variant in matched.means if variant not in matched.basis.uncoded]
    if variants:
        images = shown_images(matched.images, matched.ranked())

        def column(variant: str) -> Column:
            cells = [number(matched.cells.get((image, variant), math.nan), decimals) for image in images]
            return Column(head(variant), tuple(cells), number(matched.means[variant], decimals))

        names = Column("image", tuple(images), f"mean of {len(matched.basis.images)}")
        show_columns(names, console, [[column(variant)] for variant in variants])
        note(console, basis_note(matched.basis, "on which all codecs shown reach it"))
        note(console, shown_note(matched.images, images))
    for text in matched_refusals(matched):
        note(console, text)
