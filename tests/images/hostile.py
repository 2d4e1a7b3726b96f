"""Image files that are small and would be large."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from tests.images.files import encoded, photograph

SIDE = 60_000
"""Of what the bombs declare, where the format allows it: 10 GB as RGB."""

_RGB = Image.fromarray(photograph(16, 16))
_TEXT = zlib.compress(bytes(300_000_000), 9)


def size_bombs() -> dict[str, bytes]:
    """Make a file of every format that declares far more pixels than it holds."""
    side = struct.pack(">II", SIDE, SIDE)
    jpeg = encoded(_RGB, "JPEG")
    frame = jpeg.index(b"\xff\xc0") + 5
    gif = encoded(_RGB.convert("P"), "GIF")
    descriptor = gif.index(b",\0\0\0\0\x10\0\x10\0") + 5
    bmp = encoded(_RGB, "BMP")
    webp = encoded(_RGB, "WEBP", lossless=True)
    lossless = webp.index(b"VP8L") + 9
    jp2 = encoded(_RGB, "JPEG2000")
    box, size = jp2.index(b"ihdr") + 4, jp2.index(b"\xff\x51") + 6
    return {
        "png": png([(b"IHDR", side + b"\x08\x02\0\0\0"), (b"IDAT", zlib.compress(bytes(1000)))]),
        "jpeg": replaced(jpeg, frame, struct.pack(">HH", SIDE, SIDE)),
        "gif": replaced(replaced(gif, 6, struct.pack("<HH", SIDE, SIDE)), descriptor, struct.pack("<HH", SIDE, SIDE)),
        "bmp": replaced(bmp, 18, struct.pack("<ii", SIDE, SIDE)),
        "ppm": b"P6 60000 60000 255\n" + bytes(100),
        "tiff": tiff(SIDE),
        "webp": replaced(webp, lossless, struct.pack("<I", 0x0FFFFFFF)),  # 16,384 squared
        "jp2": replaced(replaced(jp2, box, side), size, side + bytes(8) + side),
    }


def text_bombs() -> dict[str, bytes]:
    """Make PNG files of 16×16 pixels whose texts or profile unfold to 300 MB."""
    header = [(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))]
    body = [(b"IDAT", zlib.compress(bytes(16 * 17))), (b"IEND", b"")]
    texts = {
        "ztxt": (b"zTXt", b"Comment\0\0" + _TEXT),
        "itxt": (b"iTXt", b"Comment\0\x01\0\0\0" + _TEXT),
        "iccp": (b"iCCP", b"profile\0\0" + _TEXT),
    }
    return {name: png([*header, text, *body]) for name, text in texts.items()}


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Write a PNG of chunks, with their checksums."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def tiff(side: int) -> bytes:
    """Write a TIFF that declares a square in grey, in one strip of 100 bytes (TIFF 6.0, section 2)."""
    tags = [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, side), (279, 100)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 108) + bytes(100) + struct.pack("<H", len(tags)) + entries + bytes(4)


def replaced(data: bytes, place: int, change: bytes) -> bytes:
    """Overwrite bytes."""
    return data[:place] + change + data[place + len(change) :]
