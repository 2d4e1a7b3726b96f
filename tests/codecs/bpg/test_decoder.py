from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from aebench.codecs import Rgb, bpg
from aebench.codecs.bpg.bits import write_ue7
from aebench.errors import CodecError
from tests.codecs.bpg.libbpg_files import ELEVEN_BITS, FILES

SMALL = base64.b64decode(FILES["x265-420"][1])
MAGIC = b"BPG\xfb"


@pytest.mark.parametrize("name", FILES)
def test_files_of_bpgenc_give_the_pixels_of_bpgdec(name: str) -> None:
    digest, file = FILES[name]
    rgb = bpg.decode(base64.b64decode(file))
    assert rgb.shape == (27, 37, 3)
    assert hashlib.sha256(rgb.tobytes()).hexdigest()[:16] == digest


def test_vectors_give_the_pixels_of_bpgdec(vectors: list[Path]) -> None:
    for path in vectors:
        wanted = np.array(Image.open(path.with_suffix(".png")).convert("RGB"))
        assert np.array_equal(bpg.decode(path.read_bytes()), wanted), path.name


def test_headers_of_bpgenc() -> None:
    headers = {name: bpg.read_header(base64.b64decode(file)) for name, (_, file) in FILES.items()}
    assert all((header.width, header.height) == (37, 27) for header in headers.values())
    for name, header in headers.items():
        assert header.limited_range == ("limited-range" in name)
        assert header.mpeg2_siting == ("mpeg2" in name)
        assert header.animation == ("animation" in name)
        assert (header.depth != 8) == ("-bit" in name)
    assert headers["jctvc-alpha"].alpha == "straight"
    assert headers["jctvc-premultiplied-alpha"].alpha == "premultiplied"
    assert headers["jctvc-grey"].chroma == "grey"
    assert headers["x265-ycgco"].color_space == "ycgco"


def test_refuses_what_pillow_heif_cannot_hand_out() -> None:
    with pytest.raises(CodecError, match="11 bits a sample"):
        bpg.decode(base64.b64decode(ELEVEN_BITS))


def test_refuses_cmyk() -> None:
    straight = bytearray(base64.b64decode(FILES["jctvc-alpha"][1]))
    straight[4] &= ~(1 << 4)
    straight[5] |= 1 << 2
    with pytest.raises(CodecError, match="CMYK"):
        bpg.decode(bytes(straight))


@pytest.mark.slow
def test_a_huge_size_over_little_data_is_refused_or_decoded() -> None:
    """The declared size is within bounds, so libde265 fills in what is missing; nothing else may happen."""
    header = bpg.read_header(SMALL)
    huge = MAGIC + SMALL[4:6] + write_ue7(8192) + write_ue7(8192) + write_ue7(0) + SMALL[header.start :]
    check(huge)


def test_data_after_the_declared_length_are_left_alone() -> None:
    header = bpg.read_header(SMALL)
    data = SMALL[header.start :]
    declared = SMALL[: header.start - 1] + write_ue7(len(data)) + data
    assert np.array_equal(bpg.decode(declared + b"\x00\x00\x01anything"), bpg.decode(SMALL))


@pytest.mark.parametrize("length", range(0, len(SMALL), 3))
def test_a_cut_file_is_refused_or_gives_its_shape(length: int) -> None:
    try:
        assert bpg.decode(SMALL[:length]).shape == (27, 37, 3)
    except CodecError as error:
        assert str(error)


@given(st.binary(max_size=80))
@example(b"")
def test_any_bytes_give_an_image_or_an_error(data: bytes) -> None:
    for candidate in (data, MAGIC + data, SMALL[:6] + data, SMALL[:12] + data):
        check(candidate)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=4),
    st.booleans(),
)
def test_damaged_files_give_an_image_or_an_error(name: str, damage: list[tuple[int, int]], insert: bool) -> None:
    data = bytearray(base64.b64decode(FILES[name][1]))
    for position, value in damage:
        if insert:
            data.insert(position % len(data), value)
        else:
            data[position % len(data)] = value
    check(bytes(data))


def check(data: bytes) -> None:
    try:
        rgb: Rgb = bpg.decode(data)
    except CodecError as error:
        assert str(error)
        return
    header = bpg.read_header(data)
    assert rgb.dtype == np.uint8
    assert rgb.shape == (header.height, header.width, 3)
