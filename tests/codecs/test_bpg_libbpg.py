from __future__ import annotations

import shutil

import numpy as np
import pytest

import aebench
from aebench.codecs import Rgb, bpg
from aebench.codecs.bpg_libbpg import BpgLibbpg
from aebench.errors import CodecError, SettingError
from aebench.metrics import mse, psnr

needs_libbpg = pytest.mark.skipif(
    shutil.which("bpgenc") is None or shutil.which("bpgdec") is None, reason="bpgenc and bpgdec are not on the PATH"
)


def test_without_the_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: object, crop: Rgb) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="needs bpgenc and bpgdec of libbpg on the PATH"):
        aebench.codec("bpg-libbpg")
    codec = object.__new__(BpgLibbpg)  # as it arrives, pickled, on a machine without them
    for name, value in {"q": 29, "chroma": "444", "depth": 8, "level": 8, "lossless": False}.items():
        object.__setattr__(codec, name, value)
    with pytest.raises(CodecError, match="bpgenc is not on the PATH"):
        codec.encode(crop)
    with pytest.raises(CodecError, match="bpgdec is not on the PATH"):
        codec.decode(bpg.encode(crop))


@needs_libbpg
@pytest.mark.parametrize("text", ["bpg-libbpg", "bpg-libbpg[chroma=420]", "bpg-libbpg[depth=10]"])
def test_files_are_read_alike(text: str, crop: Rgb) -> None:
    codec = aebench.codec(text)
    data = codec.encode(crop)
    decoded = codec.decode(data)
    assert psnr(mse(decoded, crop)) > 34
    assert np.array_equal(decoded, bpg.decode(data))


@needs_libbpg
def test_q_is_three_above_qp(crop: Rgb) -> None:
    """Nearest in PSNR to ``-q 32`` is qp 29."""
    codec = aebench.codec("bpg-libbpg[q=32]")
    wanted = psnr(mse(codec.decode(codec.encode(crop)), crop))
    ours = {qp: psnr(mse(bpg.decode(bpg.encode(crop, qp=qp)), crop)) for qp in range(26, 36)}
    assert min(ours, key=lambda qp: abs(ours[qp] - wanted)) in (29, 30)


@needs_libbpg
def test_damaged_files_are_refused(crop: Rgb) -> None:
    codec = aebench.codec("bpg-libbpg")
    for data in (b"", b"BPG\xfb", codec.encode(crop)[:15]):
        with pytest.raises(CodecError):
            codec.decode(data)
    assert "0.9.8" in codec.version()


@needs_libbpg
def test_a_crash_is_an_error(photograph: Rgb) -> None:
    with pytest.raises(CodecError, match="bpgenc crashed with signal"):
        aebench.codec("bpg-libbpg").encode(photograph[:8, :8])
