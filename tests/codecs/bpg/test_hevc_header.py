from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.codecs.bpg.hevc_header import Pcm, Sps, read_hevc_header, write_hevc_header
from aebench.codecs.bpg.parameter_sets import read_sps_nal, sps_nal
from aebench.errors import CodecError


@st.composite
def sps_and_depth(draw: st.DrawFn) -> tuple[Sps, int]:
    depth = draw(st.integers(8, 14))
    coding = draw(st.integers(3, 6))
    tree = draw(st.integers(max(coding, 4), 6))
    transform = draw(st.integers(2, coding - 1))
    largest = draw(st.integers(transform, min(tree, 5)))
    smallest_pcm = draw(st.integers(min(coding, 5), min(tree, 5)))
    pcm = Pcm(
        draw(st.integers(1, depth)),
        draw(st.integers(1, depth)),
        smallest_pcm,
        draw(st.integers(smallest_pcm, min(tree, 5))),
        draw(st.booleans()),
    )
    # the fifth and the ninth flag are forbidden
    flags = draw(st.tuples(*[st.just(False) if place in (4, 8) else st.booleans() for place in range(9)]))
    sps = Sps(
        coding,
        tree,
        transform,
        largest,
        draw(st.integers(0, min(tree - transform, 4))),
        draw(st.booleans()),
        draw(st.sampled_from([None, pcm])),
        draw(st.booleans()),
        draw(st.sampled_from([None, flags])),
    )
    return sps, depth


@given(sps_and_depth(), st.binary(max_size=3))
def test_round_trip(case: tuple[Sps, int], before: bytes) -> None:
    sps, depth = case
    data = before + write_hevc_header(sps)
    assert read_hevc_header(data + b"after", len(before), depth) == (sps, len(data))


@given(sps_and_depth(), st.sampled_from(["grey", "420", "422", "444"]), st.integers(1, 8192), st.integers(1, 8192))
def test_full_sps_round_trip(case: tuple[Sps, int], chroma: str, width: int, height: int) -> None:
    sps, depth = case
    size = sps.coded_size(width, height)
    assert read_sps_nal(sps_nal(sps, size, chroma, depth), size, chroma, depth) == sps


@given(st.binary(max_size=20), st.integers(8, 14))
def test_any_bytes_are_read_or_refused(data: bytes, depth: int) -> None:
    try:
        sps, position = read_hevc_header(data, 0, depth)
    except CodecError:
        return
    assert write_hevc_header(sps)[1:] == data[1:position]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "ends within"),
        ("0400", "should hold 4 bytes"),
        ("00", "ends at bit 0"),
        ("ff7f", "above 64"),
        ("0100", "ends at bit 8"),
        ("0500000000ff", "longer than 32 bits|ends at bit"),
        ("0128", "log2_min_luma_coding_block_size_minus3"),
    ],
)
def test_refuses(header: str, said: str) -> None:
    with pytest.raises(CodecError, match=said):
        read_hevc_header(bytes.fromhex(header), 0, 8)


@pytest.mark.parametrize(
    ("sps", "depth", "said"),
    [
        (Sps(3, 3, 2, 2, 0), 8, "8x8"),
        (Sps(3, 6, 2, 5, 0, pcm=Pcm(9, 8, 3, 5, True)), 8, "9 and 8 bits in a picture of 8"),
        (Sps(4, 6, 2, 5, 0, pcm=Pcm(8, 8, 3, 5, True)), 8, "below the smallest coding block"),
        (Sps(3, 6, 2, 5, 0, range_extension=(False,) * 4 + (True,) + (False,) * 4), 8, "extended_precision"),
        (Sps(3, 6, 2, 5, 0, range_extension=(False,) * 8 + (True,)), 8, "cabac_bypass_alignment"),
    ],
)
def test_refuses_values(sps: Sps, depth: int, said: str) -> None:
    with pytest.raises(CodecError, match=said):
        read_hevc_header(write_hevc_header(sps), 0, depth)


def test_refuses_another_length() -> None:
    header = write_hevc_header(Sps(3, 6, 2, 5, 3))
    for damaged in (bytes([header[0] + 1]) + header[1:] + b"\0", header[:-1] + bytes([header[-1] | 1])):
        with pytest.raises(CodecError, match="does not end where its length says"):
            read_hevc_header(damaged, 0, 8)


def test_coded_size() -> None:
    assert Sps(3, 6, 2, 5, 3).coded_size(1, 17) == (8, 24)
    assert Sps(5, 6, 2, 5, 3).coded_size(64, 33) == (64, 64)
