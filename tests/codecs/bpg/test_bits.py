from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.codecs.bpg.bits import BitReader, BitWriter, read_ue7, write_ue7
from aebench.errors import CodecError

WIDTH_AND_VALUE = st.integers(0, 40).flatmap(lambda width: st.tuples(st.just(width), st.integers(0, (1 << width) - 1)))


@given(st.lists(WIDTH_AND_VALUE))
def test_unsigned_round_trip(fields: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for width, value in fields:
        writer.u(width, value)
    data = writer.to_bytes()
    assert len(data) == (sum(width for width, _ in fields) + 7) // 8
    reader = BitReader(data, "test")
    assert [(width, reader.u(width)) for width, _ in fields] == fields


@given(st.lists(st.integers(0, (1 << 32) - 2)))
def test_exp_golomb_round_trip(values: list[int]) -> None:
    writer = BitWriter()
    for value in values:
        writer.ue(value)
    reader = BitReader(writer.to_bytes(), "test")
    assert [reader.ue("value", 1 << 32) for _ in values] == values


def test_exp_golomb_codes() -> None:
    """Tables 9-2 and 9-3 of H.265."""
    codes = {0: "1", 1: "010", 2: "011", 3: "00100", 4: "00101", 9: "0001010"}
    signed = {1: 1, -1: 2, 2: 3, -2: 4, 0: 0}
    for value, code in codes.items():
        writer = BitWriter()
        writer.ue(value)
        assert writer.to_bytes() == int(code.ljust(8, "0"), 2).to_bytes(1, "big")
    for value, same_as in signed.items():
        writer, other = BitWriter(), BitWriter()
        writer.se(value)
        other.ue(same_as)
        assert writer.to_bytes() == other.to_bytes()


@given(st.integers(0, (1 << 32) - 1), st.binary(max_size=3))
def test_ue7_round_trip(value: int, before: bytes) -> None:
    data = before + write_ue7(value)
    assert read_ue7(data + b"\xff", len(before), "value", (1 << 32) - 1) == (value, len(data))


def test_ue7_examples_of_the_specification() -> None:
    assert [write_ue7(value).hex() for value in (8, 542, 728855)] == ["08", "841e", "acbe17"]


@pytest.mark.parametrize("data", [b"", b"\x80\x01", b"\x81", b"\xff\xff\xff\xff\xff\x7f", b"\xff" * 100])
def test_ue7_refuses(data: bytes) -> None:
    with pytest.raises(CodecError, match="length"):
        read_ue7(data, 0, "length", (1 << 30) - 1)


@given(st.binary(max_size=12))
def test_reader_ends(data: bytes) -> None:
    reader = BitReader(data, "test")
    with pytest.raises(CodecError, match="test"):
        while True:
            reader.ue("value", 100)


def test_writer_refuses() -> None:
    writer = BitWriter()
    with pytest.raises(ValueError, match="fit"):
        writer.u(3, 8)
    writer.u(3, 7)
    with pytest.raises(ValueError, match="before the bytes"):
        writer.aligned_bytes(b"x")
