"""Reports: everything is derived from a run's Parquet files, and from nothing else but ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from rich.console import Console

from aebench.analysis.comparison import compare
from aebench.analysis.published import Published
from aebench.analysis.rows import failures
from aebench.analysis.run import Run
from aebench.analysis.selection import TOLERANCE, chosen_defaults, common_rate, matched_settings
from aebench.analysis.summary import Summary
from aebench.report.bd_table import show_bd, show_bd_matrix
from aebench.report.comparison import show_comparison
from aebench.report.heading import show_heading
from aebench.report.layout import note, some, title
from aebench.report.matched_table import show_at_quality, show_at_rate
from aebench.report.summary_table import show_summary
from aebench.report.tables import show_failures, show_training

__all__ = ["show", "write_report"]

BD_METRICS = ("psnr_rgb", "ms_ssim", "ssimulacra2")
"""Metrics that get a table of BD-rates, where they were measured."""


def show(run: Run, console: Console, references: Sequence[Published] = ()) -> None:
    """Print the tables of a run: whole curves, one rate and one quality, single settings, training.

    Parameters
    ----------
    run : Run
        With the rate, the quality and the anchor that are compared. Single settings are compared at its rate, if it
        was given one, else at the smallest that all codecs reach.
    console : Console
    references : sequence of Published
        Curves that are compared with the anchor as well.

    Raises
    ------
    ResultsError
        If the run has no such anchor.
    """
    rows, codecs, summaries = run.rows, run.codecs, run.summaries
    if len(rows):
        run.known_variant()  # before anything is printed
    show_heading(run.name, run.info, rows, codecs, console)
    if len(rows):
        for index, metric in enumerate(name for name in BD_METRICS if name in run.metrics):
            show_bd(run, metric, console, references, brief=index > 0)
        show_bd_matrix(run, console)
        show_at_rate(run, console)
        show_at_quality(run, console)
        shown = _show_defaults(rows, summaries, run.default_settings, codecs, console)
        _show_matched(rows, summaries, run.bpp, shown, codecs, console)
        title(console, "Summary of every setting")
        show_summary(summaries, run.basis, codecs, rows, console)
        if len(failures(rows)):
            title(console, "Failures")
            show_failures(rows, console)
    for network, epochs in run.trainings.items():
        show_training(network, epochs, console)


def write_report(run: Run, console: Console, published: Sequence[Published] = (), figures: bool = False) -> None:
    """Write what of a run is looked at elsewhere than in a terminal, and name it.

    Parameters
    ----------
    run : Run
    console : Console
    published : sequence of Published
        Curves that are drawn beside the run's own.
    figures : bool
        Whether to draw the figures, which takes seconds; the page links to those that are there.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    from aebench.report.page import write_page

    if figures:
        from aebench.report.figures import write_figures

        folder = run.folder.path / "figures"
        drawn = write_figures(run, folder, published, say=lambda sentence: note(console, sentence))
        console.print(f"figures: {len(drawn)} files in {folder}", highlight=False, soft_wrap=True)
    page = write_page(run, published=published)
    console.print(f"page: {page}", highlight=False, soft_wrap=True)


def _show_defaults(
    rows: pa.Table,
    summaries: Sequence[Summary],
    default_settings: Mapping[str, str],
    codecs: Sequence[str],
    console: Console,
) -> dict[str, str]:
    """Print the paper's table at the default settings, and return these."""
    settings, substituted = chosen_defaults(summaries, default_settings)
    settings = {codec: settings[codec] for codec in codecs}
    title(console, "Every codec at its default setting: PSNR-RGB in dB / bits per pixel")
    show_comparison(compare(rows, settings), console)
    if substituted:
        note(console, f"Default setting not measured, median rate instead: {some([settings[c] for c in substituted])}.")
    return settings


def _show_matched(
    rows: pa.Table,
    summaries: Sequence[Summary],
    bpp: float | None,
    shown: Mapping[str, str],
    codecs: Sequence[str],
    console: Console,
) -> None:
    """Print the paper's table at the settings nearest one rate, unless it is the table that was printed already."""
    target = common_rate(summaries) if bpp is None else bpp
    matched = matched_settings(summaries, target)
    settings = {codec: matched[codec] for codec in codecs if codec in matched}
    if not settings:
        title(console, "Every codec at the same rate")
        note(console, "No image was coded at every setting, so that no rates can be compared.")
        return
    title(console, f"Every codec at the setting nearest {target:.3g} bpp: PSNR-RGB in dB / bits per pixel")
    if settings == dict(shown):
        note(console, "These are the settings of the table above.")
    else:
        show_comparison(compare(rows, settings), console, with_note=False)
    if bpp is None:
        dearest = next(summary.codec for summary in summaries if summary.bpp == target)
        note(console, f"The rate was chosen because no setting of {dearest} here needs less than {target:.3g} bpp.")
    rates = {summary.setting: summary.bpp for summary in summaries}
    far = [f"{s} ({rates[s]:.3g} bpp)" for s in settings.values() if abs(rates[s] - target) > TOLERANCE * target]
    if far:
        note(console, f"More than {TOLERANCE:.0%} off that rate: {some(far, 12)}.")
