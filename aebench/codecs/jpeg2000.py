"""JPEG 2000 (ITU-T T.800) in a JP2 file, by OpenJPEG through glymur."""

from __future__ import annotations

import os
import struct
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aebench.codecs import openjpeg
from aebench.codecs.base import Codec, Rgb, check_rgb, check_size, parameter
from aebench.errors import CodecError

_MEMORY = Path("/dev/shm")
_MOST_RESOLUTIONS = 6  # OpenJPEG's default: five levels of the wavelet
_IHDR_SIZE_AT = 48


@dataclass(frozen=True)
class Jpeg2000(Codec):
    """JPEG 2000: one tile, one layer, one thread, OpenJPEG's defaults otherwise.

    The file is a JP2, as a JPEG is a JFIF file: the 85 bytes before the codestream say that the colours are sRGB. They
    count. OpenJPEG's rate control comes near to the target from below.
    """

    name = "jpeg2000"
    sweep = "bpp=0.05|0.1|0.2|0.3|0.45|0.6|0.8|1|1.5|2|3|4"
    cost = 0.2

    bpp: float = parameter(1.0, low=0.001, high=24, help="target rate in bits per pixel; 24 leaves nothing out")
    irreversible: bool = parameter(True, help="9/7 wavelet and ICT; false: 5/3 and RCT, lossless at bpp=24")

    def encode(self, rgb: Rgb) -> bytes:
        """Write a JP2 file."""
        rgb = check_rgb(rgb)
        height, width, _ = rgb.shape
        with _glymur_file() as path:
            openjpeg.load_glymur().Jp2k(
                path,
                data=rgb,
                cratios=[24 / self.bpp],
                irreversible=self.irreversible,
                # each level halves the shorter side, which must not fall below one pixel
                numres=min(_MOST_RESOLUTIONS, min(height, width).bit_length()),
            )
            data = path.read_bytes()
        _declared_size(data)  # raises where a full disk cut the file short
        return data

    def decode(self, data: bytes) -> Rgb:
        """Read a JP2 file as `encode` writes it; some damage within the coded data is invisible to the format."""
        width, height = _declared_size(data)
        with _glymur_file() as path:
            path.write_bytes(data)
            rgb = openjpeg.load_glymur().Jp2k(path)[:]
        if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.shape != (height, width, 3):
            raise CodecError(f"the JP2 file declares 8-bit RGB of {width}×{height} pixels and holds something else")
        return rgb

    def version(self) -> str:
        """Name glymur and OpenJPEG."""
        with openjpeg.LOCK:
            found = openjpeg.load_glymur().version
        return f"glymur {found.version}, openjpeg {found.openjpeg_version}"


@contextmanager
def _glymur_file() -> Iterator[Path]:
    """Lend a path to exchange a file with glymur, which takes nothing else; its failures become `CodecError`."""
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with openjpeg.LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with tempfile.TemporaryDirectory(prefix="aebench-", dir=memory) as folder:
                yield Path(folder) / "image.jp2"
        except CodecError:
            raise
        except Exception as error:  # glymur fails in many ways on bytes that no encoder made
            raise CodecError(f"JPEG 2000: {str(error) or type(error).__name__}") from error


def _declared_size(data: bytes) -> tuple[int, int]:
    """Read width and height from the header, once all of it is seen to be one that `Jpeg2000.encode` writes."""
    if len(data) < _IHDR_SIZE_AT + 8:
        raise CodecError(f"not a JP2 file: {len(data)} bytes are less than its header")
    height, width = struct.unpack_from(">II", data, _IHDR_SIZE_AT)
    check_size(width, height)
    if not data.startswith(_header(width, height, len(data))):
        raise CodecError("not a whole JP2 file of one tile of 8-bit sRGB, as this codec writes it")
    return width, height


def _header(width: int, height: int, length: int) -> bytes:
    """Compose a JP2 file of this length up to and with its SIZ marker (ITU-T T.800, A.5.1 and annex I)."""
    ihdr = _box(b"ihdr", struct.pack(">IIHBBBB", height, width, 3, 7, 7, 0, 0))
    colr = _box(b"colr", struct.pack(">BBBI", 1, 0, 0, 16))  # enumerated: sRGB
    boxes = _box(b"jP  ", b"\r\n\x87\n") + _box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + _box(b"jp2h", ihdr + colr)
    size = struct.pack(">HHHHIIIIIIIIH", 0xFF4F, 0xFF51, 47, 0, width, height, 0, 0, width, height, 0, 0, 3)
    return boxes + struct.pack(">I4s", length - len(boxes), b"jp2c") + size + 3 * b"\x07\x01\x01"


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
