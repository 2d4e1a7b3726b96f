"""What changed from one run to another, codec by codec, on the images that both measured: pure functions on runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aebench.analysis.bd import BdComparison, compare_runs
from aebench.analysis.curves import Metric, metric_of, rd_curves
from aebench.analysis.run import Run
from aebench.analysis.summary import mean
from aebench.bdrate import LEAST_POINTS
from aebench.errors import ResultsError
from aebench.results import ROWS

THRESHOLD: Final = 0.5
"""Per cent above which a loss is a regression, if nothing else is said."""

_Row = dict[str, Any]
_Rows = Mapping[tuple[str, str], _Row]
"""Measurements by image and setting."""


@dataclass(frozen=True)
class SettingDifference:
    """One setting in run A and in run B, over the images that both coded.

    Attributes
    ----------
    setting : str
    images : int
    bpp : tuple of float
        Mean rate in A and in B, in bits per pixel.
    quality : tuple of float
        Mean quality in A and in B on the metric's scale; infinite as soon as one image is lossless.
    identical : bool
        Whether every image has the same number of bytes and the same squared error in both.
    """

    setting: str
    images: int
    bpp: tuple[float, float]
    quality: tuple[float, float]
    identical: bool

    @property
    def rate_change(self) -> float:
        """Change of the rate in per cent of A's."""
        return (self.bpp[1] / self.bpp[0] - 1) * 100 if self.bpp[0] else math.nan

    @property
    def quality_change(self) -> float:
        """Change of the quality; 0 where both are lossless."""
        return 0.0 if self.quality[0] == self.quality[1] else self.quality[1] - self.quality[0]


@dataclass(frozen=True)
class VariantDifference:
    """One variant of a codec in run A and in run B.

    Attributes
    ----------
    variant : str
    bd : BdComparison
        BD-rate of B against A, on the settings that both have where these make a curve, else on those of each.
    settings : tuple of SettingDifference
        Those that both have, by rising rate.
    only : tuple of two tuples of str
        Settings that only A, and only B, has.
    versions : tuple of two tuples of str
        Versions of the codec in A and in B.
    failed : int
        Measurements that A made and B failed to make.
    encode, decode : float
        CPU time of B as a multiple of A's, over the measurements that both made; NaN where there is none.
    """

    variant: str
    bd: BdComparison
    settings: tuple[SettingDifference, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    versions: tuple[tuple[str, ...], tuple[str, ...]]
    failed: int
    encode: float
    decode: float

    @property
    def figures(self) -> list[float]:
        """BD-rates of B against A that were not refused: of the mean curve, and the mean over images."""
        return [figure for figure in (self.bd.rate.of_mean_curve, self.bd.rate.mean) if not math.isnan(figure)]

    @property
    def is_judged(self) -> bool:
        """Whether there is anything to judge by."""
        return bool(self.figures or self.settings or self.failed)

    @property
    def is_identical(self) -> bool:
        """Whether all settings that both have are identical."""
        return bool(self.settings) and not self.failed and all(setting.identical for setting in self.settings)

    def regressions(self, threshold: float, metric: Metric) -> list[str]:
        """Say in what B is worse.

        A BD-rate above the threshold, of the mean curve or as the mean over images; where that of the mean curve is
        refused, a setting that takes more bits by more than the threshold, or has more error by more than it; and
        measurements that fail.

        Parameters
        ----------
        threshold : float
            In per cent.
        metric : Metric
            That of the difference. Of a metric in dB, per cent of the error are ``10 log10(1 + threshold / 100)`` dB;
            of another, the threshold is in its own units.
        """
        found = [f"{self.failed} of A's measurements failed"] if self.failed else []
        if max(self.figures, default=0) > threshold:
            found.append(f"BD-rate {max(self.figures):+.2f} %")
        if self.bd.rate.refusal:
            loss = 10 * math.log10(1 + threshold / 100) if metric.unit == "dB" else threshold
            for setting in self.settings:
                if setting.rate_change > threshold:
                    found.append(f"{setting.setting} takes {setting.rate_change:.2f} % more bits")
                if setting.quality_change < -loss:
                    found.append(f"{setting.setting} loses {-setting.quality_change:.3f} {metric.unit}".rstrip())
        return found


@dataclass(frozen=True)
class RunDifference:
    """Run B against run A.

    Attributes
    ----------
    metric : Metric
    images : tuple of str
        Those whose pixels both have, under the name that A gives them.
    only_images : tuple of two tuples of str
        Images that only A, and only B, has.
    variants : tuple of VariantDifference
        Those that both have, in the order of A.
    only_variants : tuple of two tuples of str
        Variants that only A, and only B, has.
    """

    metric: Metric
    images: tuple[str, ...]
    only_images: tuple[tuple[str, ...], tuple[str, ...]]
    variants: tuple[VariantDifference, ...]
    only_variants: tuple[tuple[str, ...], tuple[str, ...]]

    def regressions(self, threshold: float = THRESHOLD) -> dict[str, list[str]]:
        """Say in what B is worse by more than a threshold in per cent, variant by variant; the others are absent."""
        found = {variant.variant: variant.regressions(threshold, self.metric) for variant in self.variants}
        return {variant: reasons for variant, reasons in found.items() if reasons}


def difference(a: Run, b: Run, metric: str = "psnr_rgb") -> RunDifference:
    """Compare run B with run A on the images that have the same pixels in both.

    Raises
    ------
    ResultsError
        If there is no such metric, or the runs have no image, no variant or nothing comparable in common.
    """
    measured = metric_of(metric)
    names = [_names(run) for run in (a, b)]
    shared = {digest: name for digest, name in names[0].items() if digest in names[1]}
    if not shared:
        raise ResultsError(f"{a.name} and {b.name} have no image in common: none has the same pixels in both")
    rows_a, rows_b = _align(a, shared), _align(b, shared)
    variants = [variant for variant in a.variants if variant in b.variants]
    found = tuple(_difference(variant, _of(variant, rows_a), _of(variant, rows_b), measured) for variant in variants)
    if not any(variant.is_judged for variant in found):
        known = [", ".join(run.variants) for run in (a, b)]
        raise ResultsError(
            f"{a.name} and {b.name} have no codec whose {measured.label} can be compared; "
            f"{a.name} has {known[0]}, {b.name} has {known[1]}"
        )
    only_a, only_b = (tuple(sorted(name for digest, name in own.items() if digest not in shared)) for own in names)
    return RunDifference(
        measured,
        tuple(sorted(shared.values())),
        (only_a, only_b),
        found,
        _exclusive(a.variants, b.variants),
    )


def _names(run: Run) -> dict[str, str]:
    """Map the digest of every image to its name; of two names of the same pixels the first counts."""
    pairs = run.rows.select(["image_digest", "image"]).group_by(["image_digest", "image"]).aggregate([]).to_pylist()
    names = sorted(((pair["image_digest"], pair["image"]) for pair in pairs if pair["image_digest"]), reverse=True)
    return dict(names)


def _align(run: Run, shared: Mapping[str, str]) -> _Rows:
    """Take the rows of shared images under shared names; a failure may not know its digest, but its image's name."""
    digests = {name: digest for digest, name in _names(run).items()}
    aligned: dict[tuple[str, str], _Row] = {}
    for row in run.rows.sort_by("image").to_pylist():
        digest: str = row["image_digest"] or digests.get(row["image"], "")
        if digest in shared:
            aligned.setdefault((shared[digest], row["setting"]), {**row, "image": shared[digest]})
    return aligned


def _of(variant: str, rows: _Rows) -> _Rows:
    return {key: row for key, row in rows.items() if row["variant"] == variant}


def _difference(variant: str, a: _Rows, b: _Rows, metric: Metric) -> VariantDifference:
    coded_a, coded_b = ({key: row for key, row in rows.items() if row["error"] is None} for rows in (a, b))
    both = [(coded_a[key], coded_b[key]) for key in coded_a if key in coded_b]
    scored = [pair for pair in both if all(row[metric.column] is not None for row in pair)]
    settings = [_setting(name, pairs, metric) for name, pairs in _grouped(scored).items()]
    return VariantDifference(
        variant,
        _bd(variant, a, b, metric),
        tuple(sorted(settings, key=lambda setting: setting.bpp)),
        _exclusive({setting for _, setting in a}, {setting for _, setting in b}),
        (_versions(coded_a), _versions(coded_b)),
        sum(key in b and b[key]["error"] is not None for key in coded_a),
        _ratio(both, "encode_cpu_seconds"),
        _ratio(both, "decode_cpu_seconds"),
    )


def _bd(variant: str, a: _Rows, b: _Rows, metric: Metric) -> BdComparison:
    """Compare the curves over the images that both runs coded at every setting of theirs."""
    shared = {setting for _, setting in a} & {setting for _, setting in b}
    if len(shared) >= LEAST_POINTS:  # the same curve, sampled otherwise, differs by some tenths of a per cent
        a, b = ({key: row for key, row in rows.items() if key[1] in shared} for rows in (a, b))
    tables = [pa.Table.from_pylist(list(rows.values()), schema=ROWS) for rows in (a, b)]
    images = frozenset.intersection(*(rd_curves(table, metric).basis.images for table in tables))
    curves_a, curves_b = (
        rd_curves(table.filter(pc.is_in(table["image"], pa.array(images, pa.string()))), metric) for table in tables
    )
    found = compare_runs(curves_a, curves_b, variant)
    return dataclasses.replace(found, anchor=f"{variant} in A", test=f"{variant} in B")


def _grouped(pairs: Iterable[tuple[_Row, _Row]]) -> dict[str, list[tuple[_Row, _Row]]]:
    groups: dict[str, list[tuple[_Row, _Row]]] = {}
    for pair in pairs:
        groups.setdefault(pair[0]["setting"], []).append(pair)
    return groups


def _setting(name: str, pairs: list[tuple[_Row, _Row]], metric: Metric) -> SettingDifference:
    def both(column: str, scale: Callable[[float], float] = float) -> tuple[float, float]:
        first, second = (scale(mean([row[column] for row in rows])) for rows in zip(*pairs, strict=True))
        return first, second

    identical = all(a["bytes"] == b["bytes"] and a["mse"] == b["mse"] for a, b in pairs)
    return SettingDifference(name, len(pairs), both("bpp"), both(metric.column, metric.scale), identical)


def _versions(rows: _Rows) -> tuple[str, ...]:
    return tuple(sorted({row["codec_version"] for row in rows.values()}))


def _ratio(pairs: Iterable[tuple[_Row, _Row]], column: str) -> float:
    times = [(a[column], b[column]) for a, b in pairs if a[column] is not None and b[column] is not None]
    before, after = (math.fsum(own) for own in zip(*times, strict=True)) if times else (0.0, 0.0)
    return after / before if before else math.nan


def _exclusive(a: Iterable[str], b: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what only the first, and what only the second, has."""
    return tuple(sorted(set(a) - set(b))), tuple(sorted(set(b) - set(a)))
