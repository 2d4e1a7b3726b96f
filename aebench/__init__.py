"""aebench: a distributed benchmark of image codecs."""

from aebench.codecs import Codec, Rgb, codec, list_codecs, parameter
from aebench.errors import CodecError, Error

__version__ = "0.1.0"
__all__ = ["Codec", "CodecError", "Error", "Rgb", "codec", "list_codecs", "parameter"]
