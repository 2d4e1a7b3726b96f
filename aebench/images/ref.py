"""One image of a set: its name and where its bytes are."""

from __future__ import annotations

from dataclasses import dataclass

from aebench.images.uris import redacted


@dataclass(frozen=True, slots=True)  # there may be a million
class ImageRef:
    """One image of a set.

    Attributes
    ----------
    name : str
        Unique within its set and the same on every machine: the path relative to the root of the set, with ``/``
        between folders (``kodim18.png``, ``sub/a.jpg``).
    uri : str
        Absolute local path, or a ``s3://``, ``gs://``, … URI. A URI may carry credentials, which whoever opens the
        image needs: print the reference, or `aebench.images.uris.redacted` of the URI, never the URI itself.
    """

    name: str
    uri: str

    def __repr__(self) -> str:
        return f"ImageRef(name={self.name!r}, uri={redacted(self.uri)!r})"
