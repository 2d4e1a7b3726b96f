"""Reading BPG files: header, parameter sets, libde265 by way of pillow-heif, libbpg's interpolation and colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pillow_heif

from aebench.codecs.base import Rgb
from aebench.codecs.bpg import chroma as chroma_filters
from aebench.codecs.bpg import color, heif
from aebench.codecs.bpg.color import Plane
from aebench.codecs.bpg.header import Header, read_header
from aebench.codecs.bpg.hevc_header import Sps, read_hevc_header
from aebench.codecs.bpg.nal import first_picture
from aebench.codecs.bpg.parameter_sets import sps_nal, vps_nal
from aebench.errors import CodecError

DEPTHS: Final = (8, 9, 10, 12)
"""Bit depths that pillow-heif hands out undamaged."""

_DECODER_ERRORS: Final = (ValueError, EOFError, SyntaxError, RuntimeError, OSError, MemoryError)


def decode(data: bytes) -> Rgb:
    """Decode a BPG file to the pixels that bpgdec makes of it.

    Of an animation this is the first picture; an alpha plane is left out (as bpgdec does when it writes PPM).

    Parameters
    ----------
    data : bytes

    Returns
    -------
    uint8 array, shape (height, width, 3)

    Raises
    ------
    CodecError
        If the file is malformed, or of a kind that cannot be decoded here: CMYK, or 11, 13 or 14 bits a sample.

    Notes
    -----
    Header, parameter sets and the bounds of NAL units are checked. Damage within coded pixels is mostly concealed by
    libde265 and gives an image with wrong pixels: the format has no checksum.
    """
    header = read_header(data)
    if header.depth not in DEPTHS:
        raise CodecError(f"BPG: {header.depth} bits a sample, but pillow-heif hands out only 8, 9, 10 and 12 undamaged")
    if header.alpha == "w":
        raise CodecError("BPG: a CMYK picture, which has no RGB of its own; convert it with bpgdec")
    position = header.start
    picture_data = data[: header.stop]
    if header.alpha != "none":
        _, position = read_hevc_header(picture_data, position, header.depth)
    sps, position = read_hevc_header(picture_data, position, header.depth)
    planes = _decode_planes(header, sps, picture_data[position:])
    return _to_rgb(planes, header)


def _decode_planes(header: Header, sps: Sps, hevc_data: bytes) -> Sequence[Plane]:
    """Decode the first picture to its planes, cropped to the picture (chroma to half of it, rounded up)."""
    picture = first_picture(hevc_data)
    coded_size = sps.coded_size(header.width, header.height)
    parameter_sets = [vps_nal(), sps_nal(sps, coded_size, header.chroma, header.depth), *picture.pps]
    file = heif.wrap(parameter_sets, picture.slices, coded_size, header.chroma, header.depth)
    try:
        image = pillow_heif.open_heif(file, convert_hdr_to_8bit=False, hdr_to_16bit=False)
        samples = np.asarray(image[0])
    except _DECODER_ERRORS as error:
        raise CodecError(f"libde265 refused the picture in a BPG file: {error}") from error
    wanted = (coded_size[1], coded_size[0]) if header.chroma == "grey" else (coded_size[1], coded_size[0], 3)
    if samples.shape != wanted or samples.dtype != (np.uint8 if header.depth == 8 else np.uint16):
        raise CodecError(f"libde265 made {samples.dtype} {samples.shape} of a BPG picture of {wanted}")
    return _cropped_planes(samples, header)


def _cropped_planes(samples: Plane, header: Header) -> Sequence[Plane]:
    """Take the planes out of what `heif.wrap` makes a reader believe to be RGB: Cr, Y, Cb, chroma repeated."""
    samples = samples[: header.height, : header.width]
    if header.chroma == "grey":
        return [samples]
    down = 2 if header.chroma == "420" else 1
    across = 1 if header.chroma == "444" else 2
    return samples[..., 1], samples[::down, ::across, 2], samples[::down, ::across, 0]


def _to_rgb(planes: Sequence[Plane], header: Header) -> Rgb:
    """Interpolate chroma to the size of luma and convert to RGB."""
    if header.chroma == "grey":
        return color.grey_to_rgb(planes[0], header.depth, header.limited_range)
    y, cb, cr = planes
    if header.chroma == "422":
        cb, cr = (chroma_filters.double_width(c, header.width, header.depth, header.mpeg2_siting) for c in (cb, cr))
    elif header.chroma == "420":
        size = header.height, header.width
        cb, cr = (chroma_filters.double(c, *size, header.depth, header.mpeg2_siting) for c in (cb, cr))
    return color.to_rgb(y, cb, cr, header.color_space, header.depth, header.limited_range)
