"""Two runs side by side: what changed, codec by codec and setting by setting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from aebench.analysis.difference import RunDifference, SettingDifference, VariantDifference
from aebench.analysis.run import Run
from aebench.report.columns import WORSE, Column, show_columns
from aebench.report.layout import NONE, count, note, number, printable, signed, some, title
from aebench.report.refusals import bd_refusals

MOST_SETTINGS: Final = 40
"""Of more changed settings than this, those whose rate changed most are shown."""


def show_difference(a: Run, b: Run, found: RunDifference, threshold: float, console: Console) -> None:
    """Print the difference of run B against run A, and a last line that says whether it is a regression.

    Parameters
    ----------
    a, b : Run
    found : RunDifference
        Of the two.
    threshold : float
        Per cent above which a loss is a regression.
    console : Console
    """
    console.print(Text("Run B against run A", style="bold"))
    for label, run, only in zip("AB", (a, b), found.only_images, strict=True):
        left_out = f", {len(only)} not in the other: {some(only)}" if only else ""
        images = count(len(found.images) + len(only), "image")
        console.print(Text(f"{label}  {printable(str(run.folder.path))}: {images}{left_out}"))
    shared = count(len(found.images), "image")
    title(console, f"BD-rate of B against A in {found.metric.label} on {shared}: % of bits, less is better")
    _show_variants(found, threshold, console)
    for text in [*_notes(found), *bd_refusals(variant.bd for variant in found.variants)]:
        note(console, text)
    changed = [setting for variant in found.variants for setting in variant.settings if not setting.identical]
    if changed:
        title(console, f"Settings that changed: bits per pixel and {found.metric.label}")
        _show_settings(changed, found.metric.unit, console)
    regressions = found.regressions(threshold)
    console.print()
    if not regressions:
        note(console, f"No regression above {threshold:g} %.")
    for variant, reasons in regressions.items():
        note(console, f"Regression above {threshold:g} %: {variant}: {some(reasons)}.", style="red")


def _show_variants(found: RunDifference, threshold: float, console: Console) -> None:
    variants = found.variants
    rates = [variant.bd.rate for variant in variants]
    intervals = [rate.interval for rate in rates]
    identical = [sum(setting.identical for setting in variant.settings) for variant in variants]
    blocks = [
        [Column("mean\ncurve", tuple(signed(rate.of_mean_curve, 2) for rate in rates))],
        [
            Column("mean of\nimages", tuple(signed(rate.mean, 2) for rate in rates)),
            Column(
                "95% interval\nof that mean",
                tuple(NONE if math.isnan(low) else f"{signed(low, 2)} to {signed(high, 2)}" for low, high in intervals),
            ),
        ],
        [
            Column(
                "settings\nidentical",
                tuple(f"{same} of {len(variant.settings)}" for same, variant in zip(identical, variants, strict=True)),
            )
        ],
        [
            Column("encode\ntime", tuple(_times(variant.encode) for variant in variants)),
            Column("decode\ntime", tuple(_times(variant.decode) for variant in variants)),
        ],
        [Column("B is", tuple(_verdict(variant, found, threshold) for variant in variants))],
    ]
    show_columns(Column("codec", tuple(variant.variant for variant in variants)), console, blocks)


def _verdict(variant: VariantDifference, found: RunDifference, threshold: float) -> str:
    if not variant.is_judged:
        return "not compared"
    if variant.regressions(threshold, found.metric):
        return WORSE
    if variant.is_identical:
        return "identical"
    return "better" if min(variant.figures, default=0) < -threshold else "alike"


def _times(ratio: float) -> str:
    return NONE if math.isnan(ratio) else f"×{number(ratio, 2)}"


def _notes(found: RunDifference) -> list[str]:
    """Say what is identical, which versions changed, and what only one of the runs has."""
    notes = [
        "Identical: the same number of bytes and the same squared error on every image. Times are CPU time, B / A."
    ]
    for variant in found.variants:
        before, after = ("; ".join(versions) or "nothing coded" for versions in variant.versions)
        if before != after:
            notes.append(f"{variant.variant} changed from {printable(before)} to {printable(after)}.")
        for label, only in zip("AB", variant.only, strict=True):
            if only:
                notes.append(f"Only in {label}: {some(only)}.")
        if not variant.is_judged:
            notes.append(f"{variant.variant}: no setting is in both, and there is no BD-rate.")
    return notes + [
        f"Only in {label}: {some(only)}." for label, only in zip("AB", found.only_variants, strict=True) if only
    ]


def _show_settings(changed: Sequence[SettingDifference], unit: str, console: Console) -> None:
    most = sorted(changed, key=lambda setting: -abs(setting.rate_change))[:MOST_SETTINGS]
    shown = [setting for setting in changed if setting in most]
    blocks = [
        [Column("n", tuple(str(setting.images) for setting in shown))],
        [
            Column("bpp\nA", tuple(number(setting.bpp[0], 3) for setting in shown)),
            Column("bpp\nB", tuple(number(setting.bpp[1], 3) for setting in shown)),
            Column("change\n%", tuple(signed(setting.rate_change, 2) for setting in shown)),
        ],
        [
            Column(f"{unit}\nA".strip(), tuple(number(setting.quality[0], 3) for setting in shown)),
            Column(f"{unit}\nB".strip(), tuple(number(setting.quality[1], 3) for setting in shown)),
            Column("change", tuple(signed(setting.quality_change, 3) for setting in shown)),
        ],
    ]
    show_columns(Column("setting", tuple(setting.setting for setting in shown)), console, blocks)
    if len(shown) < len(changed):
        note(console, f"… and {count(len(changed) - len(shown), 'setting')} more, whose rates changed less.")
