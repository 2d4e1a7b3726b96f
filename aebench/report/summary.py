"""What a run's rows say of each setting: pure functions on the table of rows.

A mean is always taken over the images that every compared setting coded, so that no codec gains by failing on a
difficult image; how many images that leaves out is part of every result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]

_LATER_THAN_ANY = 2**62
"""Microseconds since 1970, as an int64."""


@dataclass(frozen=True)
class Basis:
    """The images over which means are taken.

    Attributes
    ----------
    images : frozenset of str
        Coded at every compared setting.
    left_out : tuple of str
        The others, sorted.
    uncoded : tuple of str
        Settings that coded no image at all. They are not compared: they would leave no image.
    """

    images: frozenset[str]
    left_out: tuple[str, ...]
    uncoded: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """One setting over the images of a `Basis`.

    `coded` and `failed` count all images. The rest are means over the basis, or the median and the smallest value of
    PSNR: rates in bits per pixel, PSNR in dB (infinite as soon as one image is lossless), CPU seconds an image.
    Where the setting coded nothing, or a metric is undefined on every image, they are NaN, and
    `worst_image` is empty where all are lossless.
    """

    codec: str
    setting: str
    coded: int
    failed: int
    bpp: float
    psnr_rgb: float
    psnr_rgb_median: float
    psnr_rgb_worst: float
    worst_image: str
    psnr_y: float
    ms_ssim: float
    ms_ssim_undefined: int
    encode_cpu_seconds: float
    decode_cpu_seconds: float


def latest(rows: pa.Table) -> pa.Table:
    """Keep one row of every (image, setting): a success before a failure, then the newest by `time`."""
    succeeded = pc.is_null(rows["error"]).cast(pa.int64())
    microseconds = pc.fill_null(rows["time"].cast(pa.int64()), 0)
    priority = pc.add(pc.multiply(succeeded, _LATER_THAN_ANY), microseconds)
    ranked = rows.append_column("priority", priority).sort_by("priority")
    ranked = ranked.append_column("rank", pa.array(np.arange(len(ranked))))
    best = ranked.group_by(["image", "setting"]).aggregate([("rank", "max")])["rank_max"]
    return ranked.filter(pc.is_in(ranked["rank"], best.combine_chunks())).drop_columns(["priority", "rank"])


def coded(rows: pa.Table) -> pa.Table:
    """Keep the rows that are measurements, not failures."""
    return rows.filter(pc.is_null(rows["error"]))


def failures(rows: pa.Table) -> pa.Table:
    """Keep the rows that are failures."""
    return rows.filter(pc.is_valid(rows["error"]))


def image_names(rows: pa.Table) -> list[str]:
    """Name every image of the rows, sorted."""
    return sorted(rows["image"].unique().to_pylist())


def codec_order(rows: pa.Table, default_settings: Mapping[str, str]) -> list[str]:
    """Name every codec of the rows: first those of the job, in its order, then the others."""
    codecs = set(rows["codec"].unique().to_pylist())
    return [*(name for name in default_settings if name in codecs), *sorted(codecs - set(default_settings))]


def of_settings(rows: pa.Table, settings: Iterable[str]) -> pa.Table:
    """Keep the rows of some settings."""
    return rows.filter(pc.is_in(rows["setting"], pa.array(settings, pa.string())))


def basis(rows: pa.Table) -> Basis:
    """Find the images that all settings of the rows coded, settings that coded nothing left aside.

    Parameters
    ----------
    rows : pyarrow.Table
        As `latest` leaves them.
    """
    successes = coded(rows)
    compared = set(successes["setting"].unique().to_pylist())
    counts = successes["image"].value_counts()
    images = frozenset(count["values"].as_py() for count in counts if count["counts"].as_py() == len(compared))
    return Basis(
        images,
        tuple(name for name in image_names(rows) if name not in images),
        tuple(sorted(set(rows["setting"].unique().to_pylist()) - compared)),
    )


def summarise(rows: pa.Table, over: Basis) -> list[Summary]:
    """Summarise every setting of the rows.

    Parameters
    ----------
    rows : pyarrow.Table
        As `latest` leaves them.
    over : Basis
        The images over which means are taken.
    """
    in_basis = coded(rows.filter(pc.is_in(rows["image"], pa.array(over.images, pa.string())))).sort_by("setting")
    size = len(over.images)
    # every compared setting has one row for each image of the basis
    starts = {name: size * i for i, name in enumerate(in_basis["setting"].to_pylist()[:: max(size, 1)])}
    counts = rows.append_column("failed", pc.is_valid(rows["error"]).cast(pa.int64()))
    counts = counts.group_by(["codec", "setting"]).aggregate([("failed", "sum"), ("failed", "count")])
    summaries = []
    for count in counts.to_pylist():
        failed = count["failed_sum"]
        found = in_basis.slice(starts.get(count["setting"], 0), size if count["setting"] in starts else 0)
        summaries.append(_summary(found, count["codec"], count["setting"], count["failed_count"] - failed, failed))
    return summaries


def mean(values: Collection[float] | Floats) -> float:
    """Average; infinite as soon as one value is, NaN for no values."""
    return float(np.mean(np.asarray(values, float))) if len(values) else float("nan")


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


def _summary(rows: pa.Table, codec: str, setting: str, coded: int, failed: int) -> Summary:
    """Summarise the rows of one setting in the basis."""
    psnr, ms_ssim = _floats(rows, "psnr_rgb"), _floats(rows, "ms_ssim")
    worst = int(np.argmin(psnr)) if len(psnr) else None
    return Summary(
        codec=codec,
        setting=setting,
        coded=coded,
        failed=failed,
        bpp=mean(_floats(rows, "bpp")),
        psnr_rgb=mean(psnr),
        psnr_rgb_median=float(np.median(psnr)) if len(psnr) else float("nan"),
        psnr_rgb_worst=float("nan") if worst is None else float(psnr[worst]),
        worst_image="" if worst is None or np.isinf(psnr[worst]) else rows["image"][worst].as_py(),
        psnr_y=mean(_floats(rows, "psnr_y")),
        ms_ssim=mean(ms_ssim[~np.isnan(ms_ssim)]),
        ms_ssim_undefined=int(np.isnan(ms_ssim).sum()),
        encode_cpu_seconds=mean(_floats(rows, "encode_cpu_seconds")),
        decode_cpu_seconds=mean(_floats(rows, "decode_cpu_seconds")),
    )


def _floats(rows: pa.Table, column: str) -> Floats:
    """Return a column, nulls as NaN."""
    return np.asarray(rows[column].to_numpy(), dtype=np.float64)
