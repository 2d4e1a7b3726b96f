"""Small runs, written the way a job writes them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from aebench.analysis.published import Published
from aebench.analysis.rows import latest
from aebench.analysis.run import Run
from aebench.report import show
from aebench.results import ROWS, RunFolder

START = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def row(
    image: str, setting: str, psnr: float = 30.0, bpp: float = 1.0, minute: int = 0, **others: Any
) -> dict[str, Any]:
    """Make the row of a measurement."""
    return {
        "run": "run", "image": image, "image_digest": f"digest of {image}", "width": 768, "height": 512,
        "codec": setting.partition("[")[0], "variant": setting.partition("[")[0], "setting": setting,
        "parameters": "{}", "codec_version": "1",
        "bytes": round(bpp * 768 * 512 / 8), "bpp": bpp, "mse": 1.0, "psnr_rgb": psnr, "psnr_y": psnr + 1.5,
        "psnr_yuv": psnr + 1, "ms_ssim": 0.97, "encode_seconds": 0.2, "encode_cpu_seconds": 0.1, "decode_seconds": 0.04,
        "decode_cpu_seconds": 0.02, "device": "cpu", "node": "node", "time": START + timedelta(minutes=minute),
        **others,
    }  # fmt: skip


def failure(image: str, setting: str, error: str, **others: Any) -> dict[str, Any]:
    """Make the row of a measurement that failed."""
    made = row(image, setting, **others)
    unknown = ("bytes", "bpp", "mse", "psnr_rgb", "psnr_y", "psnr_yuv", "ms_ssim")
    return {**made, **dict.fromkeys(unknown), "error": error}


def table(*rows: dict[str, Any]) -> pa.Table:
    """Make the table of rows that a run would give."""
    return latest(pa.Table.from_pylist(list(rows), schema=ROWS))


def write(folder: Path, rows: list[dict[str, Any]], **info: Any) -> RunFolder:
    """Write a run."""
    run = RunFolder(folder)
    if rows:
        run.append_rows(rows)
    run.update_info(**info)
    return run


def printed(run: RunFolder, width: int = 120, references: Sequence[Published] = (), **chosen: Any) -> str:
    """Return what a report prints."""
    file = io.StringIO()
    show(Run(run, **chosen), Console(file=file, width=width), references)
    return file.getvalue()


def prose(text: str) -> str:
    """Return a text on one line, so that a sentence is found wherever its lines break."""
    return " ".join(text.split())


def line(text: str, start: str) -> str:
    """Return the first line that starts so."""
    return next(line for line in text.splitlines() if line.startswith(start))


def section(text: str, start: str) -> str:
    """Return the part of a report under the title that starts so."""
    titles = ("BD-rate", "Every codec at", "Summary", "Failures", "Training")
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(start))
    ends = (i for i in range(first + 1, len(lines)) if lines[i].startswith(titles))
    return "\n".join(lines[first : next(ends, len(lines))])
