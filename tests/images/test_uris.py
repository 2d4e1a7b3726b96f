"""URIs, through file:// and whatever needs no server."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyarrow import fs

from aebench.errors import Error, ImageError, ImageSetError
from aebench.images import ImageRef, describe, open_rgb, resolve, uris
from aebench.images.uris import has_secrets, is_uri, redacted
from tests.images.files import write


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "my photos"
    for name in ("a10.png", "a2.png", "ü #1%.png", "sub/c.png", "sub/deep/d.png", ".hidden.png", ".git/e.png"):
        write(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


def names(spec: str) -> list[str]:
    return [ref.name for ref in resolve(spec)]


def test_a_uri_is_the_same_set_as_the_path(photos: Path) -> None:
    refs = resolve(photos.as_uri())
    assert refs == resolve(str(photos)) == resolve(photos.as_uri() + "/")
    assert names(photos.as_uri()) == ["a2.png", "a10.png", "sub/c.png", "sub/deep/d.png", "ü #1%.png"]
    assert {open_rgb(ref.uri).shape for ref in refs} == {(24, 32, 3)}
    assert describe(photos.as_uri()) == f"images in {photos.as_uri()}"


def test_globs_mean_what_they_mean_for_paths(photos: Path) -> None:
    for pattern in ("*.png", "**/*.png", "*/*.png", "**", "s*/**", "[!a]*", "a[12]*.png", "sub/*.png", "**/d*/*"):
        assert resolve(f"{photos.as_uri()}/{pattern}") == resolve(f"{photos}/{pattern}"), pattern
    assert names(f"{photos.as_uri()}/*.png") == ["a2.png", "a10.png", "ü #1%.png"]
    assert describe(f"{photos.as_uri()}/*.png") == f"files that match {photos.as_uri()}/*.png"


def test_one_file(photos: Path) -> None:
    path = photos / "ü #1%.png"
    assert resolve(path.as_uri()) == [ImageRef(path.name, str(path))]
    assert names((photos / "notes.txt").as_uri()) == ["notes.txt"]


def test_slices(photos: Path) -> None:
    assert names(f"{photos.as_uri()}[1:3]") == ["a10.png", "sub/c.png"]
    assert names(f"{photos.as_uri()}/*.png[-1]") == ["ü #1%.png"]


@pytest.mark.parametrize("end", ["none", "none/*.png", "*.jpg", "bad uri"])
def test_what_is_not_there(photos: Path, end: str) -> None:
    with pytest.raises(ImageSetError, match="my%20photos"):
        resolve(f"{photos.as_uri()}/{end}")


def test_an_unknown_scheme() -> None:
    with pytest.raises(ImageSetError, match="Unrecognized filesystem"):
        resolve("htp://example.org/a.png?token=SECRET")


def test_paths_are_no_uris() -> None:
    assert not any(map(is_uri, ("photos", "/a/b", "C:\\photos", "c://x", "a:b", "")))
    assert all(map(is_uri, ("s3://bucket", "gs://b/c", "file:///a", "HDFS://x")))


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://KEY:SECRET@bucket/a@2x.png?region=SECRET", "s3://bucket/a@2x.png"),
        ("s3://bucket/a.png", "s3://bucket/a.png"),
        ("s3://KEY:SE@CRET@bucket/a", "s3://bucket/a"),
        ("s3://KEY:SE/CRET@bucket/a", "s3://…"),
        ("gs://anonymous@bucket", "gs://bucket"),
        ("hdfs://host:8020/a", "hdfs://host:8020/a"),
        ("/photos/a@b?c.png", "/photos/a@b?c.png"),
    ],
)
def test_secrets_are_taken_out(uri: str, expected: str) -> None:
    assert redacted(uri) == expected
    assert repr(ImageRef("a", uri)) == f"ImageRef(name='a', uri={expected!r})"


def test_what_is_no_secret_is_known() -> None:
    harmless = ("s3://bucket/a?region=eu-central-1&endpoint_override=localhost:9000&scheme=http", "gs://anonymous@b/c")
    assert not any(map(has_secrets, ("photos", "a@b", "jpeg[quality=5]", "s3://bucket/a@2x.png", *harmless)))
    for uri in ("s3://KEY:SECRET@bucket", "s3://KEY:SE/CRET@bucket/a", "abfs://a@b/c?sas_token=SECRET"):
        assert has_secrets(uri)
        assert has_secrets(f"--set=evaluate.codecs=['paper[weights={uri}]']")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://KEY:SECRET@bucket/a b",
        "s3://KEY:SECRET@bucket/a%zz",
        "s3://KEY:SE/CRET@bucket/x",
        "s3://KEY:SECRET@bucket/x?region=a&token=SECRET",
        "s3://KEY:SECRET@bucket/**/*.png?region=a&token=SECRET",
        "nope://KEY:SECRET@bucket/x",
    ],
)
def test_no_error_shows_a_secret(uri: str) -> None:
    for function in (resolve, open_rgb):
        with pytest.raises((ImageSetError, ImageError)) as caught:
            function(uri)
        shown = "".join(traceback.format_exception(Error, caught.value, None))
        assert "SECRET" not in shown
        assert "CRET@" not in shown
    assert "CRET" not in describe(uri)


def test_the_images_of_a_remote_folder_keep_its_credentials(monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    # A local folder stands in for the bucket: only the putting together of the images' URIs differs from file://.
    def from_uri(uri: str) -> tuple[fs.FileSystem, str]:
        return fs.FileSystem.from_uri(uri.replace("s3://KEY:S@bucket", photos.parent.as_uri()).partition("?")[0])

    stand_in = SimpleNamespace(
        FileSystem=SimpleNamespace(from_uri=from_uri), FileSelector=fs.FileSelector, FileType=fs.FileType
    )
    monkeypatch.setattr(uris, "fs", stand_in)
    folder = "s3://KEY:S@bucket/my%20photos"
    last = ImageRef("ü #1%.png", f"{folder}/%C3%BC%20%231%25.png?region=x")
    for spec in (f"{folder}?region=x", f"{folder}/*.png?region=x", last.uri, f"{folder}?region=x[:]"):
        assert resolve(spec)[-1] == last
    assert open_rgb(last.uri).shape == (24, 32, 3)
