"""What is to be measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aebench.codecs.base import Codec
from aebench.containment import Limits
from aebench.images import ImageRef
from aebench.kept import Keep, is_kept, kept_files
from aebench.measure import Key, Request
from aebench.metrics import DEFAULT_METRICS, METRICS, is_defined
from aebench.results import KEY, RunFolder

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Plan:
    """What is to be measured; it travels to every worker once."""

    images: Sequence[ImageRef]
    families: Sequence[Sequence[Codec]]
    request: Request
    limits: Limits = DEFAULT_LIMITS

    def branch(self, batched: bool) -> dict[int, Sequence[Codec]]:
        """Take the codecs that code batches, or the others, by their number."""
        return {index: family for index, family in enumerate(self.families) if family[0].batched == batched}


def plan(
    images: Sequence[ImageRef],
    codecs: Iterable[Codec],
    run: RunFolder,
    metrics: Collection[str] = DEFAULT_METRICS,
    keep: Keep | None = None,
    limits: Limits = DEFAULT_LIMITS,
    retry_errors: bool = False,
) -> Plan:
    """Group settings by codec and leave out what the run has measured already, failures included.

    A measurement that lacks a metric that is asked for, or whose files are to be kept and are not there, is made
    anew, with the metrics that it has as well: the new row then counts in its place. With `retry_errors`, failures are
    tried again.
    """
    request = _request(run, frozenset(metrics), keep, retry_errors)
    return Plan(tuple(images), group(codecs), request, limits)


def group(codecs: Iterable[Codec]) -> tuple[tuple[Codec, ...], ...]:
    """Put the settings of each codec together."""
    families: dict[str, list[Codec]] = defaultdict(list)
    for codec in codecs:
        families[codec.name].append(codec)
    return tuple(map(tuple, families.values()))


def _request(run: RunFolder, metrics: frozenset[str], keep: Keep | None, retry_errors: bool) -> Request:
    done: set[Key] = set()
    known: dict[Key, frozenset[str]] = {}
    rows = run.rows().select([*KEY, "error", "bytes", "width", "height", *METRICS.values()]).to_pylist()
    files = kept_files(run, {row["image"] for row in rows}) if keep else {}
    for row in rows:
        key: Key = (row["image"], row["image_digest"], row["setting"], row["codec_version"])
        if row["error"]:
            if not retry_errors:
                done.add(key)
            continue
        lacking = [metric for metric in metrics if _lacks(row, metric)]
        if lacking or not is_kept(run, row, keep, files):
            known[key] = frozenset(metric for metric in METRICS if not _lacks(row, metric))
        else:
            done.add(key)
    return Request(metrics, keep, frozenset(done), known)


def _lacks(row: dict[str, Any], metric: str) -> bool:
    return row[METRICS[metric]] is None and is_defined(metric, row["height"], row["width"])
