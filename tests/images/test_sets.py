"""Names, folders, globs and slices on this machine."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.errors import ImageSetError
from aebench.images import ImageRef, describe, open_rgb, resolve
from aebench.images.names import sort_naturally
from tests.images.files import write


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images, and of what is to be left alone, in the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    for name in ("a10.png", "a2.PNG", "b.png", "sub/c1.png", "sub/deep/d.png", ".hidden.png", ".git/e.png"):
        write(folder / name)
    (folder / "notes.txt").write_text("no image")
    (folder / "sub" / "data.bin").write_bytes(b"no image")
    return folder


def names(spec: str) -> list[str]:
    return [ref.name for ref in resolve(spec)]


def test_a_folder_gives_its_images_in_natural_order(photos: Path) -> None:
    refs = resolve("photos")
    assert [ref.name for ref in refs] == ["a2.PNG", "a10.png", "b.png", "sub/c1.png", "sub/deep/d.png"]
    assert all(Path(ref.uri).is_absolute() and Path(ref.uri) == photos / ref.name for ref in refs)
    assert resolve(str(photos)) == resolve("./photos/") == refs
    assert describe("photos") == f"images in folder {photos}"


def test_globs(photos: Path) -> None:
    assert names("photos/*.png") == ["a10.png", "b.png"]
    assert names("photos/**/*.png") == ["a10.png", "b.png", "sub/c1.png", "sub/deep/d.png"]
    assert names("photos/*/*1.png") == ["sub/c1.png"]
    assert names("photos/[!b]*.*") == ["a2.PNG", "a10.png", "notes.txt"]
    assert names("photos/sub/*") == ["c1.png", "data.bin"]
    assert names("phot?s/b.png") == ["photos/b.png"]
    assert names(f"{photos}/sub/**") == ["c1.png", "data.bin", "deep/d.png"]
    assert resolve("photos/*.png")[0].uri == str(photos / "a10.png")
    assert describe("photos/*.png") == f"files that match {photos}/*.png"


def test_one_file_is_taken_whatever_its_name(photos: Path) -> None:
    assert resolve("photos/notes.txt") == [ImageRef("notes.txt", str(photos / "notes.txt"))]
    assert names("photos/.hidden.png") == [".hidden.png"]
    assert describe("photos/b.png") == f"file {photos}/b.png"


def test_home(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(photos.parent))
    assert resolve("~/photos") == resolve("photos")
    assert resolve("~/photos/*.png") == resolve("photos/*.png")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("[:2]", [0, 1]),
        ("[2:]", [2, 3, 4]),
        ("[-2:]", [3, 4]),
        ("[1:-1]", [1, 2, 3]),
        ("[::2]", [0, 2, 4]),
        ("[::-1]", [4, 3, 2, 1, 0]),
        ("[4:1:-2]", [4, 2]),
        ("[:]", [0, 1, 2, 3, 4]),
        ("[3]", [3]),
        ("[-1]", [4]),
        ("[1:][0]", [1]),
    ],
)
def test_slices_are_those_of_python(photos: Path, where: str, expected: list[int]) -> None:
    refs = resolve("photos")
    assert resolve(f"photos{where}") == [refs[i] for i in expected]
    assert resolve(f"{photos}/{where}") == [refs[i] for i in expected]


@pytest.mark.parametrize("where", ["[5]", "[-6]", "[5:]", "[3:3]", "[::0]", "[999999999:]"])
def test_empty_slices_are_refused(photos: Path, where: str) -> None:
    with pytest.raises(ImageSetError, match=r"^photos\["):
        resolve(f"photos{where}")


def test_globs_can_be_sliced(photos: Path) -> None:
    assert names("photos/**/*.png[1:3]") == ["b.png", "sub/c1.png"]
    assert describe("photos/*.png[0]") == f"files that match {photos}/*.png, [0] of them"


def test_an_existing_name_with_brackets_wins_over_slice_and_glob(photos: Path) -> None:
    write(photos / "x.png")
    write(photos.parent / "photos[1]" / "y.png")
    write(photos.parent / "photos[1]" / "z[0].png")
    assert names("photos[1]") == ["y.png", "z[0].png"]
    assert names("photos[1][0]") == ["y.png"]
    assert names("photos[1]/*.png") == ["y.png", "z[0].png"]
    assert names("photos[1]/z[0].png") == ["z[0].png"]
    assert names("photos[2]") == ["b.png"]


def test_a_working_folder_with_brackets_is_no_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "run[1]" / "a.png")
    monkeypatch.chdir(tmp_path / "run[1]")
    assert names("*.png") == ["a.png"]


def test_links(photos: Path) -> None:
    (photos / "link.png").symlink_to(photos / "b.png")
    (photos / "sub" / "loop").symlink_to(photos)
    (photos / "dangling.png").symlink_to(photos / "none.png")
    assert "link.png" in names("photos")
    assert not any("loop" in name for name in names("photos"))
    (photos.parent / "other").symlink_to(photos)
    assert names("other") == names("photos")


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("kodka", "did you mean 'kodak'"),
        ("sample", "did you mean 'samples'"),
        ("photo", "did you mean 'photos'"),
        ("photos/sbu", "did you mean 'photos/sub'"),
        ("photos/*.jpg", "no file matches photos/\\*.jpg"),
        ("none/*.png", "no file matches"),
        ("", "no image set ''"),
        ("~nobody-of-this-name/x", "no image set"),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(photos: Path, spec: str, hint: str) -> None:
    with pytest.raises(ImageSetError, match=hint):
        resolve(spec)


def test_a_folder_without_images(photos: Path) -> None:
    (photos / "empty").mkdir()
    with pytest.raises(ImageSetError, match=r"has no images \(files ending in \.apng"):
        resolve("photos/empty")


@pytest.mark.parametrize("spec", ["kodak[x]", "samples[]", "samples[1:2:3:4]", "samples[1.5]"])
def test_brackets_that_are_no_slice(spec: str) -> None:
    with pytest.raises(ImageSetError, match="is no slice"):
        resolve(spec)


def test_a_name_that_is_not_utf_8(photos: Path) -> None:
    try:
        write(Path(os.fsdecode(os.fsencode(photos) + b"/\xff.png")))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(ImageSetError, match="is not UTF-8"):
        resolve("photos")


@given(st.text(alphabet="ab[]:-0129?.\0é/*", max_size=12).filter(lambda text: not text.startswith("/")))
@settings(deadline=None)
def test_any_text_is_a_set_or_an_error_of_ours(text: str) -> None:
    # Inside a folder that does not exist, so that no text can list the disk.
    spec = f"/no/such/folder/{text}"
    for function in (resolve, describe):
        try:
            assert function(spec)
        except ImageSetError as error:
            assert "\n" not in str(error)


def test_long_names() -> None:
    for spec in ("x" * 5000, "x/" * 3000, "*" + "x" * 5000, "x[" + "9" * 5000 + "]"):
        with pytest.raises(ImageSetError):
            resolve(spec)


def naturally(words: list[str]) -> list[str]:
    found = list(words)
    sort_naturally(found, str)
    return found


def test_natural_order() -> None:
    ordered = ["1.png", "2/x.png", "A1.png", "a2.png", "a02b.png", "a10.png", "b/2.png", "b/10.png", "ba.png"]
    assert naturally(random.Random(0).sample(ordered, len(ordered))) == ordered


@given(st.lists(st.text(alphabet="aA01b/.²٣"), max_size=6))
def test_natural_order_is_total(words: list[str]) -> None:
    assert naturally(words) == naturally(sorted(words)) == naturally(words[::-1])


def test_the_references_open(photos: Path) -> None:
    assert {open_rgb(ref.uri).shape for ref in resolve("photos")} == {(24, 32, 3)}
