"""Names of images inside a set: which files are taken, and in which order."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

SUFFIXES = frozenset((
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib",
    ".ppm", ".pgm", ".pbm", ".pnm", ".gif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpx",
))  # fmt: skip
"""Suffixes, in any case, of the files that are taken from a folder."""

_DIGITS = re.compile(r"([0-9]+)")


def is_image(name: str) -> bool:
    """Tell whether a file's suffix is one of `SUFFIXES`."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def is_hidden(name: str) -> bool:
    """Tell whether a relative path leads through or to something whose name begins with a dot."""
    return any(part.startswith(".") for part in name.split("/"))


def natural_key(name: str) -> tuple[tuple[tuple[int | str, ...], ...], str]:
    """Order names as people do, ``kodim2`` before ``kodim10``, folder by folder; case only breaks ties."""
    # Splitting on a group puts text at the even and numbers at the odd places, so that like is compared with like.
    parts = (_DIGITS.split(part.casefold()) for part in name.split("/"))
    return tuple(tuple(int(p) if i % 2 else p for i, p in enumerate(part)) for part in parts), name
