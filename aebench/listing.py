"""What ``aebench codecs`` and ``aebench images`` print."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aebench.codecs.base import Codec, format_value, parameters
from aebench.codecs.registry import find, list_codecs
from aebench.errors import Error, ImageError
from aebench.images import describe, open_rgb, resolve

MOST_IMAGES = 200
"""A longer list is cut, and says so."""


def show_codecs(console: Console) -> None:
    """Print every registered codec with its parameters, default sweep and versions."""
    table = Table(title="Codecs", title_justify="left", show_lines=True)
    for heading in ("codec", "parameters", "default sweep", "version"):
        table.add_column(heading, overflow="fold")
    for name in list_codecs():
        try:
            codec = find(name)
            table.add_row(Text(name), Text(_parameters(codec)), Text(_sweep(codec)), Text(_version(codec)))
        except Error as error:
            table.add_row(Text(name), "", "", Text(f"not available: {error}"))
    console.print(table)
    console.print("A setting is written jpeg[quality=50]; several, jpeg[quality=10|30|50] or bpg[qp=22..37:5].",
                  highlight=False, markup=False)  # fmt: skip


def show_images(spec: str, console: Console) -> None:
    """Print the images of a set with their sizes, and where the set comes from."""
    images = resolve(spec)
    table = Table(title=Text(f"{spec}: {len(images)} images, {describe(spec)}"), title_justify="left")
    table.add_column("image", overflow="fold")
    table.add_column("size", justify="right")
    table.add_column("from", overflow="fold")
    for image in images[:MOST_IMAGES]:
        try:
            height, width, _ = open_rgb(image.uri).shape
            size = f"{width}×{height}"
        except ImageError as error:
            size = f"unreadable: {error}"
        table.add_row(Text(image.name), Text(size), Text(image.uri))
    console.print(table)
    if len(images) > MOST_IMAGES:
        console.print(f"… and {len(images) - MOST_IMAGES} more", highlight=False)


def _parameters(codec: type[Codec]) -> str:
    lines = []
    for name, field in parameters(codec).items():
        choices, low, high = (field.metadata[key] for key in ("choices", "low", "high"))
        if choices is not None:
            domain = "|".join(map(_text, choices))
        elif low is not None or high is not None:
            domain = f"{'' if low is None else _text(low)}..{'' if high is None else _text(high)}"
        else:
            domain = type(field.default).__name__
        lines.append(f"{name}={_text(field.default)}  ({domain}) {field.metadata['help']}")
    return "\n".join(lines)


def _text(value: Any) -> str:
    return format_value(value) or '""'


def _sweep(codec: type[Codec]) -> str:
    return codec.sweep or codec().setting


def _version(codec: type[Codec]) -> str:
    try:
        return codec().version()
    except Error as error:
        return str(error)
