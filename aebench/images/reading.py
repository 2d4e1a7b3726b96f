"""From the bytes of an image file to 8-bit RGB.

==================================  ===================================================================================
In the file                         What becomes of it
==================================  ===================================================================================
8-bit RGB                           taken as it is; embedded profiles and gamma are not applied, all is taken for sRGB
8-bit greyscale                     R = G = B
Palette                             the colours of the palette
Bilevel                             0 and 255, R = G = B
Greyscale of more than 8 bits       v of 0–65535 becomes ``(v + 128) // 257``, which is v / 257 rounded; R = G = B
RGB, or greyscale with alpha, of    8 bits by Pillow: PNG and TIFF keep the high byte, ``v >> 8`` (at most 1 from
more than 8 bits                    ``(v + 128) // 257``); PPM is rounded like greyscale
Alpha or a transparent colour       on white, ``(a * v + (255 - a) * 255 + 127) // 255``; opaque pixels stay as they are
YCbCr (JPEG, TIFF, JPEG 2000)       RGB by JFIF's BT.601 full-range equations, as every viewer does
EXIF orientation                    applied
Several frames or pages             the first
CMYK, CIELAB                        refused: the conversion depends on a colour profile, and on who applies it
Float, 32-bit integer               refused: no range says what is white
12-bit or white-is-zero greyscale   refused: Pillow does not scale or invert it
(16-bit) in TIFF
More than `MAX_PIXELS`              refused, before any pixel is decoded
Damaged, truncated, empty, other    refused
==================================  ===================================================================================

The formats are `FORMATS`; what they are is told by the bytes, never by the name. Damage can be told only where the
format can: PNG by its checksums, the others where their decoders notice. A JPEG with a flipped bit decodes.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from aebench.codecs.base import Rgb
from aebench.errors import ImageError
from aebench.images import uris

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "PPM", "GIF", "JPEG2000")
"""Pillow's names of the formats that are read."""

MAX_PIXELS = 1 << 27
"""Largest image that is read: 134,217,728 pixels, 11,585 squared, 384 MiB as RGB."""

_TO_RGB = frozenset({"1", "L", "P", "RGB", "RGBX", "YCbCr"})
# A table, as computing on the image would need copies of it in 32 bits.
_EIGHT_BITS = ((np.arange(1 << 16) + 128) // 257).astype(np.uint8)
_REFUSED = {
    "CMYK": "its colours are CMYK, whose conversion depends on a colour profile",
    "LAB": "its colours are CIELAB, whose conversion depends on a white point",
    "F": "its samples are floating-point, with no range that says what is white",
    "I": "its samples are 32-bit integers, with no range that says what is white",
}


def open_rgb(uri: str) -> Rgb:
    """Read an image.

    Parameters
    ----------
    uri : str
        Local path, or URI of a filesystem that pyarrow knows.

    Returns
    -------
    uint8 array, shape (height, width, 3)
        By the table above.

    Raises
    ------
    ImageError
        If it cannot be read or is refused by the table above.
    """
    if uris.is_uri(uri):
        return decode_rgb(uris.read(uri), uris.redacted(uri))
    try:
        data = Path(uri).read_bytes()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise ImageError(f"{uri} cannot be read: {cause}; check that it exists and may be read") from error
    return decode_rgb(data, uri)


def decode_rgb(data: bytes, where: str) -> Rgb:
    """Decode the bytes of an image file.

    Parameters
    ----------
    data : bytes
        A whole file in one of `FORMATS`.
    where : str
        What to call the image in an error message.

    Returns
    -------
    uint8 array, shape (height, width, 3)
        By the table above.

    Raises
    ------
    ImageError
        If it is refused by the table above.
    """
    if not data:
        raise ImageError(f"{where} is empty (0 bytes); fetch it again or leave it out")
    try:
        # Pillow's warnings (large image, damaged EXIF) are about cases that the table above settles.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, where)
    except ImageError:
        raise
    except UnidentifiedImageError:
        message = f"{where} is in no format that aebench reads, or is damaged: it reads {', '.join(FORMATS)}"
        raise ImageError(f"{message}; convert it to PNG, or fetch it again") from None
    except Image.DecompressionBombError:
        raise ImageError(_too_large(where, f"above Pillow's limit of {2 * (Image.MAX_IMAGE_PIXELS or 0):,}")) from None
    except Exception as error:
        # Decoders answer damaged bytes with anything: OSError, SyntaxError, ValueError, struct.error, MemoryError, …
        cause = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{where} is damaged or truncated: {cause}; fetch it again or leave it out") from error


def pixel_digest(rgb: Rgb) -> str:
    """Identify an image by its pixels.

    Returns
    -------
    str
        SHA-256 (64 hex digits) of height, width and 3 as little-endian 64-bit integers, then the samples row by row.
    """
    digest = hashlib.sha256(np.asarray(rgb.shape, dtype="<u8").tobytes())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


def _decode(data: bytes, where: str) -> Rgb:
    with _open(data) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ImageError(_too_large(where, f"{image.width:,} × {image.height:,}"))
        if image.format == "PNG":
            image.verify()  # every checksum, and the end of the file; decoding alone looks at neither
    with _open(data) as image:
        image.load()
        reason = _refusal(image)
        if reason is not None:
            raise ImageError(f"{where} is refused: {reason}; convert it to 8-bit RGB first")
        ImageOps.exif_transpose(image, in_place=True)
        return np.ascontiguousarray(_samples(image))


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _refusal(image: Image.Image) -> str | None:
    """Say why an image has no conversion, or return None."""
    if _is_deep_grey(image):
        # TIFF 6.0, tags 258 BitsPerSample and 262 PhotometricInterpretation.
        tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
        if tags.get(262, 1) == 0 or tags.get(258, (16,))[0] != 16:
            return "it is a TIFF of 12-bit or white-is-zero greyscale"
        return None
    if image.has_transparency_data or image.mode in _TO_RGB:
        return None
    return _REFUSED.get(image.mode, f"its pixels are of the kind {image.mode}")


def _samples(image: Image.Image) -> Rgb:
    if _is_deep_grey(image):
        deep = np.asarray(image)
        grey = _EIGHT_BITS[deep]
        if "transparency" in image.info:
            grey[deep == image.info["transparency"]] = 255
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        return _on_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _is_deep_grey(image: Image.Image) -> bool:
    """Tell greyscale of 0–65535; Pillow scales PGM files of more than 8 bits to that range, in 32-bit integers."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def _on_white(rgba: npt.NDArray[np.uint8]) -> Rgb:
    rgb = rgba[:, :, :3].copy()
    clear = rgba[:, :, 3] < 255  # the others stay, and an opaque image costs no arithmetic
    value, alpha = rgb[clear].astype(np.uint16), rgba[:, :, 3][clear].astype(np.uint16)[:, None]
    # At most 255 · 255 + 127 = 65,152, which 16 bits hold.
    rgb[clear] = (alpha * value + (255 - alpha) * 255 + 127) // 255
    return rgb


def _too_large(where: str, size: str) -> str:
    return f"{where} is too large: {size} pixels, where the limit is {MAX_PIXELS:,}; crop it or scale it down first"
