"""aebench: a distributed benchmark of image codecs."""

from typing import TYPE_CHECKING, Any

from aebench.codecs import Codec, Rgb, codec, list_codecs, parameter
from aebench.errors import CodecError, Error

__version__ = "0.1.0"
__all__ = ["Codec", "CodecError", "Error", "Rgb", "Run", "codec", "list_codecs", "parameter", "read"]

if TYPE_CHECKING:
    from aebench.analysis.run import Run, read


def __getattr__(name: str) -> Any:
    if name in ("Run", "read"):  # found only when asked for: they import pyarrow, which a codec can do without
        from aebench.analysis import run

        return getattr(run, name)
    raise AttributeError(f"module 'aebench' has no attribute {name!r}")
