"""The network of the codec `lapped`: see `aebench.models.lapped.network`."""

from aebench.models.lapped.network import Lapped

__all__ = ["Lapped"]
