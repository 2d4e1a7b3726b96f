"""What the rows of a timing pass say of each setting: speed, with its spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

GROUP = ("codec", "setting", "codec_version", "device", "cpu", "threads")
"""Rows that differ in one of these are not repeats of each other."""


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some values."""

    median: float
    smallest: float
    largest: float


@dataclass(frozen=True)
class Speed:
    """How fast encoding or decoding is, over all images and repeats, on one clock.

    Attributes
    ----------
    megapixels : Spread
        Millions of pixels a second.
    milliseconds : float
        Median time an image: comparable only between settings that were timed on the same images.
    """

    megapixels: Spread
    milliseconds: float


@dataclass(frozen=True)
class TimingSummary:
    """One setting, by one version of its codec on one kind of machine.

    `images` counts those that were timed, `repeats` all their repeats, `failed` the failures of the setting anywhere.
    """

    codec: str
    setting: str
    codec_version: str
    device: str
    cpu: str
    threads: int
    images: int
    repeats: int
    failed: int
    encode: Speed
    decode: Speed
    encode_cpu: Speed
    decode_cpu: Speed


def timing_summary(times: pa.Table) -> list[TimingSummary]:
    """Summarise every setting that was timed, by codec and in the order of its settings in the table.

    Parameters
    ----------
    times : pyarrow.Table
        As `aebench.results.RunFolder.times` reads them.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    failures: Counter[str] = Counter()
    for row in times.to_pylist():
        if row["error"] is None:
            groups.setdefault(tuple(row[name] for name in GROUP), []).append(row)
        else:
            failures[row["setting"]] += 1
    codecs = list(dict.fromkeys(key[0] for key in groups))
    summaries = [_summary(rows, failures, *key) for key, rows in groups.items()]
    return sorted(summaries, key=lambda summary: codecs.index(summary.codec))


def _summary(
    rows: Sequence[dict[str, Any]],
    failures: Mapping[str, int],
    codec: str,
    setting: str,
    version: str,
    device: str,
    cpu: str,
    threads: int,
) -> TimingSummary:
    images = len({row["image"] for row in rows})
    columns = ("encode_seconds", "decode_seconds", "encode_cpu_seconds", "decode_cpu_seconds")
    speeds = [_speed(rows, column) for column in columns]
    failed = failures.get(setting, 0)
    return TimingSummary(codec, setting, version, device, cpu, threads, images, len(rows), failed, *speeds)


def _speed(rows: Sequence[dict[str, Any]], column: str) -> Speed:
    seconds = np.array([row[column] for row in rows])
    megapixels = np.array([row["width"] * row["height"] / 1e6 for row in rows])
    with np.errstate(divide="ignore"):  # a clock may be too coarse for a small image
        speeds = megapixels / seconds
    return Speed(
        Spread(float(np.median(speeds)), float(speeds.min()), float(speeds.max())), 1e3 * float(np.median(seconds))
    )
