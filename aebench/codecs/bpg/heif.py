"""HEIF files around one HEVC picture: read from pillow-heif's encoder, written for its decoder.

Sources: ISO/IEC 14496-12 (ISO base media file format) for the boxes, ISO/IEC 23008-12 (HEIF) for image items, and
ISO/IEC 14496-15, clause 8.3.3.1, for ``HEVCDecoderConfigurationRecord``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from aebench.codecs.bpg.nal import nal_type
from aebench.codecs.bpg.parameter_sets import CHROMA_FORMAT_IDC
from aebench.errors import CodecError

_ITEM: Final = 1
_PRIMARIES_UNSPECIFIED: Final = 2
_MATRIX_IDENTITY: Final = 0  # ITU-T H.273, Table 4: G, B, R stand in the planes of Y, Cb, Cr


def wrap(
    parameter_sets: Iterable[bytes], slices: Iterable[bytes], coded_size: tuple[int, int], chroma: str, depth: int
) -> bytes:
    """Write a HEIF file of one HEVC picture, with a colour profile that makes a reader hand out its planes untouched.

    Parameters
    ----------
    parameter_sets : iterable of bytes
        NAL units of the VPS, the SPS and the PPSs.
    slices : iterable of bytes
        NAL units of the picture's slices.
    coded_size : (int, int)
        Width and height in the SPS.
    chroma, depth
        As in `aebench.codecs.bpg.header.Header`.
    """
    data = b"".join(struct.pack(">I", len(nal)) + nal for nal in slices)
    properties = [
        _box(b"hvcC", _configuration(parameter_sets, chroma, depth)),
        _full_box(b"ispe", struct.pack(">II", *coded_size)),
        _box(b"colr", b"nclx" + struct.pack(">HHHB", *[_PRIMARIES_UNSPECIFIED] * 2, _MATRIX_IDENTITY, 0x80)),
    ]
    associations = bytes([0x81, 2, 3])  # hvcC is essential
    before = [
        _full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
        _full_box(b"pitm", struct.pack(">H", _ITEM)),
        _full_box(b"iinf", struct.pack(">H", 1) + _full_box(b"infe", struct.pack(">HH", _ITEM, 0) + b"hvc1\0", 2)),
        _box(
            b"iprp",
            _box(b"ipco", b"".join(properties))
            + _full_box(b"ipma", struct.pack(">IHB", 1, _ITEM, len(associations)) + associations),
        ),
    ]
    brands = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    head = brands + _meta(before, 0, len(data))
    return brands + _meta(before, len(head) + 8, len(data)) + _box(b"mdat", data)


def unwrap(heif: bytes) -> tuple[dict[int, list[bytes]], list[bytes]]:
    """Take the HEVC data out of the HEIF file of one picture that pillow-heif wrote.

    Returns
    -------
    parameter_sets : dict of int to list of bytes
        NAL units of ``hvcC`` by their type.
    slices : list of bytes
        The other NAL units.

    Raises
    ------
    CodecError
        If a box is missing or does not hold what is expected.
    """
    try:
        meta = dict(_boxes(dict(_boxes(heif))[b"meta"][4:]))
        properties = dict(_boxes(dict(_boxes(meta[b"iprp"]))[b"ipco"]))
        offset, length = _only_extent(meta[b"iloc"])
        nals = _read_configuration(properties[b"hvcC"]) + list(_prefixed(heif[offset : offset + length], 4))
    except (KeyError, struct.error) as error:
        raise CodecError(f"pillow-heif wrote a HEIF file without the expected box or field {error}") from error
    parameter_sets: dict[int, list[bytes]] = {}
    for nal in nals:
        parameter_sets.setdefault(nal_type(nal), []).append(nal)
    slices = [nal for nal in nals if nal_type(nal) < 32]
    return parameter_sets, slices


def _meta(boxes: list[bytes], offset: int, length: int) -> bytes:
    location = struct.pack(">BBHHHHII", 0x44, 0, 1, _ITEM, 0, 1, offset, length)
    return _full_box(b"meta", b"".join(boxes) + _full_box(b"iloc", location))


def _configuration(parameter_sets: Iterable[bytes], chroma: str, depth: int) -> bytes:
    """Write ``HEVCDecoderConfigurationRecord``."""
    profile = bytes([4]) + struct.pack(">I", 1 << 27) + bytes([0x90, 0, 0, 0, 0, 0])
    record = bytes([1]) + profile + bytes([255, 0xF0, 0, 0xFC])
    record += bytes([0xFC | CHROMA_FORMAT_IDC[chroma], 0xF8 | depth - 8, 0xF8 | depth - 8, 0, 0, 0x0F])
    arrays = [bytes([0x80 | nal_type(nal)]) + struct.pack(">HH", 1, len(nal)) + nal for nal in parameter_sets]
    return record + bytes([len(arrays)]) + b"".join(arrays)


def _read_configuration(record: bytes) -> list[bytes]:
    """List the NAL units of ``HEVCDecoderConfigurationRecord``."""
    nals: list[bytes] = []
    position = 23
    for _ in range(record[22]):
        (count,) = struct.unpack_from(">H", record, position + 1)
        position += 3
        for _ in range(count):
            (length,) = struct.unpack_from(">H", record, position)
            nals.append(record[position + 2 : position + 2 + length])
            position += 2 + length
    return nals


def _only_extent(iloc: bytes) -> tuple[int, int]:
    """Read offset and length of the one item with one extent of ``ItemLocationBox`` (ISO/IEC 14496-12, 8.11.3)."""
    version, sizes, base_size = iloc[0], iloc[4], iloc[5] >> 4
    index_size = iloc[5] & 15 if version else 0
    offset_size, length_size = sizes >> 4, sizes & 15
    fields = {"count": 4 if version == 2 else 2, "item": 4 if version == 2 else 2, "method": 2 if version else 0}
    fields |= {"reference": 2, "base": base_size, "extents": 2}
    fields |= {"index": index_size, "offset": offset_size, "length": length_size}
    position, values = 6, dict[str, int]()
    for name, size in fields.items():
        values[name] = int.from_bytes(iloc[position : position + size], "big")
        position += size
    if values["count"] != 1 or values["extents"] != 1 or values["method"]:
        raise CodecError("pillow-heif wrote a HEIF file whose picture is not one extent")
    return values["base"] + values["offset"], values["length"]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position < len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        stop = position + size if size else len(data)
        if stop < start or stop > len(data):
            raise CodecError(f"pillow-heif wrote a HEIF file whose box {name!r} has the length {size}")
        yield name, data[start:stop]
        position = stop


def _prefixed(data: bytes, size: int) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + size], "big")
        position += size
        yield data[position : position + length]
        position += length


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def _full_box(name: bytes, data: bytes, version: int = 0) -> bytes:
    return _box(name, bytes([version, 0, 0, 0]) + data)
