from __future__ import annotations

import pytest

from aebench.codecs.bpg.hevc_header import Sps
from aebench.codecs.bpg.nal import SPS, VPS, nal_type
from aebench.codecs.bpg.parameter_sets import read_sps_nal, sps_nal, vps_nal
from aebench.errors import CodecError


def test_types() -> None:
    assert nal_type(vps_nal()) == VPS
    assert nal_type(sps_nal(Sps(3, 6, 2, 5, 3), (64, 64), "444", 8)) == SPS


@pytest.mark.parametrize(
    ("size", "chroma", "depth", "said"),
    [
        ((64, 72), "444", 8, "size of the picture"),
        ((64, 64), "420", 8, "chroma_format_idc"),
        ((64, 64), "444", 10, "bit depths"),
    ],
)
def test_refuses_an_sps_of_another_picture(size: tuple[int, int], chroma: str, depth: int, said: str) -> None:
    nal = sps_nal(Sps(3, 6, 2, 5, 3), (64, 64), "444", 8)
    with pytest.raises(CodecError, match=said):
        read_sps_nal(nal, size, chroma, depth)


def test_refuses_a_cut_sps() -> None:
    nal = sps_nal(Sps(3, 6, 2, 5, 3), (64, 64), "444", 8)
    for length in range(2, len(nal) - 1):
        with pytest.raises(CodecError):
            read_sps_nal(nal[:length], (64, 64), "444", 8)
