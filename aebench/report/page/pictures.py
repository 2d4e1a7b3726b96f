"""The pictures of the viewer: reconstructions that a run has kept, some inside the page, the others linked.

The page stays under `BUDGET`: what is embedded is chosen by `_groups`, everything else that is stored is linked by a
relative path, which works where the page lies in its run.
"""

from __future__ import annotations

import base64
import io
import math
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from PIL import Image

from aebench.analysis.curves import RdCurve
from aebench.analysis.run import Run
from aebench.kept import image_path, kept_files, original_path
from aebench.storage import Place, RemotePath

BUDGET: Final = 12_000_000
"""Bytes of pictures in the page."""

LADDER: Final = (0.5, 0.25, 1.0, 0.1, 2.0)
"""Rates in bits per pixel near which settings are embedded, the most important first."""

_LEAST_SHARE: Final = 0.4
"""A picture is not tried where even this share of its PNG file would be too much."""


@dataclass(frozen=True)
class Picture:
    """A stored picture: the relative path of its PNG file, and the same pixels as a ``data:`` URI where embedded."""

    path: str
    data: str = ""


@dataclass(frozen=True)
class Gallery:
    """What a run has kept.

    Attributes
    ----------
    originals : dict
        Image to picture.
    decoded : dict
        Image to setting to picture.
    """

    originals: dict[str, Picture]
    decoded: dict[str, dict[str, Picture]]

    @property
    def pictures(self) -> list[Picture]:
        """All of them."""
        return [*self.originals.values(), *(picture for by in self.decoded.values() for picture in by.values())]

    @property
    def embedded(self) -> int:
        """How many are inside the page."""
        return sum(bool(picture.data) for picture in self.pictures)


def gallery(run: Run, images: Sequence[str], folder: Place, budget: int = BUDGET) -> Gallery:
    """Collect the pictures of some images that a run has kept, as many embedded as the budget allows.

    Parameters
    ----------
    run : Run
    images : sequence of str
    folder : path
        Where the page will be, to which paths are relative.
    budget : int
        Bytes that the embedded ones may take.
    """
    curves = run.rd_curves().images
    files = kept_files(run.folder, images)
    originals = {image: path for image in images if (path := original_path(run.folder, image)) in files}
    decoded = {
        image: {
            setting: path
            for curve in curves.get(image, {}).values()
            for setting in curve.settings
            if (path := image_path(run.folder, image, setting)) in files
        }
        for image in images
    }
    groups = _groups({image: curves[image] for image in images if decoded[image]}, originals, decoded)
    data = _embedded(groups, files, budget)

    def picture(path: Place) -> Picture:
        return Picture(relative_link(path, folder), data.get(path, ""))

    return Gallery(
        {image: picture(path) for image, path in originals.items()},
        {image: {setting: picture(path) for setting, path in by.items()} for image, by in decoded.items() if by},
    )


def relative_link(path: Place, folder: Place) -> str:
    """Write the relative URL of a file on a page in a folder."""
    if isinstance(path, RemotePath) and isinstance(folder, RemotePath):
        return quote(posixpath.relpath(path.key, folder.key), safe="/,=+")
    if isinstance(path, RemotePath) or isinstance(folder, RemotePath):
        return str(path)  # a page apart from its run
    return quote(Path(os.path.relpath(path, folder)).as_posix(), safe="/,=+")


def _groups(
    curves: dict[str, dict[str, RdCurve]], originals: dict[str, Place], decoded: dict[str, dict[str, Place]]
) -> Iterator[list[Place]]:
    """Choose what is embedded together: the original and every variant near one rate of `LADDER` on one image.

    All images come at the first rate, spread evenly from the first on, then all at the next.
    """
    for rate in LADDER:
        for image in _spread(list(curves)):
            nearest = [_nearest(curve, decoded[image], rate) for curve in curves[image].values()]
            group = [decoded[image][setting] for setting in nearest if setting]
            yield [originals[image], *group] if image in originals else group


def _nearest(curve: RdCurve, stored: dict[str, Place], rate: float) -> str:
    """Find the stored setting whose rate on this image is nearest, in ratio; empty where none is stored."""
    found = [(abs(math.log(bpp / rate)), setting) for bpp, setting in zip(curve.bpp, curve.settings, strict=True)]
    return min((pair for pair in found if pair[1] in stored), default=(0.0, ""))[1]


def _spread(images: list[str]) -> list[str]:
    """Order images such that any first few lie evenly among all: by the bits of their positions read backwards."""
    bits = max(len(images) - 1, 1).bit_length()
    return [image for _, image in sorted((f"{i:0{bits}b}"[::-1], image) for i, image in enumerate(images))]


def _embedded(groups: Iterator[list[Place]], sizes: Mapping[Place, int], budget: int) -> dict[Place, str]:
    """Encode group after group, until one does not fit."""
    data: dict[Place, str] = {}
    left = budget
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for group in groups:
            new = [path for path in group if path not in data]
            if sum(sizes[path] for path in new) * _LEAST_SHARE > left:
                continue
            made = dict(zip(new, pool.map(_data_uri, new), strict=True))
            size = sum(map(len, made.values()))
            if size > left:
                break
            data |= made
            left -= size
    return data


def _data_uri(path: Place) -> str:
    """Write the pixels of a PNG file as lossless WebP, which browsers show as they are; empty where it cannot be."""
    file = io.BytesIO()
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.convert("RGB").save(file, "WEBP", lossless=True, quality=50, method=0)  # the quickest, 6 % larger
    except (OSError, ValueError):  # damaged, or wider than WebP can be: it is linked
        return ""
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
