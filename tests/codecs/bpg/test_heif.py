from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest

from aebench.codecs.bpg import heif
from aebench.codecs.bpg.nal import PPS, SPS, VPS
from aebench.errors import CodecError


@pytest.fixture(scope="module")
def file() -> bytes:
    """What pillow-heif writes."""
    out = io.BytesIO()
    pixels = np.arange(64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    pillow_heif.encode("RGB", (64, 64), pixels.tobytes(), out, enc_params={"chroma": "444"}, matrix_coefficients=0)
    return out.getvalue()


def test_unwrap_and_wrap_keep_the_pixels(file: bytes) -> None:
    parameter_sets, slices = heif.unwrap(file)
    assert sorted(parameter_sets)[-3:] == [VPS, SPS, PPS]
    nals = [nal for kind in (VPS, SPS, PPS) for nal in parameter_sets[kind]]
    again = pillow_heif.open_heif(heif.wrap(nals, slices, (64, 64), "444", 8))
    assert again.mode == "RGB"
    assert np.array_equal(np.asarray(again[0]), np.asarray(pillow_heif.open_heif(file)[0]))


def test_wrapped_file_unwraps() -> None:
    nals = [bytes([kind << 1, 1, kind]) for kind in (VPS, SPS, PPS)]
    slices = [bytes([38, 1, 9, 9]), bytes([38, 1, 7])]
    parameter_sets, found = heif.unwrap(heif.wrap(nals, slices, (640, 480), "420", 10))
    assert [parameter_sets[kind] for kind in (VPS, SPS, PPS)] == [[nal] for nal in nals]
    assert found == slices


def test_refuses_what_is_cut(file: bytes) -> None:
    for length in (0, 4, 20, 100, 300, len(file) - 1):
        with pytest.raises(CodecError, match="pillow-heif wrote"):
            heif.unwrap(file[:length])
