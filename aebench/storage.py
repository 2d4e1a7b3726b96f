"""Where a run lies: a folder of this machine, or one in an object store behind a URI (``s3://``, ``gs://``).

A local place is a `pathlib.Path`, also where it was written ``file://…``; any other is a `RemotePath`, with those
methods of `Path` that a run needs. Credentials and endpoint come from where pyarrow's filesystems look for them, as
those of image sets do: see `aebench.images.uris`.

Local files are written under a temporary name and renamed; an object appears when its put has succeeded. A reader
never sees half of one.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import mimetypes
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
from pyarrow import fs

from aebench.errors import ResultsError
from aebench.images.uris import cause, is_uri, redacted

THREADS = 16
"""So many requests to a store are under way at a time where many files are read or written: each takes tens of ms."""


class RemotePath:
    """A file or a folder in an object store, where a folder is no more than the beginning of names.

    Every method raises `ResultsError` if the store cannot be reached or refuses.

    Parameters
    ----------
    system : pyarrow.fs.FileSystem
    key : str
        What it is called in `system`: bucket and path.
    shown : str
        Its URI without secrets, for messages and tables.
    """

    def __init__(self, system: fs.FileSystem, key: str, shown: str) -> None:
        self.system, self.key, self._shown = system, key, shown

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"RemotePath({self._shown!r})"

    def __fspath__(self) -> str:
        raise TypeError(f"{self} is no local path")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and (self._shown, self.key) == (other._shown, other.key)

    def __hash__(self) -> int:
        return hash((self._shown, self.key))

    def __truediv__(self, name: str) -> RemotePath:
        return RemotePath(self.system, f"{self.key}/{name}", f"{self._shown}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its suffix."""
        return Path(self.name).stem

    @property
    def parent(self) -> RemotePath:
        """What it lies in."""
        return RemotePath(self.system, self.key.rpartition("/")[0], self._shown.rpartition("/")[0])

    def absolute(self) -> RemotePath:
        """Return itself: it names the same from everywhere."""
        return self

    def resolve(self) -> RemotePath:
        """Return itself: there are no links."""
        return self

    def is_file(self) -> bool:
        """Tell whether there is such an object."""
        return bool(self._info().type == fs.FileType.File)

    def is_dir(self) -> bool:
        """Tell whether there are objects below it."""
        return bool(self._info().type == fs.FileType.Directory)

    def size(self) -> int | None:
        """Return the size of an object in bytes; None where there is none."""
        size: int | None = self._info().size
        return size

    def modified(self) -> datetime | None:
        """Return when an object was put; None where there is none."""
        mtime: datetime | None = self._info().mtime
        return mtime

    def iterdir(self) -> Iterator[RemotePath]:
        """List what is directly below it; nothing where it does not exist."""
        yield from (self / info.base_name for info in self._listed())

    def glob(self, pattern: str) -> Iterator[RemotePath]:
        """List what is directly below it and matches."""
        yield from (path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern))

    def file_sizes(self) -> dict[Place, int]:
        """List the objects directly below it with their sizes in bytes."""
        return {self / info.base_name: info.size for info in self._listed() if info.type == fs.FileType.File}

    def read_bytes(self) -> bytes:
        """Read an object; `FileNotFoundError` if there is none."""
        data: bytes = self.read_buffer().to_pybytes()
        return data

    def read_buffer(self) -> pa.Buffer:
        """Read an object into memory of Arrow's own; `FileNotFoundError` if there is none."""
        with _explained("read", self), self.system.open_input_file(self.key) as file:
            return file.read_buffer()

    def write_bytes(self, data: bytes) -> None:
        """Put an object, of the type that its suffix stands for, so that browsers show a page or a picture."""
        kind = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        with (
            _explained("write", self),
            self.system.open_output_stream(self.key, metadata={"Content-Type": kind}) as file,
        ):
            file.write(data)

    def touch(self) -> None:
        """Put an empty object."""
        self.write_bytes(b"")

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete an object."""
        with contextlib.suppress(*([FileNotFoundError] if missing_ok else [])), _explained("delete", self):
            self.system.delete_file(self.key)

    def rmtree(self) -> None:
        """Delete whatever is below it."""
        with contextlib.suppress(FileNotFoundError), _explained("delete", self):
            self.system.delete_dir(self.key)

    def require_bucket(self) -> None:
        """Raise `ResultsError` unless the store answers and has the bucket, which is never made here."""
        bucket = RemotePath(self.system, self.key.partition("/")[0], self._shown)
        with _explained("use", self):
            exists = bucket.is_dir()
        if not exists:
            raise ResultsError(f"cannot use {self}: there is no bucket {bucket.key!r}; make it, or name another")

    def _listed(self) -> list[fs.FileInfo]:
        with _explained("list", self):
            found: list[fs.FileInfo] = self.system.get_file_info(fs.FileSelector(self.key, allow_not_found=True))
        return found

    def _info(self) -> fs.FileInfo:
        with _explained("look up", self):
            return self.system.get_file_info(self.key)


Place: TypeAlias = Path | RemotePath
"""A file or a folder, wherever it is."""


def place(address: str | Place) -> Place:
    """Return what a path or a URI names; nothing is made there.

    Raises
    ------
    ResultsError
        If it is a URI that pyarrow does not understand, or that names no bucket.
    """
    if not isinstance(address, str):
        return address
    if not is_uri(address):
        return Path(address)
    uri = address
    if address.startswith("s3://"):  # small files by one put, and not by an upload of parts
        uri += f"{'&' if '?' in address else '?'}allow_delayed_open=true"
    shown = redacted(address).rstrip("/")
    try:
        system, key = fs.FileSystem.from_uri(uri)
    except Exception as error:
        raise ResultsError(f"cannot use {shown}: {cause(error, uri)}; check the address") from None
    if isinstance(system, fs.LocalFileSystem):
        return Path(key)
    if not key.strip("/"):
        raise ResultsError(f"{redacted(address)} names no bucket; write {address.partition('://')[0]}://bucket/folder")
    return RemotePath(system, key.rstrip("/"), shown)


def write_file(path: Place, data: bytes) -> None:
    """Write a whole file or none, with the folders above it; `ResultsError` if that cannot be done."""
    if isinstance(path, RemotePath):
        path.write_bytes(data)
        return
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or a machine that loses power might keep the name and lose what is in it
        temporary.replace(path)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from error


def read_buffer(path: Place) -> pa.Buffer:
    """Read a file into memory of Arrow's own, whose threads may let it go when there is no Python any more."""
    if isinstance(path, RemotePath):
        return path.read_buffer()
    with pa.OSFile(str(path)) as file:
        return file.read_buffer()


def file_size(path: Place) -> int | None:
    """Return the size of a file in bytes; None where there is none."""
    if isinstance(path, RemotePath):
        return path.size()
    return path.stat().st_size if path.is_file() else None


def file_sizes(folder: Place) -> dict[Place, int]:
    """Return the files directly in a folder with their sizes in bytes; none where there is no folder."""
    if isinstance(folder, RemotePath):
        return folder.file_sizes()
    return {path: path.stat().st_size for path in folder.glob("*") if path.is_file()}


def modified(path: Place) -> datetime | None:
    """Return when a file was last written; None where there is none."""
    if isinstance(path, RemotePath):
        return path.modified()
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None


def list_files(folder: Place, pattern: str) -> list[Place]:
    """List the files directly in a folder that match, by name; none where there is no folder."""
    found: list[Place] = [*folder.glob(pattern)]
    return sorted(found, key=lambda path: path.name)


def remove_tree(path: Place) -> None:
    """Delete a folder and what is in it, if it exists."""
    if isinstance(path, RemotePath):
        path.rmtree()
    else:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _explained(verb: str, path: RemotePath) -> Iterator[None]:
    """Make one sentence without secrets of what a store answers; pass on that there is no such object."""
    try:
        yield
    except ResultsError:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no such object", str(path)) from None
    except Exception as error:
        message = f"cannot {verb} {path}: {cause(error, str(path))}; check address, endpoint and credentials"
        raise ResultsError(message) from None
