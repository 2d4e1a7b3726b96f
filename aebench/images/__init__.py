"""Image sets: a name, folder, glob or URI becomes a list of references, and a reference becomes 8-bit RGB.

A list of references is a manifest: it holds paths, never pixels, so it can be sent to any worker that sees them.
"""

from aebench.images.reading import decode_rgb, open_rgb, pixel_digest
from aebench.images.ref import ImageRef
from aebench.images.sets import describe, resolve

__all__ = ["ImageRef", "decode_rgb", "describe", "open_rgb", "pixel_digest", "resolve"]
