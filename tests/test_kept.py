"""Names of kept files: safe everywhere, and never two for one."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench.errors import ResultsError
from aebench.kept import IMAGE, ORIGINAL, STREAM, image_path, original_path, png, stream_path, write_kept
from aebench.results import RunFolder


def test_usual_names_stay_readable(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert stream_path(run, "kodim01.png", "jpeg[quality=50]") == tmp_path / "streams/kodim01.png/jpeg,quality=50.jpg"
    assert stream_path(run, "kodim01.png", "mine[step=0.1]") == tmp_path / "streams/kodim01.png/mine,step=0.1.bin"
    assert image_path(run, "kodim01.png", "bpg[qp=22,chroma=420]").name == "bpg,qp=22,chroma=420.png"
    assert original_path(run, "kodim01.png") == tmp_path / "images/kodim01.png/original.png"


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
