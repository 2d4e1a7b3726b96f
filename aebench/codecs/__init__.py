"""Codecs: ``encode(rgb) -> bytes`` and ``decode(bytes) -> rgb``, one small file or folder each."""

from aebench.codecs.base import Codec, Rgb, parameter
from aebench.codecs.registry import codec, codecs, list_codecs

__all__ = ["Codec", "Rgb", "codec", "codecs", "list_codecs", "parameter"]
