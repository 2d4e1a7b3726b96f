"""aebench: a distributed benchmark of image codecs."""

import importlib
from typing import TYPE_CHECKING, Any

from aebench.errors import CodecError, Error

__version__ = "0.1.0"
__all__ = ["Codec", "CodecError", "Error", "Rgb", "Run", "codec", "list_codecs", "parameter", "read"]

if TYPE_CHECKING:
    from aebench.analysis.run import Run, read
    from aebench.codecs.base import Codec, Rgb, parameter
    from aebench.codecs.registry import codec, list_codecs

_HOMES = {
    **dict.fromkeys(("Codec", "Rgb", "codec", "list_codecs", "parameter"), "aebench.codecs"),
    **dict.fromkeys(("Run", "read"), "aebench.analysis.run"),
}


def __getattr__(name: str) -> Any:
    # found only when asked for: codecs import numpy and runs pyarrow, which `aebench --help` can do without
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'aebench' has no attribute {name!r}")
