"""Names of kept files: safe everywhere, and never two for one."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from aebench.errors import ResultsError
from aebench.kept import IMAGE, ORIGINAL, STREAM, file_name, image_path, original_path, png, stream_path, write_kept
from aebench.results import RunFolder

NAMES = (
    st.text()
    | st.from_regex(r"[a-z0-9]{1,3}\[[a-z=,0-9.]{0,4}\]", fullmatch=True)
    | st.text("aA.,[]=-/\\ ", max_size=5)
)


@given(NAMES)
@example("../x")
@example("con")
@example("..")
@example("")
@example("original")
@example("jpeg[q=1.]")
@example("x" * 300)
@example('cmd[encode="/usr/bin/cjxl {input} {output} -q 90"]')
def test_names_are_short_and_safe(text: str) -> None:
    name = file_name(text)
    assert re.fullmatch(r"[A-Za-z0-9_=+-][A-Za-z0-9._,=+-]*", name)
    assert 1 <= len(name) <= 80
    assert not name.endswith(".")
    assert name.partition(".")[0].lower() not in ("original", "con", "nul", "aux", "prn", "com1", "lpt1")


@given(NAMES, NAMES)
@example("A", "a")
@example("a/b", "a-b")
@example("a[b]", "a,b")
@example("jpeg[quality=1]", "jpeg,quality=1")
@example("x" * 99 + "1", "x" * 99 + "2")
def test_two_names_never_meet_even_where_case_does_not_count(first: str, second: str) -> None:
    assert (file_name(first).lower() == file_name(second).lower()) == (first == second)


def test_the_name_of_a_hashed_name_is_another() -> None:
    hashed = file_name("A")
    assert file_name(hashed.lower()) != hashed.lower()


def test_usual_names_stay_readable(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert stream_path(run, "kodim01.png", "jpeg[quality=50]") == tmp_path / "streams/kodim01.png/jpeg,quality=50.jpg"
    assert stream_path(run, "kodim01.png", "mine[step=0.1]") == tmp_path / "streams/kodim01.png/mine,step=0.1.bin"
    assert image_path(run, "kodim01.png", "bpg[qp=22,chroma=420]").name == "bpg,qp=22,chroma=420.png"
    assert original_path(run, "kodim01.png") == tmp_path / "images/kodim01.png/original.png"
    assert re.fullmatch(r"photos-Summer-a-jpg-[0-9a-f]{12}", file_name("photos/Summer/a.jpg"))


@pytest.mark.parametrize("image", ["../../x", "/etc/passwd", "..", "a/../../../b", "C:\\x", "a\0b"])
@pytest.mark.parametrize("setting", ["jpeg[quality=50]", 'cmd[encode="../{output}"]'])
def test_nothing_leaves_the_folder(tmp_path: Path, image: str, setting: str) -> None:
    run = RunFolder(tmp_path / "run")
    paths = (stream_path(run, image, setting), image_path(run, image, setting), original_path(run, image))
    for path, kind in zip(paths, ("streams", "images", "images"), strict=True):
        assert path.resolve().parent.parent == (tmp_path / "run" / kind).resolve()


def test_a_png_file_holds_exactly_the_pixels(crop: np.ndarray) -> None:
    with Image.open(io.BytesIO(png(crop))) as image:
        assert image.mode == "RGB"
        assert np.array_equal(np.asarray(image), crop)


def test_files_of_another_stream_do_not_stay_beside_the_row_of_a_new_one(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    row = {"image": "a.png", "setting": "jpeg", "bytes": 3, STREAM: b"abc", IMAGE: b"png", ORIGINAL: b"original"}
    assert write_kept(run, row) == {"image": "a.png", "setting": "jpeg", "bytes": 3}
    stream, decoded = stream_path(run, "a.png", "jpeg"), image_path(run, "a.png", "jpeg")
    assert (stream.read_bytes(), decoded.read_bytes()) == (b"abc", b"png")
    nothing = dict.fromkeys((STREAM, IMAGE, ORIGINAL))
    write_kept(run, {**row, **nothing})
    write_kept(run, {**row, **nothing, "bytes": None})  # a failure takes nothing away
    assert stream.is_file()
    write_kept(run, {**row, **nothing, "bytes": 4})
    assert not stream.exists()
    assert not decoded.exists()
    assert original_path(run, "a.png").read_bytes() == b"original"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "streams").write_text("a file where a folder should be")
    row = {"image": "a.png", "setting": "jpeg", "bytes": 3, STREAM: b"abc", IMAGE: None, ORIGINAL: None}
    with pytest.raises(ResultsError, match=r"cannot write .*streams"):
        write_kept(RunFolder(tmp_path), row)
