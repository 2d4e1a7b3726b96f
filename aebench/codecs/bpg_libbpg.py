"""BPG by Bellard's own programs, ``bpgenc`` and ``bpgdec`` of libbpg, where they are on the PATH.

For comparison with `aebench.codecs.bpg`, which needs neither. Source: https://bellard.org/bpg/.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from aebench.codecs.base import Codec, Rgb, check_rgb, parameter
from aebench.codecs.bpg.header import read_header
from aebench.codecs.programs import make_file, read_image, run
from aebench.errors import SettingError

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
            make_file(["bpgenc", *options, "-o", str(target), str(source)], target, SECONDS)
            return target.read_bytes()

    def decode(self, data: bytes) -> Rgb:
        read_header(data)  # bpgdec allocates whatever a header asks for
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "image.bpg"), Path(folder, "image.ppm")
            source.write_bytes(data)
            make_file(["bpgdec", "-o", str(target), str(source)], target, SECONDS)
            return read_image(target, "bpgdec")

    def version(self) -> str:
        return f"libbpg {_version('bpgenc')} (bpgenc), {_version('bpgdec')} (bpgdec)"


def _version(program: str) -> str:
    """Read the version that a program names in its help; it has no other way to tell."""
    done = run([program, "-h"], SECONDS)
    words = done.stdout.decode(errors="replace").split("\n", 1)[0].split()
    return words[-1] if words else "unknown"
