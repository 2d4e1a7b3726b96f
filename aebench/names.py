"""Names of files and folders, made of the names of images, settings and networks.

They are valid on every file system and need no escaping in a URL: what is plain is kept (``jpeg[quality=50]`` becomes
``jpeg,quality=50``), all else is shortened and told apart by a hash.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_MOST_CHARACTERS: Final = 80
_PLAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._=+-]*[a-z0-9_=+-])?")
_PARAMETERS: Final = re.compile(r"([^\[]+)\[([a-z0-9._,=+-]*[a-z0-9_=+-])\]")
_HASHED: Final = re.compile(r".*-[0-9a-f]{12}\]?")
_RESERVED: Final = re.compile(r"(?:original|con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
"""Names that mean something else: `aebench.kept.original_path`, and devices of Windows."""


def file_name(text: str) -> str:
    """Make a name for a file, without suffix, that no other text has: not even where case does not count.

    Returns
    -------
    str
        At most 80 characters, of letters, digits and ``._,=+-`` only.
    """
    with_parameters = _PARAMETERS.fullmatch(text)
    stem = with_parameters[1] if with_parameters else text
    if _PLAIN.fullmatch(stem) and not _HASHED.fullmatch(text) and not _RESERVED.fullmatch(stem):
        name = ",".join(with_parameters.groups()) if with_parameters else text  # the one way to a comma
        if len(name) <= _MOST_CHARACTERS:
            return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9_=+-]+", "-", text)[: _MOST_CHARACTERS - 13].strip("-")
    return f"{readable}-{digest}" if readable else f"name-{digest}"
