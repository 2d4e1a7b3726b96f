"""Single files: ``aebench encode`` and ``aebench decode``."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from aebench.codecs.registry import codec
from aebench.errors import CodecError, ImageError
from aebench.images import open_rgb


def encode_file(image: str, output: Path, setting: str) -> str:
    """Compress an image file and say in a line what came of it."""
    chosen = codec(setting)
    rgb = open_rgb(image)
    data = chosen.encode(rgb)
    _write(output, data)
    height, width, _ = rgb.shape
    return (
        f"{output}: {chosen.setting}, {width}×{height}, {len(data)} bytes, {8 * len(data) / (width * height):.4f} bpp"
    )


def decode_file(file: Path, output: Path, setting: str) -> str:
    """Reconstruct the image in a compressed file and say in a line what came of it."""
    chosen = codec(setting)
    if output.suffix.lower() not in Image.registered_extensions():
        raise ImageError(f"cannot write {output}: no image format has the suffix {output.suffix!r}; try .png")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CodecError(f"cannot read {file}: {error.strerror}") from error
    rgb = chosen.decode(data)
    try:
        Image.fromarray(rgb).save(output)
    except OSError as error:
        raise ImageError(f"cannot write {output}: {error}") from error
    height, width, _ = rgb.shape
    return f"{output}: {width}×{height}, from {len(data)} bytes of {chosen.name}"


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CodecError(f"cannot write {path}: {error.strerror}") from error
