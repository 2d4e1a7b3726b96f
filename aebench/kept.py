"""Bitstreams and reconstructions that a run keeps beside its rows, so that they can be looked at.

    RUN/streams/<image>/<setting>.<suffix>    the bytes that were counted
    RUN/images/<image>/<setting>.png          the pixels that were scored
    RUN/images/<image>/original.png           the pixels that were given to the encoder

For the names see `aebench.names`. Whoever reads asks the functions here for the paths.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal

from PIL import Image

from aebench.codecs.base import Rgb
from aebench.names import file_name
from aebench.results import RunFolder
from aebench.storage import THREADS, Place, file_size, file_sizes, write_file

Keep = Literal["streams", "images"]
"""``streams`` keeps every bitstream; ``images`` keeps every reconstruction and the originals as well."""

STREAM, IMAGE, ORIGINAL = "kept_stream", "kept_image", "kept_original"
"""Keys under which a measurement carries what is to be kept: bytes, of a bitstream or a PNG file."""

_SUFFIXES: Final = {
    "avif": "avif", "bpg": "bpg", "bpg-libbpg": "bpg", "heif": "heic", "jpeg": "jpg", "jpeg2000": "jp2", "jxl": "jxl",
    "webp": "webp",
}  # fmt: skip
"""Codecs whose bitstreams other programs can open; the others' end in ``bin``."""


def stream_path(run: RunFolder, image: str, setting: str) -> Place:
    """Return where the bitstream of an image at a setting is, if the run kept it."""
    suffix = _SUFFIXES.get(setting.partition("[")[0], "bin")
    return run.path / "streams" / file_name(image) / f"{file_name(setting)}.{suffix}"


def image_path(run: RunFolder, image: str, setting: str) -> Place:
    """Return where the reconstruction of an image at a setting is, if the run kept it: a PNG file of 8-bit RGB."""
    return run.path / "images" / file_name(image) / f"{file_name(setting)}.png"


def original_path(run: RunFolder, image: str) -> Place:
    """Return where the original is, if the run kept it: a PNG file of 8-bit RGB."""
    return run.path / "images" / file_name(image) / "original.png"


def png(rgb: Rgb) -> bytes:
    """Write uint8 RGB of shape (height, width, 3) as a PNG file, quickly rather than small."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()


def kept_files(run: RunFolder, images: Iterable[str]) -> dict[Place, int]:
    """Return the files that a run has kept of some images, with their size in bytes: two listings an image."""
    folders = [run.path / kind / file_name(image) for image in images for kind in ("streams", "images")]
    with ThreadPoolExecutor(THREADS) as pool:
        return {path: size for sizes in pool.map(file_sizes, folders) for path, size in sizes.items()}


def is_kept(run: RunFolder, row: Mapping[str, Any], keep: Keep | None, files: Mapping[Place, int]) -> bool:
    """Tell whether the files that should be kept of a row are there; a stream of another length is another stream."""
    if keep is None:
        return True
    image, setting = row["image"], row["setting"]
    if files.get(stream_path(run, image, setting)) != row["bytes"]:
        return False
    return keep == "streams" or {image_path(run, image, setting), original_path(run, image)} <= files.keys()


def write_kept(run: RunFolder, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the files that a measurement carries, and remove those that it proves stale; return the row without them.

    Raises
    ------
    ResultsError
        If a file cannot be written.
    """
    image, setting = row["image"], row["setting"]
    stream, decoded = stream_path(run, image, setting), image_path(run, image, setting)
    if row["bytes"] is not None and file_size(stream) not in (None, row["bytes"]):
        stream.unlink()
        decoded.unlink(missing_ok=True)
    paths = {STREAM: stream, IMAGE: decoded, ORIGINAL: original_path(run, image)}
    for key, path in paths.items():
        if row[key] is not None:
            write_file(path, row[key])
    return {key: value for key, value in row.items() if key not in paths}
