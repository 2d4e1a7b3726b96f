"""Why figures are missing, each reason once, in the codecs' own names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aebench.analysis.bd import BdComparison
from aebench.analysis.matched import Matched
from aebench.report.layout import count

MOST_REASONS: Final = 8
"""Of more reasons than this the first are given."""


def bd_refusals(comparisons: Iterable[BdComparison], gain: str = "") -> list[str]:
    """Give the reasons for which BD-rates were refused, of mean curves and of images; with `gain`, also of BD-PSNR.

    Parameters
    ----------
    comparisons : iterable of BdComparison
    gain : str
        What BD-PSNR is called in the metric at hand.
    """
    reasons: dict[str, _Reason] = {}
    for comparison in comparisons:
        figures = {"BD-rate": comparison.rate, **({gain: comparison.quality} if gain else {})}
        for figure, statistics in figures.items():
            for image, refusal in [("", statistics.refusal), *statistics.refused.items()]:
                if refusal:
                    text = _named(refusal, comparison)
                    reason = reasons.setdefault(_alike(text), _Reason(_alike(text), comparison.images))
                    reason.figures[figure] = None
                    reason.add(image, text)
    return _first([f"No {' or '.join(reason.figures)} {reason}." for reason in reasons.values()])


def matched_refusals(matched: Matched) -> list[str]:
    """Give the reasons for which curves could not be read off, variant by variant, with an example each."""
    reasons: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (image, variant), refusal in matched.refused.items():
        what, _, why = refusal.partition(": ")
        reasons.setdefault((variant, what.replace("the curve", variant)), []).append((image, why))
    lines = []
    for (_, what), found in reasons.items():
        image, why = found[0]
        example = f" ({image}: {why})" if why else ""
        lines.append(f"{what} on {len(found)} of {count(len(matched.images), 'image')}{example}.")
    return _first(lines)


@dataclass
class _Reason:
    """One reason, the figures that it struck, and where."""

    text: str
    compared: int
    figures: dict[str, None] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    of_mean_curve: bool = False

    def add(self, image: str, text: str) -> None:
        """Take one more image, or the mean curve, whose own text says most."""
        if image:
            self.images.add(image)
        elif not self.of_mean_curve:
            self.text, self.of_mean_curve = text, True

    def __str__(self) -> str:
        where = ["for the mean curve"] if self.of_mean_curve else []
        where += [f"on {len(self.images)} of {count(self.compared, 'image')}"] if self.images else []
        return f"{' and '.join(where)}: {self.text}"


def _named(reason: str, comparison: BdComparison) -> str:
    """Put the codecs' names for the roles they play."""
    names = {"the anchor": comparison.anchor, "the test": comparison.test}
    reason = re.sub("the anchor|the test", lambda role: names[role[0]], reason)
    return reason.replace("the curves share", f"{comparison.anchor} and {comparison.test} share")


def _alike(reason: str) -> str:
    """Shorten a reason to what it has in common with those of the same kind."""
    return re.sub(r" share \d+% .*", " share too little of their ranges", reason.partition(":")[0])


def _first(lines: list[str]) -> list[str]:
    rest = len(lines) - MOST_REASONS
    return lines if rest <= 0 else [*lines[:MOST_REASONS], f"… and {count(rest, 'reason')} more like these."]
