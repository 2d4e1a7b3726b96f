"""Which setting of each codec a table compares: pure functions on summaries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aebench.analysis.summary import Summary

TOLERANCE: Final = 0.1
"""A rate further than this from the wanted one, relative to it, is called unmatched."""


def chosen_defaults(
    summaries: Sequence[Summary], default_settings: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Choose each codec's default setting.

    Parameters
    ----------
    summaries : sequence of Summary
    default_settings : mapping
        Default setting of every codec, as the run recorded it.

    Returns
    -------
    settings : dict
        Codec to setting: its default, or where that was not measured the one whose mean rate is the lower median.
    substituted : list of str
        Codecs of the second kind.
    """
    settings: dict[str, str] = {}
    substituted = []
    for codec, own in by_codec(summaries).items():
        named = default_settings.get(codec)
        if named in [summary.setting for summary in own]:
            settings[codec] = str(named)
        else:
            candidates = [summary for summary in own if summary.coded] or own
            settings[codec] = candidates[(len(candidates) - 1) // 2].setting
            substituted.append(codec)
    return settings, substituted


def common_rate(summaries: Sequence[Summary]) -> float:
    """Return the smallest rate that every codec reaches: the largest of their smallest mean rates, in bits per pixel.

    NaN where nothing was coded.
    """
    cheapest = [own[0].bpp for own in by_codec(summaries).values()]
    return max((bpp for bpp in cheapest if math.isfinite(bpp)), default=math.nan)


def matched_settings(summaries: Sequence[Summary], bpp: float) -> dict[str, str]:
    """Choose each codec's setting whose mean rate is nearest; codecs that coded nothing are left out.

    Parameters
    ----------
    summaries : sequence of Summary
    bpp : float
        Wanted rate in bits per pixel. Of two that are equally near the lower counts.
    """
    settings = {}
    for codec, own in by_codec(summaries).items():
        measured = [summary for summary in own if math.isfinite(summary.bpp)]
        if measured:
            settings[codec] = min(measured, key=lambda summary: abs(summary.bpp - bpp)).setting
    return settings


def by_codec(summaries: Iterable[Summary]) -> dict[str, list[Summary]]:
    """Group summaries by codec, each codec's by rising rate, settings that coded nothing last."""
    groups: dict[str, list[Summary]] = {}

    def rate(summary: Summary) -> tuple[bool, float, str]:
        return not summary.coded, math.inf if math.isnan(summary.bpp) else summary.bpp, summary.setting

    for summary in sorted(summaries, key=rate):
        groups.setdefault(summary.codec, []).append(summary)
    return groups
