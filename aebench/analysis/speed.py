"""How fast each variant is: from the timing pass where a run has one, else from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from aebench.analysis.rows import coded


@dataclass(frozen=True)
class Speed:
    """A speed in millions of pixels a second: of the median setting, of the slowest and of the fastest."""

    median: float
    slowest: float
    fastest: float


@dataclass(frozen=True)
class VariantSpeed:
    """How fast a variant encodes and decodes, and the devices on which it was measured."""

    encode: Speed
    decode: Speed
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

    A setting's speed is the median of pixels by seconds over its measurements, all images and repeats.

    Parameters
    ----------
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    times : pyarrow.Table, optional
        Repeats of the timing pass; where there are any that did not fail, `rows` is not looked at.
    """
    if times is not None and len(coded(times)):
        return Speeds("wall", _variants(coded(times), "seconds"))
    return Speeds("cpu", _variants(coded(rows), "cpu_seconds"))


def _variants(table: pa.Table, clock: str) -> dict[str, VariantSpeed]:
    columns = ["variant", "setting", "device", "width", "height", f"encode_{clock}", f"decode_{clock}"]
    encode: dict[str, dict[str, list[float]]] = {}
    decode: dict[str, dict[str, list[float]]] = {}
    devices: dict[str, set[str]] = {}
    for row in table.select(columns).to_pylist():
        megapixels = row["width"] * row["height"] / 1e6
        for kind, seconds in ((encode, row[f"encode_{clock}"]), (decode, row[f"decode_{clock}"])):
            if seconds:  # a clock may be too coarse for a small image
                kind.setdefault(row["variant"], {}).setdefault(row["setting"], []).append(megapixels / seconds)
        devices.setdefault(row["variant"], set()).add(row["device"])
    return {
        variant: VariantSpeed(_speed(encode[variant]), _speed(decode[variant]), tuple(sorted(devices[variant])))
        for variant in devices
        if variant in encode and variant in decode
    }


def _speed(settings: Mapping[str, list[float]]) -> Speed:
    medians = [float(np.median(found)) for found in settings.values()]
    return Speed(float(np.median(medians)), min(medians), max(medians))
