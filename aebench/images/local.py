"""Files, folders and globs on this machine."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from aebench.errors import ImageSetError
from aebench.images.names import is_hidden, is_image


def find(path: str) -> list[tuple[str, str]]:
    """List one file, the images below a folder, or the files that match a glob.

    Links to files are taken, links to folders below the root are not followed. Folders and files whose name begins
    with a dot are left out, unless ``path`` names them.

    Parameters
    ----------
    path : str
        Relative paths start at the working folder, ``~`` at the home. Globs are those of `glob.glob`: ``*``, ``?``
        and ``[…]`` within one folder, ``**`` over any number of them. What exists under exactly this name is no glob.

    Returns
    -------
    list of (str, str)
        Path relative to the root, and absolute path, in no particular order; empty when nothing is there. The root
        of a glob is the last folder on its way that exists under exactly the name written.

    Raises
    ------
    ImageSetError
        If a folder cannot be read.
    """
    full = absolute(path)
    if is_folder(path):
        return _walk(full)
    if exists(path):
        return [(full.name, str(full))]
    if not is_glob(path):
        return []
    root = full
    while not is_folder(str(root)):  # so that a folder above the wildcards may itself have brackets in its name
        root = root.parent
    pattern = str(full.relative_to(root))
    # Not Path.glob, which takes hidden files too.
    matches = {Path(match) for match in glob.iglob(pattern, root_dir=root, recursive=True)}  # noqa: PTH207
    return [(match.as_posix(), str(root / match)) for match in matches if (root / match).is_file()]


def absolute(path: str) -> Path:
    """Return an absolute path, with ``~`` expanded and links left as they are."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # ~name of nobody
        return Path(path).absolute()


def exists(path: str) -> bool:
    """Tell whether a file or folder has exactly this name."""
    try:
        return bool(path) and absolute(path).exists()
    except OSError:  # a name too long, or a folder above that may not be searched
        return False


def is_folder(path: str) -> bool:
    """Tell whether a folder has exactly this name."""
    return exists(path) and absolute(path).is_dir()


def is_glob(path: str) -> bool:
    """Tell whether a path has a wildcard."""
    return glob.has_magic(path) and "\0" not in path


def neighbours(path: str) -> list[str]:
    """Write the names beside a missing path the way the path was written, for the hint in an error message."""
    folder = path[: path.rfind("/") + 1]
    try:
        return [folder + entry.name for entry in absolute(folder).iterdir()]
    except (OSError, ValueError):
        return []


def _walk(root: Path) -> list[tuple[str, str]]:
    def refuse(error: OSError) -> None:
        # A folder left out in silence would make a smaller set under the same name.
        raise ImageSetError(f"folder {error.filename} cannot be read: {error.strerror}; check its permissions")

    found = []
    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not is_hidden(name)]
        below = Path(folder).relative_to(root)
        names = (name for name in files if is_image(name) and not is_hidden(name))
        found += [((below / name).as_posix(), os.path.join(folder, name)) for name in names]  # noqa: PTH118
    return found
