from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.codecs.bpg.nal import PPS, first_picture, nal_type, pack_nal, unpack_nal
from aebench.errors import CodecError

START = b"\x00\x00\x01"
PPS_NAL = bytes([34 << 1, 1, 0xC1])
SLICE = bytes([19 << 1, 1, 0xA8, 7])
REST = bytes([19 << 1, 1, 0x28, 7])
ALPHA = bytes([19 << 1, 1 | 1 << 3, 0xA8, 7])
SEI = bytes([39 << 1, 1, 5])


def of_type(kind: int) -> bytes:
    return bytes([kind << 1, 1, 0xA8, 7])


@given(st.lists(st.sampled_from([b"\0", b"\1", b"\2", b"\3", b"\4", b"\xff"]), max_size=30).map(b"".join))
def test_emulation_prevention_round_trip(rbsp: bytes) -> None:
    nal = pack_nal(PPS, rbsp)
    assert unpack_nal(nal) == rbsp
    assert nal_type(nal) == PPS
    assert not any(bytes([0, 0, last]) in nal[2:] for last in range(3))


def test_first_picture_of_several() -> None:
    data = START.join([PPS_NAL, SEI, ALPHA, SLICE, REST, SLICE, SLICE])
    picture = first_picture(data)
    assert picture.pps == (PPS_NAL,)
    assert picture.slices == (SLICE, REST)


def test_first_picture_ends_at_a_parameter_set() -> None:
    other = PPS_NAL + b"\x07"
    assert first_picture(START.join([PPS_NAL, SLICE, other, REST])).pps == (PPS_NAL,)


def test_longer_start_codes_and_trailing_zeros() -> None:
    assert first_picture(PPS_NAL + b"\0" + START + SLICE + b"\0\0\0").slices == (SLICE,)


@pytest.mark.parametrize(
    ("nals", "said"),
    [
        ([b""], "0 bytes at byte 0"),
        ([PPS_NAL, b"\x02"], "1 bytes at byte 6"),
        ([PPS_NAL], "no slice"),
        ([SLICE], "no picture parameter set"),
        ([PPS_NAL, ALPHA], "no slice"),
        ([PPS_NAL, REST], "does not begin a picture"),
        ([PPS_NAL, of_type(1)], "not an intra picture"),
        ([of_type(32), PPS_NAL, SLICE], "type 32 at byte 0"),
        ([PPS_NAL, of_type(33), SLICE], "type 33 at byte 6"),
        ([bytes([0x80 | 34 << 1, 1, 1]), SLICE], "forbidden_zero_bit"),
        ([bytes([34 << 1, 0, 1]), SLICE], "nuh_temporal_id_plus1"),
        ([PPS_NAL + bytes([1]) * 5000, SLICE], "parameter set of 5003 bytes"),
        ([PPS_NAL] * 65, "too many"),
        ([PPS_NAL, SLICE] + [REST] * 600, "too many"),
    ],
)
def test_refuses(nals: list[bytes], said: str) -> None:
    with pytest.raises(CodecError, match=said):
        first_picture(START.join(nals))


@given(st.binary(max_size=60))
def test_any_bytes_are_split_or_refused(data: bytes) -> None:
    try:
        picture = first_picture(data)
    except CodecError:
        return
    assert picture.pps and picture.slices
