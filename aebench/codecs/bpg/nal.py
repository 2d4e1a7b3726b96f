"""NAL units: where they begin and end, and which of them make the first picture.

Sources: ITU-T H.265 (v4, 12/2016) clauses 7.3.1, 7.4.2.2 (Table 7-1) and Annex B; BPG specification 0.9.5, clause 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aebench.errors import CodecError

IDR_W_RADL: Final = 19
VPS: Final = 32
SPS: Final = 33
PPS: Final = 34
MOST_SLICE_SEGMENTS: Final = 600
"""Slice segments in one picture: what level 6.2 allows (clause A.4.1, Table A.8). Encoders of BPG write one."""
MOST_PPS: Final = 64  # pps_pic_parameter_set_id is 0 to 63, clause 7.4.3.3.1
MOST_PPS_BYTES: Final = 4096  # one with every list and every tile is smaller

_START_CODE: Final = b"\x00\x00\x01"


@dataclass(frozen=True)
class Picture:
    """The NAL units of one picture: its picture parameter sets, and its slice segments."""

    pps: tuple[bytes, ...]
    slices: tuple[bytes, ...]


def pack_nal(nal_type: int, rbsp: bytes) -> bytes:
    """Put the two-byte header before a payload and insert emulation prevention bytes (clauses 7.3.1.1 and 7.3.1.2)."""
    out = bytearray([nal_type << 1, 1])
    zeros = 0
    for byte in rbsp:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def unpack_nal(nal: bytes) -> bytes:
    """Return the payload of a NAL unit without its header and emulation prevention bytes (clause 7.3.1.1)."""
    # bytes.replace scans once, left to right, and never matches inside what it replaced, as the clause asks.
    return nal[2:].replace(b"\x00\x00\x03", b"\x00\x00")


def nal_type(nal: bytes) -> int:
    """``nal_unit_type`` (clause 7.3.1.2)."""
    return nal[0] >> 1 & 63


def first_picture(data: bytes) -> Picture:
    """Collect the NAL units of the first colour picture of ``hevc_data()``.

    What belongs to other layers (alpha), to later pictures (animation) and everything that does not change pixels
    (supplemental information, delimiters) is left out.

    Raises
    ------
    CodecError
        If the data hold what BPG forbids (VPS, SPS), or no whole picture that begins with an intra slice.
    """
    pps: list[bytes] = []
    slices: list[bytes] = []
    for position, nal in _split(data):
        kind = nal_type(nal)
        if (nal[0] & 1) << 5 | nal[1] >> 3:  # nuh_layer_id
            continue
        if kind in (VPS, SPS):
            raise CodecError(f"HEVC data: NAL unit type {kind} at byte {position}, which a BPG file shall not hold")
        is_slice = kind <= 9 or 16 <= kind <= 21
        if slices and (kind == PPS or (is_slice and nal[2] & 0x80)):
            break  # the next picture begins here
        if kind == PPS:
            if len(nal) > MOST_PPS_BYTES:
                raise CodecError(f"HEVC data: a picture parameter set of {len(nal)} bytes at byte {position}")
            pps.append(nal)
        elif is_slice:
            _check_slice(nal, position, first=not slices)
            slices.append(nal)
        if len(pps) > MOST_PPS or len(slices) > MOST_SLICE_SEGMENTS:
            raise CodecError(f"HEVC data: too many NAL units of type {kind} at byte {position}")
    if not pps or not slices:
        raise CodecError(f"HEVC data: no {'slice' if pps else 'picture parameter set'} in the first picture")
    return Picture(tuple(pps), tuple(slices))


def _check_slice(nal: bytes, position: int, first: bool) -> None:
    kind = nal_type(nal)
    if first and not nal[2] & 0x80:
        raise CodecError(f"HEVC data: the first slice, at byte {position}, does not begin a picture")
    if kind < 16:
        raise CodecError(f"HEVC data: the first picture, at byte {position}, is not an intra picture (type {kind})")


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Split at start codes (Annex B); the first NAL unit has none. Gives each with its position."""
    position = 0
    while True:
        stop = data.find(_START_CODE, position)
        nal = data[position : stop if stop >= 0 else len(data)].rstrip(b"\x00")  # trailing_zero_8bits
        if len(nal) < 3:
            raise CodecError(f"HEVC data: a NAL unit of {len(nal)} bytes at byte {position}")
        if nal[0] & 0x80:
            raise CodecError(f"HEVC data: forbidden_zero_bit is set at byte {position}")
        if not nal[1] & 7:
            raise CodecError(f"HEVC data: nuh_temporal_id_plus1 is 0 at byte {position + 1}")
        yield position, nal
        if stop < 0:
            return
        position = stop + len(_START_CODE)
