"""glymur on the OpenJPEG inside the Pillow wheel.

glymur's own wheel has no OpenJPEG. It looks for one when it is imported, by a ``glymurrc`` in the working directory or
the user's configuration, then on the system, and lays out its C structures for the version found. Here a copy of
glymur, apart from the one that ``import glymur`` gives, is imported with Pillow's OpenJPEG in place of that search:
neither reads the other's configuration, and a run needs nothing but its Python packages.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import PIL

from aebench.errors import CodecError

LOCK = threading.RLock()
"""Held around every use of glymur: its queue of error messages and its warning filters belong to the process."""


@cache
def bundled_library() -> Path | None:
    """Find the OpenJPEG that came with Pillow; None where Pillow was built otherwise (Windows, a distribution)."""
    package = Path(PIL.__file__).parent
    # where auditwheel (Linux) and delocate (macOS) put a wheel's libraries
    found = [*package.parent.glob("pillow.libs/libopenjp2*"), *package.glob(".dylibs/libopenjp2*")]
    return found[0] if found else None


@cache
def load_glymur() -> Any:
    """Import glymur, bound to the bundled OpenJPEG, or to what glymur finds by itself where there is none.

    Call it with `LOCK` held.

    Raises
    ------
    CodecError
        If there is no OpenJPEG.
    """
    library = bundled_library()
    theirs = _take_from_sys_modules()
    try:
        if library is not None:
            sys.modules["glymur.config"] = _configuration(library)
        ours = importlib.import_module("glymur")
        openjp2 = importlib.import_module("glymur.lib.openjp2")
    finally:
        _take_from_sys_modules()
        sys.modules.update(theirs)
    if openjp2.OPENJP2 is None:
        raise CodecError(
            "jpeg2000 finds no OpenJPEG: this Pillow carries none beside it and glymur found none on this system; "
            "install Pillow from its Linux or macOS wheel, or the system's OpenJPEG (Debian: libopenjp2-7)"
        )
    # glymur's own handler prints from inside a C callback
    vars(openjp2)["_WARNING_CALLBACK"] = openjp2._CMPFUNC(_ignore)
    return ours


def _configuration(library: Path) -> ModuleType:
    """Stand in for the module in which glymur looks for libraries."""
    module = ModuleType("glymur.config")
    found = {"openjp2": ctypes.CDLL(str(library))}
    vars(module)["glymur_config"] = found.get
    return module


def _take_from_sys_modules() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == "glymur" or name.startswith("glymur.")]
    return {name: sys.modules.pop(name) for name in names}


def _ignore(message: bytes, data: object) -> None:
    """Drop a warning of OpenJPEG: what it warns of is either an error later or an image all the same."""
