"""BPG files, written and read with what the pillow-heif wheel carries: x265 and libde265.

    >>> from aebench.codecs import bpg
    >>> data = bpg.encode(rgb, qp=26, chroma="444")
    >>> bpg.decode(data).shape
    >>> bpg.read_header(data).depth

From file to pixels: `header` (BPG's own header), `hevc_header` and `parameter_sets` (the SPS in its short and its full
form), `nal` (the units of the first picture), `heif` (the wrapping that pillow-heif takes), `chroma` and `color`
(libbpg's arithmetic). `pcm` writes pictures too small for x265, `bits` holds the codes of all of them.
"""

from aebench.codecs.bpg.codec import Bpg
from aebench.codecs.bpg.decoder import decode
from aebench.codecs.bpg.encoder import encode
from aebench.codecs.bpg.header import Header, read_header

__all__ = ["Bpg", "Header", "decode", "encode", "read_header"]
