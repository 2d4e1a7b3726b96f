"""The Kodak set: 24 photographs, 768×512 or 512×768, ``kodim01.png`` to ``kodim24.png``.

Photo CD sampler PCD0992 of the Eastman Kodak Company, released for unrestricted use; the PNG files are those of
Rich Franzen, http://r0k.us/graphics/kodak/. ``kodak.sha256`` beside this module holds the SHA-256 sum of each, and no
file that differs is ever used. They are looked for in

1. each folder of ``AEBENCH_DATA`` (folders separated as in ``PATH``), and the folder ``kodak`` in it;
2. the user's cache, ``$XDG_CACHE_HOME/aebench/kodak`` or ``~/.cache/aebench/kodak``;

and what the cache lacks is downloaded into it from `SOURCES`, or from the URL templates in
``AEBENCH_KODAK_SOURCES`` (separated by spaces; ``{name}`` stands for ``kodim01.png``, ``{n}`` for ``01``).
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from aebench.errors import ImageSetError
from aebench.images.local import absolute, exists
from aebench.images.uris import redacted

SOURCES = (
    "http://r0k.us/graphics/kodak/kodak/{name}",
    # All 24 files of this commit were compared with kodak.sha256 and are the same bytes.
    "https://raw.githubusercontent.com/MohamedBakrAli/Kodak-Lossless-True-Color-Image-Suite/"
    "dd2e1105fe8d9afe1120cd7e4c0e5e41f509a81b/PhotoCD_PCD0992/{n}.png",
)

_USER_AGENT = "aebench (benchmark of image codecs; fetches the Kodak set once)"
_SILENCE_S = 4.0  # longest wait for a connection, or for the next bytes
_FILE_S = 60.0  # longest time for one file
_LARGEST = 4 << 20  # bytes; the largest file of the set has 822,712
_log = logging.getLogger(__name__)


def paths() -> list[Path]:
    """Return the 24 files in order, downloading those that are nowhere on this machine.

    Raises
    ------
    ImageSetError
        If a file is not here and no source gives it.
    """
    folder = _installed()
    if folder is None:
        folder = cache_folder()
        download(folder, sums(), sources())
    return [folder / name for name in sums()]


def describe() -> str:
    """Say where the set comes from, or would."""
    folder = _installed()
    if folder is not None:
        return f"Kodak, 24 images in {folder} (AEBENCH_DATA)"
    folder = cache_folder()
    missing = len(_missing(folder, sums()))
    if not missing:
        return f"Kodak, 24 images in {folder} (cache)"
    return f"Kodak, 24 images, {missing} of them to be downloaded to {folder} from {_hosts(sources())}"


def sums() -> dict[str, str]:
    """Return the SHA-256 sum (hex) of each file, by its name and in order."""
    lines = resources.files("aebench.images").joinpath("kodak.sha256").read_text("ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def sources() -> list[str]:
    """Return the URL templates to download from, in the order in which they are tried."""
    return os.environ.get("AEBENCH_KODAK_SOURCES", "").split() or list(SOURCES)


def cache_folder() -> Path:
    """Return the set's folder in the user's cache, by the XDG Base Directory Specification 0.8."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # the specification has relative paths ignored
        cache = absolute("~/.cache")
    if "~" in cache.parts:
        raise ImageSetError(
            "Kodak cannot be cached, as this user has no home folder; set XDG_CACHE_HOME or AEBENCH_DATA"
        )
    return cache / "aebench" / "kodak"


def download(folder: Path, wanted: Mapping[str, str], templates: Sequence[str]) -> None:
    """Fetch into a folder the files that it lacks; each appears there only whole and with the right sum.

    Progress is logged, a line a file. A source that does not answer is not asked again.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    wanted : mapping of str to str
        SHA-256 sum (hex) of each file, by its name.
    templates : sequence of str
        URLs with ``{name}`` or ``{n}``.

    Raises
    ------
    ImageSetError
        At the first file that no source gives, or when the folder cannot be written.
    """
    alive = list(templates)
    missing = _missing(folder, wanted)
    for name in missing:
        failures = []
        for template in list(alive):
            try:
                data = _fetch(_url(template, name), wanted[name])
            except (OSError, http.client.HTTPException, ValueError) as error:
                failures.append(f"{_host(template)}: {_cause(error)}")
                _log.info("Kodak: %s not from %s", name, failures[-1])
                if _is_silent(error):
                    alive.remove(template)
                continue
            _write(folder / name, data)
            _log.info("Kodak: %s (%d of %d) from %s", name, missing.index(name) + 1, len(missing), _host(template))
            break
        else:
            raise ImageSetError(
                f"Kodak could not be fetched from {_hosts(templates)} ({name}; {'; '.join(failures) or 'no answer'}): "
                f"put kodim01.png to kodim24.png into a folder and name it in AEBENCH_DATA, or use the set `samples`"
            )


def _installed() -> Path | None:
    """Return the first folder of ``AEBENCH_DATA`` that holds the whole set."""
    for root in filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep)):
        base = absolute(root)
        for folder in (base / "kodak", base):
            there = [name for name in sums() if exists(str(folder / name))]
            wrong = _missing(folder, sums()) if there else []
            if there and not wrong:
                return folder
            if wrong:
                what = "is not the file of that name in the Kodak set" if wrong[0] in there else "is missing"
                _log.warning("Kodak: folder %s is left out: %s %s", folder, wrong[0], what)
    return None


def _missing(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Return the names whose file is not there or has another sum."""

    def digest(path: Path) -> str:
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return ""

    return [name for name, expected in wanted.items() if digest(folder / name) != expected]


def _fetch(url: str, expected: str) -> bytes:
    """Download one file into memory; OSError or HTTPException if the source fails, ValueError for other bytes."""
    deadline = time.monotonic() + _FILE_S
    data = bytearray()
    request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})
    with urllib.request.urlopen(request, timeout=_SILENCE_S) as response:
        while block := response.read1(1 << 16):
            data += block
            if time.monotonic() > deadline:
                raise TimeoutError(f"not done after {_FILE_S:g} s")
            if len(data) > _LARGEST:
                break
    if hashlib.sha256(data).hexdigest() != expected:
        raise ValueError(f"wrong SHA-256 sum, {len(data):,} bytes received")
    return bytes(data)


def _is_silent(error: Exception) -> bool:
    """Tell a source that did not answer at all, or stopped, from one that answered with something else."""
    unreachable = isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError)
    return unreachable or isinstance(error, TimeoutError)


def _write(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it, so that no reader and no crash ever sees a part of it."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.chmod(0o644)  # a cache may be shared; temporary files are the user's alone
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ImageSetError(
            f"Kodak cannot be written to {path.parent}: {error.strerror}; set XDG_CACHE_HOME to a folder that can"
        ) from error


def _url(template: str, name: str) -> str:
    number = "".join(filter(str.isdigit, name))
    return template.replace("{name}", name).replace("{n}", number)


def _host(template: str) -> str:
    return redacted(template).partition("://")[2].partition("/")[0] or template


def _hosts(templates: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(map(_host, templates))) or "anywhere"


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None) if isinstance(error, urllib.error.URLError) else None
    text = " ".join(str(reason or error).split()) or type(error).__name__
    return f"HTTP {error.code} {text}" if isinstance(error, urllib.error.HTTPError) else text
