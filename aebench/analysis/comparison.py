"""One setting of each codec side by side, image by image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aebench.analysis.rows import Basis, basis, image_names, of_settings
from aebench.analysis.summary import Summary, mean, summarise


@dataclass(frozen=True)
class Cell:
    """One image at one setting: PSNR-RGB in dB, infinite if lossless, and bits per pixel; NaN where coding failed."""

    psnr: float
    bpp: float


@dataclass(frozen=True)
class Comparison:
    """One setting of each of some codecs, image by image.

    Attributes
    ----------
    summaries : tuple of Summary
        Of each codec's setting, over `basis`.
    images : tuple of str
        Every image of the run.
    cells : dict
        (image, setting) to `Cell`; what was not measured is absent.
    basis : Basis
    """

    summaries: tuple[Summary, ...]
    images: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]
    basis: Basis

    def ranked(self) -> list[str]:
        """Order the images of the basis by PSNR, averaged over the codecs that are not lossless on the image."""

        def average(image: str) -> float:
            values = [self.cells[image, summary.setting].psnr for summary in self.summaries if summary.coded]
            finite = [value for value in values if np.isfinite(value)]
            return mean(finite) if finite else float("inf")

        return sorted(sorted(self.basis.images), key=average)


def compare(rows: pa.Table, settings: Mapping[str, str]) -> Comparison:
    """Put one setting of each codec side by side.

    Parameters
    ----------
    rows : pyarrow.Table
        As `latest` leaves them.
    settings : mapping
        Codec to setting, in the order of the columns.
    """
    chosen = of_settings(rows, settings.values())
    over = basis(chosen)
    summaries = {summary.setting: summary for summary in summarise(chosen, over)}
    columns = chosen.select(["image", "setting", "error", "psnr_rgb", "bpp"]).to_pylist()
    failed = Cell(float("nan"), float("nan"))
    cells = {
        (row["image"], row["setting"]): Cell(row["psnr_rgb"], row["bpp"]) if row["error"] is None else failed
        for row in columns
    }
    names = image_names(rows)
    left_out = tuple(name for name in names if name not in over.images)
    over = Basis(over.images, left_out, over.uncoded)
    return Comparison(tuple(summaries[setting] for setting in settings.values()), tuple(names), cells, over)
