"""Pictures and programs that the tests of BPG share."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench.codecs import Rgb


@pytest.fixture(scope="session")
def vectors() -> list[Path]:
    """Files of bpgenc, each beside the PNG that bpgdec made of it."""
    for folder in filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep)):
        if paths := sorted((Path(folder) / "bpg-vectors").glob("*.bpg")):
            return paths
    pytest.skip("bpg-vectors is in none of the folders that AEBENCH_DATA lists")


@pytest.fixture
def bpgdec(tmp_path: Path) -> Callable[[bytes], Rgb]:
    """Decode with Bellard's bpgdec."""
    program = shutil.which("bpgdec")
    if program is None:
        pytest.skip("bpgdec of libbpg is not on the PATH")

    def decode(data: bytes) -> Rgb:
        (tmp_path / "in.bpg").write_bytes(data)
        subprocess.run([program, "-o", tmp_path / "out.ppm", tmp_path / "in.bpg"], check=True)
        return np.array(Image.open(tmp_path / "out.ppm"))

    return decode
