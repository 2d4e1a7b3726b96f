"""What a run's rows say of each setting: means over a `Basis`, the median, the worst image."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aebench.analysis.rows import Basis, coded

Floats = npt.NDArray[np.float64]


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
