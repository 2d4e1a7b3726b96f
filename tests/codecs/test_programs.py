"""Running programs of others: real ones."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from aebench.codecs.programs import digests, make_file, read_image, run
from aebench.errors import CodecError


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_a_program_sees_one_thread_and_no_input() -> None:
    done = run(python("import os, sys; print(os.environ['OMP_NUM_THREADS'], sys.stdin.read() == '')"), 60)
    assert done.stdout.split() == [b"1", b"True"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-program"], "no-such-program is not on the PATH of this machine"),
        (["/"], "/ cannot be run: .*Permission denied"),
        (python("import sys; sys.exit('out of paint')"), "ended with 1 and said: out of paint"),
        (python("print('only here'); raise SystemExit(3)"), "ended with 3 and said: only here"),
        (python("import os; os.kill(os.getpid(), 11)"), "crashed with signal 11 and said: nothing"),
        (python("pass"), "wrote nothing and said: nothing"),
        (python("import sys; sys.stderr.write('x' * 9000 + ' the end')"), r"said: x{1992} the end$"),
    ],
)
def test_what_goes_wrong_is_said_in_the_words_of_the_program(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(CodecError, match=message):
        make_file(arguments, tmp_path / "made", 60)


def test_an_empty_file_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="wrote nothing"):
        make_file(["touch", str(tmp_path / "made")], tmp_path / "made", 60)


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"import subprocess, time; child = subprocess.Popen(['sleep', '600']); open({str(started)!r}, 'w').write("
    with pytest.raises(CodecError, match="did not end within 2 seconds"):
        run(python(f"{code}str(child.pid)); time.sleep(600)"), 2)
    child = int(started.read_text())
    for _ in range(100):
        if not is_running(child):
            return
        time.sleep(0.1)
    raise AssertionError("the child of the program lives on")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # ended, and nobody has asked how


def test_an_image_is_told_by_its_bytes(tmp_path: Path, crop: object) -> None:
    path = tmp_path / "picture.bmp"
    Image.fromarray(crop).save(path, "PPM")  # type: ignore[arg-type]
    assert (read_image(path, "painter") == crop).all()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CodecError, match="painter wrote an image that cannot be read: it is damaged or truncated"):
        read_image(path, "painter")


def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ppm"
    path.write_bytes(b"P6\n12000 12000\n255\n" + bytes(100))
    with pytest.raises(CodecError, match=r"painter wrote .* too large: 12,000 × 12,000 pixels"):
        read_image(path, "painter")


def test_another_build_has_another_digest(tmp_path: Path) -> None:
    script = tmp_path / "coder.py"
    script.write_text("print(1)")
    first = digests([sys.executable, str(script), "{input}", "x" * 5000])
    assert [re.fullmatch(r"\S+ [0-9a-f]{12}", entry) is not None for entry in first] == [True, True]
    assert first[1].startswith("coder.py ")
    assert digests([sys.executable, str(script)]) == first
    script.write_text("print(2)")
    os.utime(script, ns=(1, 1))
    second = digests([sys.executable, str(script)])
    assert (second[0], second[1] == first[1]) == (first[0], False)
    with pytest.raises(CodecError, match="no-such-program is not on the PATH"):
        digests(["no-such-program"])
