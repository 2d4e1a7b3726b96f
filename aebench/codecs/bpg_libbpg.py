"""BPG by Bellard's own programs, ``bpgenc`` and ``bpgdec`` of libbpg, where they are on the PATH.

For comparison with `aebench.codecs.bpg`, which needs neither. Source: https://bellard.org/bpg/.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from aebench.codecs.base import Codec, Rgb, check_rgb, parameter
from aebench.codecs.bpg.header import read_header
from aebench.errors import CodecError, SettingError

SECONDS = 600
"""Time after which a call of either program is given up."""


@dataclass(frozen=True)
class BpgLibbpg(Codec):
    """BPG by ``bpgenc`` and ``bpgdec``.

    The x265 inside bpgenc 0.9.8 crashes on images of fewer than 25 columns; that is a `CodecError`.

    Raises
    ------
    SettingError
        If the two programs are not on the PATH.
    """

    name = "bpg-libbpg"
    sweep = "q=20..50:3"

    q: int = parameter(29, low=0, high=51, help="bpgenc -q; x265 then codes at three less, bpg[qp=q-3]")
    chroma: str = parameter("444", choices=("444", "420", "422"), help="bpgenc -f; its own default is 420")
    depth: int = parameter(8, low=8, high=12, help="bpgenc -b: bits per sample")
    level: int = parameter(8, low=1, high=9, help="bpgenc -m: 1 is fast, 9 slow")
    lossless: bool = parameter(False, help="bpgenc -lossless")

    def __post_init__(self) -> None:
        super().__post_init__()
        missing = [program for program in ("bpgenc", "bpgdec") if shutil.which(program) is None]
        if missing:
            raise SettingError(
                f"codec {self.name!r} needs {' and '.join(missing)} of libbpg on the PATH; "
                "codec 'bpg' writes and reads the same files without"
            )

    def encode(self, rgb: Rgb) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "image.png"), Path(folder, "image.bpg")
            Image.fromarray(check_rgb(rgb)).save(source, compress_level=1)
            options = ["-q", str(self.q), "-f", self.chroma, "-b", str(self.depth), "-m", str(self.level)]
            options += ["-lossless"] if self.lossless else []
            _run("bpgenc", *options, "-o", str(target), str(source), made=target)
            return target.read_bytes()

    def decode(self, data: bytes) -> Rgb:
        read_header(data)  # bpgdec allocates whatever a header asks for
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "image.bpg"), Path(folder, "image.ppm")
            source.write_bytes(data)
            _run("bpgdec", "-o", str(target), str(source), made=target)
            try:
                return np.array(Image.open(io.BytesIO(target.read_bytes())))
            except OSError as error:
                raise CodecError(f"bpgdec wrote a damaged image: {error}") from error

    def version(self) -> str:
        return f"libbpg {_version('bpgenc')} (bpgenc), {_version('bpgdec')} (bpgdec)"


def _run(program: str, *arguments: str, made: Path) -> None:
    """Run a program that should make a file; `CodecError` with what it said if it does not."""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise CodecError(f"{program} of libbpg is not on the PATH of this machine") from None
    except subprocess.TimeoutExpired:
        raise CodecError(f"{program} did not end within {SECONDS} seconds") from None
    if done.returncode or not made.is_file():
        said = done.stderr.decode(errors="replace").strip() or "nothing"
        end = f"crashed with signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
        raise CodecError(f"{program} {end} and said: {said}")


def _version(program: str) -> str:
    """Read the version that a program names in its help; it has no other way to tell."""
    try:
        done = subprocess.run([program, "-h"], capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise CodecError(f"{program} of libbpg is not on the PATH of this machine") from None
    words = done.stdout.decode(errors="replace").split("\n", 1)[0].split()
    return words[-1] if words else "unknown"
