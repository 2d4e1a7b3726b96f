"""Rate-distortion curves: of every variant of a codec on every image, and their means over the images of a `Basis`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aebench.analysis.rows import Basis, basis, coded
from aebench.analysis.summary import mean
from aebench.bdrate import Curve
from aebench.errors import ResultsError
from aebench.suggest import did_you_mean


def decibels(similarity: float) -> float:
    """Stretch a similarity towards 1 as ``-10 log10(1 - similarity)``, in dB; infinite where it is 1.

    The scale in which MS-SSIM is plotted since J. Ballé, D. Minnen, S. Singh, S. J. Hwang, N. Johnston, "Variational
    image compression with a scale hyperprior", ICLR 2018, section 4.
    """
    return -10 * math.log10(1 - similarity) if similarity < 1 else math.inf


@dataclass(frozen=True)
class Metric:
    """A column of quality.

    Attributes
    ----------
    column : str
        Of the rows.
    label : str
        What tables and axes call it.
    unit : str
        Of the scale on which curves are drawn and integrated.
    scale : callable
        From the column's value to that scale. A mean curve is the scale of the column's mean.
    """

    column: str
    label: str
    unit: str = "dB"
    scale: Callable[[float], float] = float


METRICS: Final[Mapping[str, Metric]] = {
    metric.column: metric
    for metric in (
        Metric("psnr_rgb", "PSNR-RGB"),
        Metric("psnr_y", "PSNR-Y"),
        Metric("psnr_yuv", "PSNR-YUV 6:1:1"),
        Metric("ms_ssim", "MS-SSIM", scale=decibels),
        Metric("ssimulacra2", "SSIMULACRA 2", unit=""),
    )
}
"""Every metric by its column, the most important first."""


def metric_of(column: str) -> Metric:
    """Look a metric up by its column; `ResultsError` with the nearest name if there is none."""
    if column not in METRICS:
        known = ", ".join(METRICS)
        raise ResultsError(f"there is no metric {column!r}{did_you_mean(column, METRICS)}; known: {known}")
    return METRICS[column]


@dataclass(frozen=True)
class RdCurve:
    """The settings of one variant by rising rate.

    Attributes
    ----------
    variant, codec : str
    metric : Metric
    settings : tuple of str
    bpp : tuple of float
        Bits per pixel.
    values : tuple of float
        In the unit of the metric's column.
    """

    variant: str
    codec: str
    metric: Metric
    settings: tuple[str, ...]
    bpp: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def qualities(self) -> tuple[float, ...]:
        """`values` on the metric's scale."""
        return tuple(self.metric.scale(value) for value in self.values)

    @cached_property
    def curve(self) -> Curve:
        """What BD-rate takes."""
        return Curve(self.bpp, self.qualities)


@dataclass(frozen=True)
class RdCurves:
    """All curves of a run in one metric.

    Attributes
    ----------
    metric : Metric
    basis : Basis
        Images over which `means` are taken: those for which every compared setting has the metric.
    means : dict
        Variant to its mean curve: mean rate and mean quality of every setting. Empty where the basis is.
    images : dict
        Image to variant to curve, of all that was measured.
    """

    metric: Metric
    basis: Basis
    means: dict[str, RdCurve]
    images: dict[str, dict[str, RdCurve]]

    @property
    def variants(self) -> list[str]:
        """Every variant that has a curve, in the order of `images`."""
        return list(dict.fromkeys(variant for curves in self.images.values() for variant in curves))


def rd_curves(rows: pa.Table, metric: Metric) -> RdCurves:
    """Make the curves of a run.

    Parameters
    ----------
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    metric : Metric
    """
    # a metric that is undefined on an image counts like a failure: that image is not compared
    defined = pc.and_kleene(pc.is_null(rows["error"]), pc.is_valid(rows[metric.column]))
    error = pc.if_else(defined, pa.scalar(None, pa.string()), pc.fill_null(rows["error"], "undefined"))
    over = basis(rows.set_column(rows.schema.get_field_index("error"), "error", error))
    points = coded(rows).filter(pc.is_valid(coded(rows)[metric.column]))
    points = points.select(["image", "variant", "codec", "setting", "bpp", metric.column]).to_pylist()

    images: dict[str, dict[str, list[_Point]]] = {}
    settings: dict[str, dict[str, list[_Point]]] = {}
    for point in sorted(points, key=lambda point: (point["image"], point["variant"])):
        found = _Point(point["setting"], point["codec"], point["bpp"], point[metric.column])
        images.setdefault(point["image"], {}).setdefault(point["variant"], []).append(found)
        if point["image"] in over.images:
            settings.setdefault(point["variant"], {}).setdefault(found.setting, []).append(found)
    return RdCurves(
        metric,
        over,
        {variant: _curve(variant, [_mean(own) for own in by.values()], metric) for variant, by in settings.items()},
        {image: {variant: _curve(variant, own, metric) for variant, own in by.items()} for image, by in images.items()},
    )


@dataclass(frozen=True)
class _Point:
    setting: str
    codec: str
    bpp: float
    value: float


def _mean(points: list[_Point]) -> _Point:
    """Average one setting over images."""
    bpp, value = mean([point.bpp for point in points]), mean([point.value for point in points])
    return _Point(points[0].setting, points[0].codec, bpp, value)


def _curve(variant: str, points: list[_Point], metric: Metric) -> RdCurve:
    ordered = sorted(points, key=lambda point: (point.bpp, point.value, point.setting))
    return RdCurve(
        variant,
        ordered[0].codec,
        metric,
        tuple(point.setting for point in ordered),
        tuple(point.bpp for point in ordered),
        tuple(point.value for point in ordered),
    )
