"""Image files made by hand, of kinds that libraries will not write."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


def png16(samples: np.ndarray, kind: int, transparent: tuple[int, ...] | None = None) -> bytes:
    """Write a PNG of 16 bits a sample: ``kind`` is PNG's colour type, 0, 2, 4 or 6."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, width * _CHANNELS[kind]).astype(">u2")
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))]
    if transparent is not None:
        chunks.append((b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)))
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Write an image with Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photograph(height: int = 24, width: int = 32) -> np.ndarray:
    """Make a small colour image that has gradients and noise."""
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=2)
    noise = np.random.default_rng(0).integers(-20, 21, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def write(path: Path, rgb: np.ndarray | None = None) -> Path:
    """Write a PNG of a photograph, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(Image.fromarray(photograph() if rgb is None else rgb), "PNG"))
    return path
