"""What a report says first: what was measured, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aebench.analysis.rows import failures, image_names
from aebench.report.layout import count, printable, some

SHOWN_VERSIONS = ("aebench", "python", "torch", "ray")


def show_heading(name: str, info: Mapping[str, Any], rows: pa.Table, codecs: Sequence[str], console: Console) -> None:
    """Print a run's name and facts, as `facts` lists them."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, fact in facts(info, rows, codecs):
        grid.add_row(Text(label), Text(fact))
    console.print(Text(f"Run {printable(name)}", style="bold"))
    console.print(grid)


def facts(info: Mapping[str, Any], rows: pa.Table, codecs: Sequence[str]) -> list[tuple[str, str]]:
    """List what was measured, with what, when and where: pairs of a label and a fact.

    Parameters
    ----------
    info : mapping
        What ``run.json`` holds; whatever is absent is not listed.
    rows : pyarrow.Table
        As `aebench.analysis.rows.latest` leaves them.
    codecs : sequence of str
        In the order of the tables.
    """
    return [(label, printable(fact)) for label, fact in (*_measured(info, rows, codecs), *_origin(info))]


def _measured(info: Mapping[str, Any], rows: pa.Table, codecs: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not len(rows):
        return
    spec = _at(info, "job", "evaluate", "images")
    yield "images", f"{len(image_names(rows))}{f' of {spec}' if spec else ''}{_sizes(rows)}"
    settings = len(rows["setting"].unique())
    yield "codecs", f"{some(codecs, 12)} ({count(settings, 'setting')})"
    failed = len(failures(rows))
    yield "rows", f"{len(rows) - failed} measured, {failed} failed"


def _sizes(rows: pa.Table) -> str:
    """Write the sizes of the images, or their range where there are many."""
    known = rows.filter(pc.is_valid(rows["width"])).group_by(["width", "height"]).aggregate([]).to_pylist()
    sizes = sorted((size["width"], size["height"]) for size in known)
    if not sizes:
        return ""
    if len(sizes) <= 3:
        return f", {', '.join(f'{width}×{height}' for width, height in sizes)}"
    pixels = sorted(width * height / 1e6 for width, height in sizes)
    return f", {pixels[0]:.2f} to {pixels[-1]:.2f} megapixels"


def _origin(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    networks: dict[str, list[str]] = {}
    for section in _at(info, "job", "train") or ():
        networks.setdefault(section["images"], []).append(section["model"])
    if networks:
        said = (
            f"network{'s'[: len(models) > 1]} {some(models, 12)} on {images}" for images, models in networks.items()
        )
        yield "training", "; ".join(said)
    versions = info.get("versions")
    if isinstance(versions, Mapping):
        shown = [f"{name} {versions[name]}" for name in SHOWN_VERSIONS if versions.get(name)]
        commit = f", commit {info['commit']}" if info.get("commit") else ""
        yield "made with", ", ".join(shown) + commit
    hardware = info.get("hardware")
    if isinstance(hardware, Mapping):
        cpus = hardware.get("cpus")
        parts = (hardware.get("cpu"), count(cpus, "CPU") if isinstance(cpus, int) else None, hardware.get("node"))
        yield "machine", ", ".join(str(part) for part in parts if part)
    if info.get("started"):
        # times are ISO 8601 in UTC, which sort as text; a run begun again has an end before its start
        started, finished = str(info["started"]), str(info.get("finished", ""))
        ended = f"to {_minute(finished)} UTC" if finished > started else "UTC, not finished"
        yield "time", f"{_minute(started)} {ended}"


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _at(info: Mapping[str, Any], *path: str) -> Any:
    """Look a nested value up; None where a step is missing."""
    found: Any = info
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
