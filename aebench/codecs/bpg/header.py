"""The header of a BPG file: what stands before the HEVC data.

Source: BPG specification 0.9.5 (that of libbpg 0.9.8), clauses 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aebench.codecs.bpg.bits import read_ue7, write_ue7
from aebench.errors import CodecError

MAGIC: Final = b"BPG\xfb"
MOST_PIXELS_A_SIDE: Final = 8192
"""Widest and highest picture that is written or read, so that a few bytes cannot ask for any amount of memory."""

CHROMA: Final = ("grey", "420", "422", "444", "420", "422")
"""Chroma format by ``pixel_format``; the last two have chroma where MPEG-2 has it."""
COLOR_SPACES: Final = ("ycbcr-bt601", "rgb", "ycgco", "ycbcr-bt709", "ycbcr-bt2020")
"""Colour space by ``color_space``."""

_MOST_BYTES: Final = (1 << 30) - 1  # libbpg's own limit, MAX_DATA_SIZE in libbpg.c


@dataclass(frozen=True)
class Header:
    """What the header of a BPG file declares.

    Attributes
    ----------
    width, height : int
        Size of the picture in pixels, 1 to 8192.
    chroma : str
        ``grey``, ``420``, ``422`` or ``444``.
    depth : int
        Bits per sample, 8 to 14.
    color_space : str
        One of `COLOR_SPACES`.
    limited_range : bool
        Whether black is 16 and white 235 (of 255), instead of the full range.
    mpeg2_siting : bool
        Whether chroma of 4:2:0 and 4:2:2 sits on luma samples horizontally, as in MPEG-2, instead of between them, as
        in JPEG.
    alpha : str
        ``none``, ``straight``, ``premultiplied``, or ``w`` for the fourth plane of a CMYK picture.
    animation : bool
        Whether more than one picture follows.
    start, stop : int
        Bytes from and up to which the HEVC headers and data stand in the file.
    """

    width: int
    height: int
    chroma: str
    depth: int
    color_space: str = "ycbcr-bt601"
    limited_range: bool = False
    mpeg2_siting: bool = False
    alpha: str = "none"
    animation: bool = False
    start: int = 0
    stop: int = 0


def read_header(data: bytes) -> Header:
    """Read and check the header of a BPG file (BPG specification, clause 3.1, ``heic_file()``).

    Raises
    ------
    CodecError
        If the bytes are not a BPG file, or a field is reserved, cut off, or larger than `MOST_PIXELS_A_SIDE`.
    """
    if data[:4] != MAGIC:
        raise CodecError(f"not a BPG file: it begins with {data[:4].hex(' ') or 'nothing'}, not {MAGIC.hex(' ')}")
    if len(data) < 6:
        raise CodecError("BPG: the file ends within its header")
    pixel_format, color_space = data[4] >> 5, data[5] >> 4
    depth = (data[4] & 15) + 8
    _check_format(pixel_format, color_space, depth)
    alpha = {(0, 0): "none", (0, 1): "w", (1, 0): "straight", (1, 1): "premultiplied"}[
        data[4] >> 4 & 1, data[5] >> 2 & 1
    ]
    if alpha == "w" and pixel_format == 0:
        raise CodecError("BPG: byte 5 declares a CMYK picture in greyscale")
    width, position = _read_side(data, 6, "picture_width")
    height, position = _read_side(data, position, "picture_height")
    length, position = read_ue7(data, position, "picture_data_length", _MOST_BYTES)
    if data[5] >> 3 & 1:
        position = _skip_extensions(data, position)
    stop = position + length if length else len(data)
    if stop > len(data):
        raise CodecError(f"BPG: picture data should end at byte {stop}, the file ends at byte {len(data)}")
    return Header(
        width=width,
        height=height,
        chroma=CHROMA[pixel_format],
        depth=depth,
        color_space=COLOR_SPACES[color_space],
        limited_range=bool(data[5] >> 1 & 1),
        mpeg2_siting=pixel_format > 3,
        alpha=alpha,
        animation=bool(data[5] & 1),
        start=position,
        stop=stop,
    )


def write_header(header: Header) -> bytes:
    """Write the header of a still picture without alpha or extensions, its data reaching to the end of the file."""
    pixel_format = CHROMA.index(header.chroma)
    color_space = COLOR_SPACES.index(header.color_space)
    flags = bytes([pixel_format << 5 | header.depth - 8, color_space << 4 | header.limited_range << 1])
    return MAGIC + flags + write_ue7(header.width) + write_ue7(header.height) + write_ue7(0)


def _check_format(pixel_format: int, color_space: int, depth: int) -> None:
    if pixel_format >= len(CHROMA):
        raise CodecError(f"BPG: pixel_format {pixel_format} at byte 4 is reserved")
    if depth > 14:
        raise CodecError(f"BPG: bit_depth_minus_8 at byte 4 is {depth - 8}, at most 6 is allowed")
    if color_space >= len(COLOR_SPACES):
        raise CodecError(f"BPG: color_space {color_space} at byte 5 is reserved")
    if pixel_format == 0 and color_space:
        raise CodecError(f"BPG: color_space {color_space} at byte 5, but greyscale takes only 0")


def _read_side(data: bytes, position: int, name: str) -> tuple[int, int]:
    side, after = read_ue7(data, position, name, _MOST_BYTES)
    if not 1 <= side <= MOST_PIXELS_A_SIDE:
        raise CodecError(f"BPG: {name} at byte {position} is {side}, 1 to {MOST_PIXELS_A_SIDE} is read here")
    return side, after


def _skip_extensions(data: bytes, position: int) -> int:
    """Check that ``extension_data()`` holds whole extensions and return the position after them."""
    length, position = read_ue7(data, position, "extension_data_length", _MOST_BYTES)
    stop = position + length
    if stop > len(data):
        raise CodecError(f"BPG: extensions should end at byte {stop}, the file ends at byte {len(data)}")
    extensions = data[:stop]
    while position < stop:
        tag, position = read_ue7(extensions, position, "extension_tag", (1 << 32) - 1)
        length, position = read_ue7(extensions, position, "extension_tag_length", _MOST_BYTES)
        position += length
        if position > stop:
            raise CodecError(f"BPG: extension {tag} should end at byte {position}, its section ends at byte {stop}")
    return stop
