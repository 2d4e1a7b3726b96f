"""Writing BPG files: libbpg's colours and chroma filters, x265 by way of pillow-heif, BPG's headers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import pillow_heif

from aebench.codecs.base import Rgb, check_rgb
from aebench.codecs.bpg import chroma as chroma_filters
from aebench.codecs.bpg import color, heif, pcm
from aebench.codecs.bpg.color import Plane
from aebench.codecs.bpg.header import MOST_PIXELS_A_SIDE, Header, write_header
from aebench.codecs.bpg.hevc_header import Sps, write_hevc_header
from aebench.codecs.bpg.nal import PPS, SPS
from aebench.codecs.bpg.parameter_sets import read_sps_nal
from aebench.errors import CodecError

_SMALLEST_X265_SIDE: Final = 64
"""libheif pads smaller pictures, and BPG cannot say so; with coding blocks of 32 it codes 64 for 33 to 63 samples."""

_X265: Final = {
    # Every block of one quantiser, chosen and quantised for PSNR alone.
    "ipratio": "1.0",  # otherwise an intra picture is coded at qp − 3
    "aq-mode": "0",
    "cutree": "0",
    "psy-rd": "0",
    "psy-rdoq": "0",
    "rdoq-level": "2",
    "rd": "6",
    "tu-intra-depth": "4",
    "tu-inter-depth": "4",  # equal to the one above, which the header of BPG implies
    "max-tu-size": "32",
    "amp": "1",  # implied
    "scaling-list": "off",  # implied
    "wpp": "0",
    "pools": "1",
    "frame-threads": "1",
}


def encode(rgb: Rgb, *, qp: int = 26, chroma: str = "444", depth: int = 8, lossless: bool = False) -> bytes:
    """Encode an image as a BPG file, full-range YCbCr (ITU-R BT.601), deterministically, on one thread.

    Parameters
    ----------
    rgb : uint8 array, shape (height, width, 3)
        Of 1 to 8192 pixels a side.
    qp : int
        Quantiser of every block, 0 to 51. bpgenc lowers its ``-q`` by three: its ``-q 29`` is qp 26 here.
    chroma : str
        ``444``, ``420``, ``422``, or ``grey`` (luma alone).
    depth : int
        Bits per sample, 8 or 10; 10 for ``444`` and ``grey`` only.
    lossless : bool
        Keep the planes of YCbCr exactly, whatever ``qp``. RGB then differs by the rounding of the conversion only: by
        up to 2 at 8 bits (``444``).

    Returns
    -------
    bytes

    Raises
    ------
    CodecError
        If a value is out of range, or the image is not ``uint8`` RGB of a size allowed.

    Notes
    -----
    A picture with a side of 32 or less is stored as raw samples (I_PCM), because x265 does not take it: `qp` then has
    no effect.
    """
    check_rgb(rgb)
    height, width = rgb.shape[:2]
    _check(height, width, qp, chroma, depth)
    small = min(height, width) <= _SMALLEST_X265_SIDE // 2
    planes = _planes(rgb, chroma, depth)
    if small and chroma == "grey":  # libbpg 0.9.8 reads chroma even of I_PCM blocks without any: give it neutral chroma
        chroma = "420"
        planes = [planes[0]] + 2 * [np.full((-(-height // 2), -(-width // 2)), 1 << depth - 1, planes[0].dtype)]
    header = Header(width=width, height=height, chroma=chroma, depth=depth)
    if small:
        sps = pcm.sps(depth)
        nals = pcm.encode(_padded(planes, header, sps.coded_size(width, height)), depth)
    else:
        sps, nals = _encode_x265(planes, header, qp, lossless)
    return write_header(header) + write_hevc_header(sps) + b"\x00\x00\x01".join(nals)


def _check(height: int, width: int, qp: int, chroma: str, depth: int) -> None:
    if max(height, width) > MOST_PIXELS_A_SIDE:
        raise CodecError(f"BPG: an image of {width}x{height}, at most {MOST_PIXELS_A_SIDE} pixels a side are written")
    if not 0 <= qp <= 51:
        raise CodecError(f"BPG: qp is {qp}, 0 to 51 is allowed")
    if chroma not in ("444", "420", "422", "grey"):
        raise CodecError(f"BPG: chroma is {chroma!r}, '444', '420', '422' or 'grey' is allowed")
    if depth not in (8, 10):
        raise CodecError(f"BPG: depth is {depth}, 8 or 10 is allowed")
    if depth == 10 and chroma in ("420", "422"):
        raise CodecError(f"BPG: chroma {chroma} at 10 bits cannot be handed to x265 undamaged; take '444' or 8 bits")


def _planes(rgb: Rgb, chroma: str, depth: int) -> Sequence[Plane]:
    """Convert to the planes of a picture, of its true size (chroma of half of it, rounded up)."""
    y, cb, cr = color.rgb_to_ycbcr(rgb, depth)
    if chroma == "grey":
        return [y]
    if chroma == "420":
        cb, cr = chroma_filters.halve(cb, depth), chroma_filters.halve(cr, depth)
    elif chroma == "422":
        cb, cr = chroma_filters.halve_width(cb, depth), chroma_filters.halve_width(cr, depth)
    return y, cb, cr


def _encode_x265(planes: Sequence[Plane], header: Header, qp: int, lossless: bool) -> tuple[Sps, list[bytes]]:
    """Code planes with x265.

    Returns
    -------
    sps : Sps
    nals : list of bytes
        The PPS and the slice.
    """
    block = 8 if min(-(-header.width // 8), -(-header.height // 8)) * 8 >= _SMALLEST_X265_SIDE else 32
    coded_size = -(-header.width // block) * block, -(-header.height // block) * block
    parameters = {"preset": "slow", "tune": "psnr", "chroma": "444" if header.chroma == "grey" else header.chroma}
    parameters |= {f"x265:{name}": value for name, value in _X265.items()}
    parameters |= {"x265:qp": str(qp), "x265:min-cu-size": str(block), "x265:lossless": str(int(lossless))}
    samples = _interleaved(_padded(planes, header, coded_size))
    mode = "L" if samples.ndim == 2 else "RGB"
    if header.depth == 10:
        mode = "I;10" if samples.ndim == 2 else "RGB;10"
    file = io.BytesIO()
    try:
        pillow_heif.encode(
            mode,
            coded_size,
            samples.tobytes(),
            file,
            quality=50,  # has no effect beside a constant qp; named so that no global option takes its place
            enc_params=parameters,
            bit_depth=header.depth,
            matrix_coefficients=0,  # identity, ITU-T H.273: the planes are coded as they are
            full_range_flag=1,
            tile_size=0,
        )
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        raise CodecError(f"x265 refused a picture of {coded_size[0]}x{coded_size[1]}: {error}") from error
    parameter_sets, slices = heif.unwrap(file.getvalue())
    if len(parameter_sets.get(SPS, [])) != 1 or len(parameter_sets.get(PPS, [])) != 1 or not slices:
        raise CodecError("x265 did not write one SPS, one PPS and a slice")
    sps = read_sps_nal(parameter_sets[SPS][0], coded_size, header.chroma, header.depth)
    return sps, parameter_sets[PPS] + slices


def _padded(planes: Sequence[Plane], header: Header, coded_size: tuple[int, int]) -> list[Plane]:
    """Repeat the last column and row of planes up to the coded size (width, height), chroma to its share of that."""
    padded: list[Plane] = []
    for index, plane in enumerate(planes):
        down = 2 if index and header.chroma == "420" else 1
        across = 2 if index and header.chroma in ("420", "422") else 1
        below, right = coded_size[1] // down - plane.shape[0], coded_size[0] // across - plane.shape[1]
        padded.append(np.pad(plane, ((0, below), (0, right)), mode="edge") if below or right else plane)
    return padded


def _interleaved(planes: Sequence[Plane]) -> Plane:
    """Arrange planes as the RGB that libheif takes for G = Y, B = Cb, R = Cr, chroma repeated to the size of luma."""
    if len(planes) == 1:
        return planes[0]
    y, cb, cr = planes
    samples = np.empty((*y.shape, 3), y.dtype)
    samples[..., 1] = y
    down, across = y.shape[0] // cb.shape[0], y.shape[1] // cb.shape[1]
    for row in range(down):
        for column in range(across):
            samples[row::down, column::across, 2] = cb
            samples[row::down, column::across, 0] = cr
    return samples
