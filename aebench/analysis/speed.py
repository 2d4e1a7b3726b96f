"""How fast each variant is: from the timing pass where a run has one, else from its rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from aebench.analysis.rows import coded
from aebench.analysis.timing import Spread, timing_summary


@dataclass(frozen=True)
class VariantSpeed:
    """How fast a variant's settings encode and decode, in millions of pixels a second, and on which devices."""

    encode: Spread
    decode: Spread
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Speeds:
    """The speed of every variant that was measured.

    Attributes
    ----------
    clock : {"wall", "cpu"}
        Wall time where a timing pass had the machine for itself. Workers that share a machine know but their CPU time,
        which leaves out what another device computes.
    variants : dict
        Variant to speed.
    """

    clock: Literal["wall", "cpu"]
    variants: dict[str, VariantSpeed]


def speeds(rows: pa.Table, times: pa.Table | None = None) -> Speeds:
    """Find the speed of every variant.

    A setting's speed is the median of pixels by seconds over its measurements, all images and repeats; that of the
    timing pass is the one of `timing_summary`.

    Parameters
    ----------
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    times : pyarrow.Table, optional
        Repeats of the timing pass; where there are any that did not fail, `rows` is not looked at.
    """
    if times is not None and len(coded(times)):
        return Speeds("wall", _variants(_timed(times)))
    return Speeds("cpu", _variants(_measured(coded(rows))))


@dataclass(frozen=True)
class _Setting:
    """A setting's median speeds in millions of pixels a second."""

    variant: str
    device: str
    encode: float
    decode: float


def _timed(times: pa.Table) -> Iterator[_Setting]:
    pairs = times.group_by(["setting", "variant"]).aggregate([]).to_pylist()
    variants = {pair["setting"]: pair["variant"] for pair in pairs}
    for found in timing_summary(times):
        encode, decode = found.encode.megapixels.median, found.decode.megapixels.median
        yield _Setting(variants[found.setting], found.device, encode, decode)


def _measured(rows: pa.Table) -> Iterator[_Setting]:
    columns = ["variant", "setting", "device", "width", "height", "encode_cpu_seconds", "decode_cpu_seconds"]
    groups: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for row in rows.select(columns).to_pylist():
        key = row["variant"], row["setting"], row["device"]
        seconds = row["encode_cpu_seconds"], row["decode_cpu_seconds"]
        if all(seconds):  # a clock may be too coarse for a small image
            megapixels = row["width"] * row["height"] / 1e6
            groups.setdefault(key, []).append((megapixels / seconds[0], megapixels / seconds[1]))
    for (variant, _, device), found in groups.items():
        encode, decode = np.median(found, axis=0)
        yield _Setting(variant, device, float(encode), float(decode))


def _variants(settings: Iterable[_Setting]) -> dict[str, VariantSpeed]:
    groups: dict[str, list[_Setting]] = {}
    for setting in settings:
        if math.isfinite(setting.encode) and math.isfinite(setting.decode):
            groups.setdefault(setting.variant, []).append(setting)
    return {
        variant: VariantSpeed(
            _spread([setting.encode for setting in own]),
            _spread([setting.decode for setting in own]),
            tuple(sorted({setting.device for setting in own})),
        )
        for variant, own in groups.items()
    }


def _spread(medians: list[float]) -> Spread:
    return Spread(float(np.median(medians)), min(medians), max(medians))
