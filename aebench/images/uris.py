"""Images behind URIs (``s3://``, ``gs://``, ``file://``, …), through the filesystems of pyarrow.

Credentials come from where pyarrow's filesystems look for them (environment, configuration files, the machine's
role), or stand in the URI: ``s3://KEY:SECRET@bucket/folder?region=eu-central-1``, ``gs://anonymous@bucket/folder``.
No error raised here shows the user part or the query of a URI, and none has the library's own error, which may,
as its cause. Without a network pyarrow may retry ``gs://`` for minutes: ``?retry_limit_seconds=10`` shortens that.
"""

from __future__ import annotations

import fnmatch
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pyarrow import fs

from aebench.errors import ImageError, ImageSetError
from aebench.images.names import is_hidden, is_image

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ANY_URI = re.compile(_SCHEME.pattern + r"[^\s'\"]*")
_HOST = re.compile(r"[^:]*(:[0-9]*)?")
_WILDCARD = re.compile(r"[*\[]")
_HARMLESS = {"region", "endpoint_override", "scheme", "retry_limit_seconds"}


def is_uri(text: str) -> bool:
    """Tell ``scheme://…`` from a local path; a scheme has two letters or more, so ``C:\\`` is a path."""
    return _SCHEME.match(text) is not None


def redacted(uri: str) -> str:
    """Return a URI without its user part and its query, which may hold secrets; a local path is returned as it is."""
    if not is_uri(uri):
        return uri
    scheme, rest = uri.split("://", 1)
    host, slash, path = rest.partition("?")[0].partition("/")
    host = host.rpartition("@")[2]
    # What follows ":" is a port, or the user part of a malformed URI that an unquoted slash has cut short.
    return f"{scheme}://{host}{slash}{path}" if _HOST.fullmatch(host) else f"{scheme}://…"


def has_secrets(text: str) -> bool:
    """Tell whether a URI in a text has a user part, or anything in its query that is not known to be harmless."""
    return any(map(_is_secret, _ANY_URI.findall(text)))


def redacted_text(text: str) -> str:
    """Return a text with every URI in it redacted."""
    return _ANY_URI.sub(lambda match: redacted(match.group()), text)


def read(uri: str) -> bytes:
    """Read a file behind a URI.

    Raises
    ------
    ImageError
        If it is not there or cannot be reached.
    """
    try:
        system, path = fs.FileSystem.from_uri(uri)
        with system.open_input_file(path) as file:
            return bytes(file.read())
    except Exception as error:
        message = f"{redacted(uri)} cannot be read: {cause(error, uri)}; check that it exists and may be read"
        raise ImageError(message) from None


def find(uri: str) -> list[tuple[str, str]]:
    """List what a URI stands for: one file, the images below a folder, or the files that match a glob.

    In a glob ``*`` and ``[…]`` stay within one folder and ``**`` spans any number of them; ``?`` is no wildcard, as
    it begins the query. Folders and files whose name begins with a dot are left out, unless the URI names them.

    Returns
    -------
    list of (str, str)
        Path relative to the root of the listing, and URI (for ``file://`` the local path), in no particular order.

    Raises
    ------
    ImageSetError
        If the URI cannot be parsed, does not exist, or cannot be listed.
    """
    address, _, query = uri.partition("?")
    scheme, _, path = address.partition("://")
    parts = path.split("/")
    wild = next((i for i, part in enumerate(parts) if i and _WILDCARD.search(part)), len(parts))
    root, pattern = f"{scheme}://{'/'.join(parts[:wild])}", parts[wild:]
    query = f"?{query}" if query else ""
    try:
        system, base = fs.FileSystem.from_uri(root + query)
        info = system.get_file_info(base)
        if info.type == fs.FileType.File and not pattern:
            name = unquote(urlsplit(root).path).rstrip("/").rpartition("/")[2]
            return [(name, base if scheme == "file" else uri)]
        if info.type != fs.FileType.Directory:
            raise FileNotFoundError("it does not exist")
        recursive = not pattern or len(pattern) > 1 or pattern == ["**"]
        listing = system.get_file_info(fs.FileSelector(base, recursive=recursive))
    except Exception as error:
        message = f"{redacted(uri)} cannot be listed: {cause(error, uri)}; check the address and the credentials"
        raise ImageSetError(message) from None
    base, root = base.rstrip("/"), root.rstrip("/")
    names = [entry.path[len(base) + 1 :] for entry in listing if entry.type == fs.FileType.File]
    return [
        (name, f"{base}/{name}" if scheme == "file" else f"{root}/{quote(name)}{query}")
        for name in names
        if not is_hidden(name) and (_matches(name.split("/"), pattern) if pattern else is_image(name))
    ]


def is_glob(uri: str) -> bool:
    """Tell whether a URI has a wildcard in its path."""
    return _WILDCARD.search(uri.partition("?")[0].partition("://")[2]) is not None


def _matches(parts: list[str], pattern: list[str]) -> bool:
    """Match a path against a glob, part by part."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        # A trailing ** takes every file below it.
        return pattern == ["**"] or any(_matches(parts[i:], pattern[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _is_secret(uri: str) -> bool:
    address, _, query = uri.replace("://anonymous@", "://").partition("?")
    return redacted(uri) != address or not {name for name, _ in parse_qsl(query)} <= _HARMLESS


def cause(error: Exception, uri: str) -> str:
    """Say in one line what went wrong, without the secrets of a URI."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in (uri, uri.partition("?")[0]):
        text = text.replace(secret, redacted(uri))
    return redacted_text(text).rstrip(".")
