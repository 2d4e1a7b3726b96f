from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.codecs.bpg import Header, read_header
from aebench.codecs.bpg.bits import write_ue7
from aebench.codecs.bpg.header import COLOR_SPACES, MAGIC, write_header
from aebench.errors import CodecError

GOOD = MAGIC + bytes([3 << 5, 0, 100, 50, 0])


@given(
    st.builds(
        Header,
        width=st.integers(1, 8192),
        height=st.integers(1, 8192),
        chroma=st.sampled_from(["420", "422", "444"]),
        depth=st.integers(8, 14),
        color_space=st.sampled_from(COLOR_SPACES),
        limited_range=st.booleans(),
    ),
    st.binary(max_size=4),
)
def test_round_trip(header: Header, data: bytes) -> None:
    written = write_header(header)
    again = read_header(written + data)
    assert (again.start, again.stop) == (len(written), len(written) + len(data))
    assert Header(**{**vars(again), "start": 0, "stop": 0}) == header


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for candidate in (data, MAGIC + data):
        try:
            header = read_header(candidate)
        except CodecError:
            continue
        assert 1 <= header.width <= 8192 and 1 <= header.height <= 8192
        assert 6 < header.start <= header.stop <= len(candidate)


@pytest.mark.parametrize(
    ("alpha1", "alpha2", "alpha"), [(0, 0, "none"), (1, 0, "straight"), (1, 1, "premultiplied"), (0, 1, "w")]
)
def test_alpha(alpha1: int, alpha2: int, alpha: str) -> None:
    data = MAGIC + bytes([3 << 5 | alpha1 << 4, alpha2 << 2, 1, 1, 0])
    assert read_header(data).alpha == alpha


def test_siting_and_animation() -> None:
    header = read_header(MAGIC + bytes([4 << 5 | 2, 1, 1, 1, 0]))
    assert (header.chroma, header.mpeg2_siting, header.animation, header.depth) == ("420", True, True, 10)
    header = read_header(MAGIC + bytes([2 << 5, 2, 1, 1, 0]))
    assert (header.chroma, header.mpeg2_siting, header.limited_range) == ("422", False, True)


def test_extensions_are_skipped() -> None:
    extensions = bytes([1, 3]) + b"abc" + bytes([5, 0])
    data = MAGIC + bytes([3 << 5, 8, 1, 1, 2, len(extensions)]) + extensions + b"xyz"
    header = read_header(data)
    assert data[header.start : header.stop] == b"xy"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "nothing"),
        (b"\x89PNG\r\n", "not a BPG"),
        (MAGIC + b"\x60", "ends within"),
        (MAGIC + bytes([6 << 5, 0, 1, 1, 0]), "pixel_format 6"),
        (MAGIC + bytes([3 << 5 | 7, 0, 1, 1, 0]), "bit_depth"),
        (MAGIC + bytes([3 << 5, 5 << 4, 1, 1, 0]), "color_space 5"),
        (MAGIC + bytes([0, 1 << 4, 1, 1, 0]), "greyscale"),
        (MAGIC + bytes([0, 1 << 2, 1, 1, 0]), "CMYK"),
        (MAGIC + bytes([3 << 5, 0, 0, 1, 0]), "picture_width at byte 6 is 0"),
        (MAGIC + bytes([3 << 5, 0, 1, 0, 0]), "picture_height at byte 7 is 0"),
        (MAGIC + bytes([3 << 5, 0]) + write_ue7(8193) + bytes([1, 0]), "8193"),
        (MAGIC + bytes([3 << 5, 0]) + write_ue7(1 << 31) + bytes([1, 0]), "above"),
        (GOOD[:-1] + bytes([2, 0]), "should end at byte 11"),
        (MAGIC + bytes([3 << 5, 8, 1, 1, 0, 9, 1]), "extensions should end"),
        (MAGIC + bytes([3 << 5, 8, 1, 1, 0, 2, 1, 5]), "extension 1 should end"),
        (MAGIC + bytes([3 << 5, 8, 1, 1, 0, 1, 1]), "extension_tag_length"),
    ],
)
def test_refuses(data: bytes, said: str) -> None:
    with pytest.raises(CodecError, match=said):
        read_header(data)
