"""The summary: a row for every setting, with rate, quality, the worst image, and the CPU time of coding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from aebench.analysis.rows import Basis, coded
from aebench.analysis.selection import by_codec
from aebench.analysis.summary import Summary
from aebench.report.layout import NONE, count, name_column, new_table, note, number, number_column, some


@dataclass(frozen=True)
class Field:
    """A column: its head and what it writes of a setting; names may be broken, numbers not."""

    head: str
    write: Callable[[Summary], str]
    is_name: bool = False


_UNLIMITED = 10_000

SETTING = Field("setting", lambda s: s.setting, is_name=True)
CODED = Field("n", lambda s: str(s.coded))
FAILED = Field("err", lambda s: str(s.failed))
BPP = Field("bpp\nmean", lambda s: number(s.bpp, 3))
MEAN = Field("dB\nmean", lambda s: number(s.psnr_rgb, 2))
MEDIAN = Field("dB\nmedian", lambda s: number(s.psnr_rgb_median, 2))
WORST = Field("dB\nworst", lambda s: number(s.psnr_rgb_worst, 2))
WORST_IMAGE = Field("worst\nimage", lambda s: s.worst_image or NONE, is_name=True)
LUMA = Field("dB, Y\nmean", lambda s: number(s.psnr_y, 2))
MS_SSIM = Field("MS-SSIM\nmean", lambda s: number(s.ms_ssim, 4))
ENCODE = Field("encode\nms", lambda s: number(1e3 * s.encode_cpu_seconds, 1))
DECODE = Field("decode\nms", lambda s: number(1e3 * s.decode_cpu_seconds, 1))


def show_summary(
    summaries: Sequence[Summary], over: Basis, codecs: Sequence[str], rows: pa.Table, console: Console
) -> None:
    """Print the summary, by codec and rising rate.

    Parameters
    ----------
    summaries : sequence of Summary
    over : Basis
        The images over which they were made.
    codecs : sequence of str
        The order of the codecs.
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    console : Console
    """
    fields = usual_fields(summaries)
    table = _table(fields, summaries, codecs, console)
    for field in (LUMA, MS_SSIM, WORST_IMAGE):
        if field in fields and _width(table, console) > console.width:
            fields.remove(field)
            table = _table(fields, summaries, codecs, console)
    console.print(table)
    for text in notes(summaries, over, rows):
        note(console, text)


def usual_fields(summaries: Sequence[Summary]) -> list[Field]:
    """Choose the columns, without those that would be empty."""
    fields = [SETTING, CODED, BPP, MEAN, MEDIAN, WORST, WORST_IMAGE, LUMA, ENCODE, DECODE]
    if any(summary.failed for summary in summaries):
        fields.insert(fields.index(CODED) + 1, FAILED)
    if any(summary.ms_ssim == summary.ms_ssim for summary in summaries):
        fields.insert(fields.index(LUMA) + 1, MS_SSIM)
    return fields


def _table(fields: Sequence[Field], summaries: Sequence[Summary], codecs: Sequence[str], console: Console) -> Table:
    table = new_table(console)
    for field in fields:
        (name_column if field.is_name else number_column)(table, field.head)
    groups = by_codec(summaries)
    for codec in codecs:
        for summary in groups[codec]:
            table.add_row(*(Text(field.write(summary)) for field in fields))
        table.add_section()
    return table


def _width(table: Table, console: Console) -> int:
    """Return how wide a table would be with nothing broken."""
    return Measurement.get(console, console.options.update(max_width=_UNLIMITED), table).maximum


def notes(summaries: Sequence[Summary], over: Basis, rows: pa.Table) -> Iterator[str]:
    """Say what the numbers are, over which images, and what does not compare."""
    yield (
        f"n: images coded{'; err: images that failed' if any(s.failed for s in summaries) else ''}; dB: PSNR of 8-bit "
        "RGB, averaged over images; encode, decode: CPU time per image. Means, medians and worst are "
        f"over the {count(len(over.images), 'image')} that every setting coded; {len(over.left_out)} left out"
        + (f": {some(over.left_out)}." if over.left_out else ".")
    )
    partial = [s.setting for s in summaries if s.coded and s.coded < len(over.images) + len(over.left_out)]
    if partial:
        yield f"Not every image was coded by {some(partial)}."
    if over.uncoded:
        yield f"No image was coded by {some(over.uncoded)}, not compared."
    undefined = max(
        (summary.ms_ssim_undefined for summary in summaries if summary.ms_ssim == summary.ms_ssim), default=0
    )
    if undefined:
        yield f"MS-SSIM is undefined on up to {count(undefined, 'image')}, too small for it; its means leave them out."
    measured = coded(rows)
    for codec in measured.filter(pc.not_equal(measured["device"], "cpu"))["codec"].unique().to_pylist():
        yield f"{codec} ran on an accelerator, whose time is not CPU time: the Parquet files hold the wall time."
    versions = measured.group_by("codec").aggregate([("codec_version", "count_distinct")]).to_pylist()
    for version in versions:
        if version["codec_version_count_distinct"] > 1:
            yield f"{version['codec']}: rows of {version['codec_version_count_distinct']} versions are mixed here."
    digests = measured.group_by("image").aggregate([("image_digest", "count_distinct")])
    changed = digests.filter(pc.greater(digests["image_digest_count_distinct"], 1))["image"].to_pylist()
    if changed:
        yield f"The pixels changed between measurements under the same name: {some(sorted(changed))}."
