"""Names of images inside a set: which files are taken, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TypeVar

T = TypeVar("T")

SUFFIXES = frozenset((
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib",
    ".ppm", ".pgm", ".pbm", ".pnm", ".gif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpx",
))  # fmt: skip
"""Suffixes, in any case, of the files that are taken from a folder."""

_NUMBER = re.compile(r"0*([1-9][0-9]*|0)")


def is_image(name: str) -> bool:
    """Tell whether a file's suffix is one of `SUFFIXES`."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def is_hidden(name: str) -> bool:
    """Tell whether a relative path leads through or to something whose name begins with a dot."""
    return any(part.startswith(".") for part in name.split("/"))


def sort_naturally(items: list[T], name_of: Callable[[T], str]) -> None:
    """Sort by name as people do, ``kodim2`` before ``kodim10``, folder by folder; case only breaks ties."""
    items.sort(key=name_of)
    items.sort(key=lambda item: _natural_key(name_of(item)))


def _natural_key(name: str) -> str:
    # strings, which of a million names take a tenth of what tuples do: a folder ends before its name goes on, a number
    # stands behind what no name has, and its length before its digits
    folded = name.casefold().replace("/", "\0")
    return _NUMBER.sub(lambda number: f"\1{chr(len(number[1]))}{number[1]}", folded)
