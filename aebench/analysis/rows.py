"""Rows as every analysis takes them: each measurement once, and the images over which means are fair.

A mean is always taken over the images that every compared setting coded, so that no codec gains by failing on a
difficult image; how many images that leaves out is part of every result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
