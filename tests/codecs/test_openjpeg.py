"""glymur on Pillow's OpenJPEG, apart from the glymur of whoever else is in the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aebench.codecs import openjpeg

ENCODE = """
import hashlib, numpy, aebench
codec = aebench.codec("jpeg2000")
data = codec.encode(numpy.arange(64 * 64 * 3, dtype=numpy.uint8).reshape(64, 64, 3))
print(codec.version(), hashlib.sha256(data).hexdigest(), codec.decode(data).sum())
"""

CLEAN = {key: value for key, value in os.environ.items() if key not in ("XDG_CONFIG_HOME", "HOME", "PYTHONPATH")}

pytestmark = pytest.mark.skipif(openjpeg.bundled_library() is None, reason="this Pillow carries no OpenJPEG beside it")


def python(program: str, folder: Path, **environment: str) -> str:
    """Run a program in a folder with warnings as errors; what it prints, standard error being empty."""
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        env={**CLEAN, "PYTHONPATH": str(Path(openjpeg.__file__).parents[2]), "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, "")
    return child.stdout


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a process prints in which nobody configured glymur."""
    return python(ENCODE, tmp_path_factory.mktemp("clean"))


@pytest.mark.parametrize("place", ["glymurrc", ".config/glymur/glymurrc", "xdg/glymur/glymurrc"])
def test_the_users_configuration_does_not_disturb_it(tmp_path: Path, expected: str, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[library]\nopenjp2: /nowhere/libopenjp2.so\n")
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")} if place.startswith("xdg") else {}
    assert python(ENCODE, tmp_path, **environment) == expected
    assert path.read_text() == "[library]\nopenjp2: /nowhere/libopenjp2.so\n"


def test_nothing_is_written(tmp_path: Path, expected: str) -> None:
    assert python(ENCODE, tmp_path) == expected
    assert not list(tmp_path.iterdir())


def test_a_glymur_imported_before_stays_the_users(tmp_path: Path, expected: str) -> None:
    before = "import sys, glymur; names = {name for name in sys.modules if name.startswith('glymur')}\n"
    library = "glymur.lib.openjp2.OPENJP2 = users = object()\n"  # some other library, which must not be called
    after = (
        "import glymur.lib.openjp2\n"
        "assert sys.modules['glymur'] is glymur and glymur.lib.openjp2.OPENJP2 is users\n"
        "assert names == {name for name in sys.modules if name.startswith('glymur')}\n"
    )
    assert python(before + library + ENCODE + after, tmp_path) == expected


def test_a_glymur_imported_after_reads_the_users_configuration(tmp_path: Path, expected: str) -> None:
    (tmp_path / "glymurrc").write_text(f"[library]\nopenjp2: {openjpeg.bundled_library()}\n")
    after = "import glymur; from aebench.codecs.openjpeg import load_glymur; assert load_glymur() is not glymur\n"
    assert python(ENCODE + after + "assert glymur.config.read_config_file('openjp2')\n", tmp_path) == expected


def test_options_set_on_the_users_glymur_do_not_reach_it(tmp_path: Path, expected: str) -> None:
    (tmp_path / "glymurrc").write_text(f"[library]\nopenjp2: {openjpeg.bundled_library()}\n")
    before = "import glymur; glymur.set_option('lib.num_threads', 4)\n"
    after = "from aebench.codecs.openjpeg import load_glymur\nassert load_glymur().get_option('lib.num_threads') == 1\n"
    assert python(before + ENCODE + after, tmp_path) == expected


def test_without_pillows_library_it_takes_what_glymur_finds(tmp_path: Path, expected: str) -> None:
    (tmp_path / "glymurrc").write_text(f"[library]\nopenjp2: {openjpeg.bundled_library()}\n")
    before = "from aebench.codecs import openjpeg; openjpeg.bundled_library = lambda: None\n"
    assert python(before + ENCODE, tmp_path) == expected


def test_without_any_library_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "glymurrc").write_text("[library]\nopenjp2: None\n")
    program = (
        "import warnings, aebench; from aebench.codecs import openjpeg\n"
        "warnings.simplefilter('ignore'); openjpeg.bundled_library = lambda: None\n"
        "try: aebench.codec('jpeg2000').version()\n"
        "except aebench.Error as error: print(error)\n"
    )
    assert "install Pillow from its Linux or macOS wheel" in python(program, tmp_path)
