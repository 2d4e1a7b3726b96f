"""From what a user writes to the images of a set.

=========================================  ============================================================================
``kodak``                                  The 24 photographs of `aebench.images.kodak`
``samples``                                The photographs of `aebench.images.samples`, which need no network
``photos``, ``~/photos``                   A folder: every file below it with an image's suffix
``photos/*.png``, ``photos/**/*.png``      A glob: every file that matches, whatever its suffix
``photos/a.png``                           One file, whatever its suffix
``s3://bucket/…``, ``gs://…``, ``file://`` The same three behind a URI, see `aebench.images.uris`
``SET[:17]``, ``SET[-1]``, ``SET[::2]``    A slice, or one image, of any of these
=========================================  ============================================================================

A set is in natural order of its names (``kodim2`` before ``kodim10``), except ``samples``, whose order is fixed.
The two named sets come first (a folder called ``kodak`` is ``./kodak``), then a file or folder that exists under
exactly the name written, brackets included, then slices, then globs.
"""

from __future__ import annotations

import re
from pathlib import Path

from aebench.errors import ImageSetError
from aebench.images import kodak, local, samples, uris
from aebench.images.names import SUFFIXES, sort_naturally
from aebench.images.ref import ImageRef
from aebench.suggest import did_you_mean

NAMES = ("kodak", "samples")

_BRACKETS = re.compile(r"(.+)\[([^\[\]]*)\]", re.DOTALL)
_INDEX = re.compile(r"-?[0-9]{1,9}")
_SLICE = re.compile(r"(-?[0-9]{1,9})?:(-?[0-9]{1,9})?(?::(-?[0-9]{1,9})?)?")


def resolve(spec: str) -> list[ImageRef]:
    """List the images of a set; Kodak is downloaded when it is nowhere on this machine.

    Parameters
    ----------
    spec : str
        A name, folder, glob, file or URI, and perhaps a slice, as in the table above.

    Returns
    -------
    list of ImageRef
        At least one.

    Raises
    ------
    ImageSetError
        If there is no such set, it has no images, its slice is empty, or it cannot be read or fetched.
    """
    base, where = _split(spec)
    if where is not None:
        return _cut(resolve(base), spec, where)
    if base == "kodak":
        return [_ref(path.name, str(path)) for path in kodak.paths()]
    if base == "samples":
        return [_ref(path.name, str(path)) for path in samples.paths()]
    found = uris.find(base) if uris.is_uri(base) else local.find(base)
    if not found:
        raise ImageSetError(_nothing(base))
    refs = [_ref(name, uri) for name, uri in found]
    del found  # there may be a million
    sort_naturally(refs, lambda ref: ref.name)
    return refs


def describe(spec: str) -> str:
    """Say in one line where the images of a set come from, without listing, opening or downloading any.

    Raises
    ------
    ImageSetError
        If it is plain without listing them that there are none.
    """
    base, where = _split(spec)
    if where is not None:
        return f"{describe(base)}, [{where}] of them"
    if base == "kodak":
        return kodak.describe()
    if base == "samples":
        return samples.describe()
    if uris.is_uri(base):
        return f"{'files that match' if uris.is_glob(base) else 'images in'} {uris.redacted(base)}"
    path = local.absolute(base)
    if local.exists(base):
        return f"images in folder {path}" if local.is_folder(base) else f"file {path}"
    if local.is_glob(base):
        return f"files that match {path}"
    raise ImageSetError(_nothing(base))


def _split(spec: str) -> tuple[str, str | None]:
    """Split a slice off a set, unless the whole is a set itself."""
    brackets = _BRACKETS.fullmatch(spec)
    if brackets is None or (not uris.is_uri(spec) and local.exists(spec)):
        return spec, None
    base, where = brackets.groups()
    if _INDEX.fullmatch(where) or _SLICE.fullmatch(where):
        return base, where
    if base in NAMES:
        raise ImageSetError(f"{spec}: [{where}] is no slice; write {base}[:6], {base}[6:], {base}[::2] or {base}[-1]")
    return spec, None


def _cut(refs: list[ImageRef], spec: str, where: str) -> list[ImageRef]:
    if _INDEX.fullmatch(where):
        if not -len(refs) <= int(where) < len(refs):
            raise ImageSetError(
                f"{uris.redacted(spec)}: there is no image {where}; the set has {len(refs)}, 0 to {len(refs) - 1}"
            )
        return [refs[int(where)]]
    start, stop, step = (int(text) if text else None for text in (where + ":").split(":")[:3])
    if step == 0:
        raise ImageSetError(f"{uris.redacted(spec)}: the step of a slice cannot be 0")
    if not refs[start:stop:step]:
        raise ImageSetError(
            f"{uris.redacted(spec)}: the slice [{where}] takes none of the {len(refs)} images of the set"
        )
    return refs[start:stop:step]


def _ref(name: str, uri: str) -> ImageRef:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ImageSetError(
            f"the name of file {name!r} is not UTF-8, so no table could hold it; rename the file"
        ) from None
    return ImageRef(name, uri)


def _nothing(base: str) -> str:
    """Word the error for a set without images."""
    if uris.is_uri(base):
        return f"{uris.redacted(base)} has no images; a folder is searched for {_suffixes()}"
    if local.is_folder(base):
        return f"folder {base} has no images (files ending in {_suffixes()})"
    if local.is_glob(base):
        return f"no file matches {base}, counted from {Path.cwd()}"
    hint = did_you_mean(base, [*NAMES, *local.neighbours(base)])
    return (
        f"there is no image set {base!r}{hint}: it is neither {' nor '.join(NAMES)}, nor a file or folder "
        f"counted from {Path.cwd()}, nor a glob or URI"
    )


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))
