"""What ``aebench export`` writes: all rows as CSV, or every variant's mean curve in CompressAI's JSON format."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from aebench.analysis.curves import METRICS, RdCurve
from aebench.analysis.published import Published, published_json
from aebench.analysis.rows import coded, of_settings
from aebench.analysis.run import Run
from aebench.errors import ResultsError
from aebench.storage import Place, place, write_file

_TIMES: Final = ("encode_seconds", "decode_seconds")


def write_csv(run: Run, path: str | Place | None) -> None:
    """Write every row with a head: text in quotes, null as nothing, infinity as ``inf``, times as ISO 8601 in UTC.

    Parameters
    ----------
    run : Run
    path : path or URI, optional
        The file; standard output if there is none.

    Raises
    ------
    ResultsError
        If the file cannot be written.
    """
    if path is None:
        pa.csv.write_csv(run.rows, sys.stdout.buffer)
        return
    file = pa.BufferOutputStream()
    pa.csv.write_csv(run.rows, file)
    write_file(place(path), file.getvalue().to_pybytes())


def write_compressai(run: Run, folder: str | Place) -> tuple[list[Place], list[str]]:
    """Write one file for each variant that has a mean curve.

    Returns
    -------
    paths : list of Path or RemotePath
        What was written, in the order of the variants.
    notes : list of str
        What was left out, and why.

    Raises
    ------
    ResultsError
        If there is no mean curve to write, or the folder cannot be written to.
    """
    curves, notes = published_curves(run)
    if not curves:
        raise ResultsError("; ".join([f"{run.name} has no mean curve to export", *notes]))
    paths: list[Place] = []
    for curve in curves:
        paths.append(place(folder) / f"{quote(curve.name, safe='[]=,:')}.json")
        write_file(paths[-1], published_json(curve).encode())
    return paths, notes


def published_curves(run: Run) -> tuple[list[Published], list[str]]:
    """Make every variant's mean curve ready to be published.

    Means are over the images that every setting of the run coded. Settings of infinite PSNR are left out, as the
    format has no infinity, and so is a metric that is undefined on some of these images.

    Returns
    -------
    curves : list of Published
        In the order of the variants.
    notes : list of str
        What was left out, and why.
    """
    curves, notes = [], []
    for variant in run.variants:
        curve = run.rd_curves().means.get(variant)
        if curve is None:
            notes.append(f"{variant} is left out: it coded no image")
            continue
        psnr = _means(run, variant, "psnr_rgb")
        finite = [setting for setting in psnr if math.isfinite(psnr[setting])]
        if len(finite) < len(psnr):
            notes.append(
                f"{variant}: {len(psnr) - len(finite)} of {len(psnr)} settings are left out, which are lossless"
            )
        if finite:
            metrics = [column for column in run.metrics if _means(run, variant, column).keys() >= set(finite)]
            labels = [METRICS[column].label for column in run.metrics if column not in metrics]
            notes += [f"{variant}: {label} is left out, which not every image has" for label in labels]
            curves.append(_published(run, curve, finite, metrics))
    return curves, notes


def _means(run: Run, variant: str, column: str) -> dict[str, float]:
    """Map settings to their mean; nothing where it would be over other images than that of PSNR."""
    curves = run.rd_curves(column)
    if variant not in curves.means or curves.basis.images != run.rd_curves().basis.images:
        return {}
    return dict(zip(curves.means[variant].settings, curves.means[variant].values, strict=True))


def _published(run: Run, curve: RdCurve, settings: Sequence[str], metrics: Sequence[str]) -> Published:
    """Put the means of some settings of a variant together, with those of the times, and say where they come from."""
    images = run.rd_curves().basis.images
    rows = coded(of_settings(run.rows, settings))
    rows = rows.filter(pc.is_in(rows["image"], pa.array(images, pa.string())))
    times = {
        row["setting"]: row
        for row in rows.group_by("setting").aggregate([(column, "mean") for column in _TIMES]).to_pylist()
    }
    seconds = {column: tuple(times[setting][f"{column}_mean"] for setting in settings) for column in _TIMES}
    rates = dict(zip(curve.settings, curve.bpp, strict=True))
    values = {column: _means(run, curve.variant, column) for column in metrics}
    versions = ", ".join(sorted(rows["codec_version"].unique().to_pylist()))
    return Published(
        curve.variant,
        f"{versions}; means over {len(images)} image{'s' * (len(images) != 1)}, measured by aebench",
        tuple(rates[setting] for setting in settings),
        {column: tuple(means[setting] for setting in settings) for column, means in values.items()},
        {column: times for column, times in seconds.items() if None not in times},
    )
