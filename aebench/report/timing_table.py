"""The table of a timing pass: a row a setting, median times and speeds with their spread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.text import Text

from aebench.analysis.timing import Speed, TimingSummary, timing_summary
from aebench.report.layout import count, name_column, new_table, note, number, number_column, some
from aebench.report.tables import show_failures

MOST_OF_ONE_THREAD = 1.2
"""CPU time by wall time above which a setting took more than the one thread it was asked to take."""


def show_timing(times: pa.Table, console: Console) -> None:
    """Print the speed of every setting that was timed, and what failed.

    Parameters
    ----------
    times : pyarrow.Table
        As `aebench.results.RunFolder.times` reads them.
    console : Console
    """
    summaries = timing_summary(times)
    machines = _machines(summaries)
    table = new_table(console)
    name_column(table, "setting")
    if len(machines) > 1:
        number_column(table, "on")
    for head in (
        "n",
        "encode\nms",
        "encode\nMP/s",
        "smallest–\nlargest",
        "decode\nms",
        "decode\nMP/s",
        "smallest–\nlargest",
    ):
        number_column(table, head)
    for index, summary in enumerate(summaries):
        if index and summary.codec != summaries[index - 1].codec:
            table.add_section()
        place = [str(machines.index((summary.device, summary.cpu)) + 1)] if len(machines) > 1 else []
        cells = [summary.setting, *place, str(summary.repeats), *_cells(summary.encode), *_cells(summary.decode)]
        table.add_row(*map(Text, cells))
    if summaries:
        console.print(table)
    for text in _notes(summaries, machines):
        note(console, text)
    failures = times.filter(pc.is_valid(times["error"]))
    if len(failures):
        show_failures(failures, console)


def _cells(speed: Speed) -> tuple[str, str, str]:
    megapixels = speed.megapixels
    spread = f"{_speed(megapixels.smallest)}–{_speed(megapixels.largest)}"
    return number(speed.milliseconds, 1), _speed(megapixels.median), spread


def _speed(megapixels: float) -> str:
    """Write a speed to three digits or so."""
    return number(megapixels, 3 if megapixels < 1 else 2 if megapixels < 10 else 1 if megapixels < 100 else 0)


def _machines(summaries: Sequence[TimingSummary]) -> list[tuple[str, str]]:
    """List device and processor of every kind of machine."""
    return list(dict.fromkeys((summary.device, summary.cpu) for summary in summaries))


def _notes(summaries: Sequence[TimingSummary], machines: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Say what the numbers are, where they were taken, and what is not as asked."""
    if not summaries:
        return
    names = [cpu if device == "cpu" else f"{device} beside {cpu}" for device, cpu in machines]
    where = names[0] if len(names) == 1 else "; ".join(f"{index}: {name}" for index, name in enumerate(names, 1))
    images = max(summary.images for summary in summaries)
    yield (
        f"Wall time of one thread on {where}; medians, smallest and largest of n measurements on up to "
        f"{count(images, 'image')}; MP: a million pixels. CPU times are in the Parquet files, RUN/times."
    )
    greedy = [
        summary.setting
        for summary in summaries
        if any(
            wall.milliseconds * MOST_OF_ONE_THREAD < cpu.milliseconds
            for wall, cpu in ((summary.encode, summary.encode_cpu), (summary.decode, summary.decode_cpu))
        )
    ]
    if greedy:
        yield f"Took more CPU time than wall time, so more than the one thread it was asked to take: {some(greedy)}."
    versions: dict[str, set[str]] = {}
    for summary in summaries:
        versions.setdefault(summary.setting, set()).add(summary.codec_version)
    mixed = [setting for setting, found in versions.items() if len(found) > 1]
    if mixed:
        yield f"Timed with several versions of the codec, a row each: {some(mixed)}."
