"""Every rule of the table in aebench.images.reading, and damage of every kind."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from aebench.errors import ImageError
from aebench.images import decode_rgb, open_rgb, pixel_digest, reading
from tests.images.files import encoded, photograph, png16
from tests.images.hostile import size_bombs, text_bombs

RGB = photograph()
DEEP = np.array([[0, 127, 128, 129, 384, 385, 0x7FFF, 0x8000, 0xFF7F, 0xFFFF]], dtype=np.uint16)
ROUNDED = (DEEP.astype(int) + 128) // 257


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
        ("PPM", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG2000", {"irreversible": False}),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (24, 32), (7, 5)])
def test_lossless_formats_give_the_pixels(kind: str, options: dict[str, object], shape: tuple[int, int]) -> None:
    rgb = photograph(*shape)
    found = decode_rgb(encoded(Image.fromarray(rgb), kind, **options), "a")
    assert found.dtype == np.uint8
    assert found.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(found, rgb)


def test_jpeg_is_what_pillow_decodes() -> None:
    data = encoded(Image.fromarray(RGB), "JPEG", quality=90)
    np.testing.assert_array_equal(decode_rgb(data, "a"), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "PPM"])
def test_greyscale_is_replicated(kind: str) -> None:
    data = encoded(Image.fromarray(RGB[:, :, 0]), kind)
    grey = np.asarray(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(decode_rgb(data, "a"), np.stack([grey] * 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
def test_palettes_give_their_colours(kind: str) -> None:
    image = Image.fromarray(RGB).quantize(16)
    np.testing.assert_array_equal(decode_rgb(encoded(image, kind), "a"), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "BMP"])
def test_bilevel_is_black_and_white(kind: str) -> None:
    bits = np.array([[0, 1, 1], [1, 0, 0]], dtype=bool)
    found = decode_rgb(encoded(Image.fromarray(bits), kind), "a")
    np.testing.assert_array_equal(found, np.stack([bits * np.uint8(255)] * 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_greyscale_is_rounded(kind: str) -> None:
    found = decode_rgb(encoded(Image.fromarray(DEEP), kind), "a")
    np.testing.assert_array_equal(found, np.stack([ROUNDED] * 3, axis=2))


def test_pgm_of_10_bits_fills_the_range() -> None:
    data = b"P5 3 1 1023\n" + np.array([0, 512, 1023], dtype=">u2").tobytes()
    np.testing.assert_array_equal(decode_rgb(data, "a")[0, :, 0], [0, 128, 255])


def test_16_bit_rgb_png_keeps_the_high_byte() -> None:
    rgb = np.stack([DEEP, DEEP[:, ::-1], DEEP], axis=2)
    np.testing.assert_array_equal(decode_rgb(png16(rgb, 2), "a"), rgb >> 8)


def test_16_bit_rgb_ppm_is_rounded() -> None:
    data = b"P6 10 1 65535\n" + np.stack([DEEP] * 3, axis=2).astype(">u2").tobytes()
    np.testing.assert_array_equal(decode_rgb(data, "a"), np.stack([ROUNDED] * 3, axis=2))


def test_a_transparent_shade_of_16_bits_is_white() -> None:
    found = decode_rgb(png16(DEEP[:, :, None], 0, transparent=(384,)), "a")
    np.testing.assert_array_equal(found[0, :, 0], np.where(DEEP[0] == 384, 255, ROUNDED[0]))


def test_16_bit_greyscale_with_alpha_is_composited() -> None:
    samples = np.array([[[0, 0], [0, 0xFFFF], [0x8000, 0xFFFF]]])
    np.testing.assert_array_equal(decode_rgb(png16(samples, 4), "a")[0, :, 0], [255, 0, 128])


def test_every_value_under_every_alpha_is_composited_on_white_to_the_nearest() -> None:
    alpha, value = np.mgrid[:256, :256].astype(np.uint8)
    rgba = np.stack([value, value, value, alpha], axis=2)
    found = decode_rgb(encoded(Image.fromarray(rgba, "RGBA"), "PNG"), "a")
    exact = (alpha * value.astype(float) + (255.0 - alpha) * 255) / 255
    assert np.abs(found[:, :, 0] - exact).max() <= 0.5
    np.testing.assert_array_equal(found[255, :, 0], np.arange(256))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_a_transparent_colour_is_white(mode: str) -> None:
    image = Image.new(mode, (2, 1), 0)
    image.putpixel((1, 0), (9, 9, 9) if mode == "RGB" else 1)
    opaque = decode_rgb(encoded(image, "PNG"), "a")
    found = decode_rgb(encoded(image, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0), "a")
    np.testing.assert_array_equal(found[0, 0], [255, 255, 255])
    np.testing.assert_array_equal(found[0, 1], opaque[0, 1])


_TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_once(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.fromarray(RGB), kind, exif=exif, **options)
    np.testing.assert_array_equal(decode_rgb(data, "a"), _TURNED[orientation](RGB))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    options = {"lossless": True} if kind == "WEBP" else {}
    found = decode_rgb(encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options), "a")
    assert found.shape == (8, 8, 3)
    assert (found == [255, 0, 0]).all()


def test_the_first_picture_of_a_multi_picture_jpeg_is_taken() -> None:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_array_equal(decode_rgb(data, "a"), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize(
    ("mode", "kind", "why"),
    [
        ("CMYK", "JPEG", "CMYK"),
        ("CMYK", "TIFF", "CMYK"),
        ("LAB", "TIFF", "CIELAB"),
        ("F", "TIFF", "float"),
        ("I", "TIFF", "32"),
    ],
)
def test_what_has_no_rule_is_refused(mode: str, kind: str, why: str) -> None:
    with pytest.raises(ImageError, match=f"^photo is refused: .*{why}.*convert it to 8-bit RGB first$"):
        decode_rgb(encoded(Image.new(mode, (4, 4)), kind), "photo")


@pytest.mark.parametrize(("tag", "value"), [(262, 0), (258, 12)])
def test_greyscale_tiff_that_pillow_does_not_scale_or_invert_is_refused(tag: int, value: int) -> None:
    data = bytearray(encoded(Image.fromarray(np.zeros((2, 2), np.uint16)), "TIFF"))
    entry = data.index(struct.pack("<HHI", tag, 3, 1))
    data[entry + 8 : entry + 10] = struct.pack("<H", value)
    with pytest.raises(ImageError, match="12-bit or white-is-zero"):
        decode_rgb(bytes(data), "a")


def test_other_formats_are_not_opened() -> None:
    for kind in ("EPS", "TGA", "PCX"):
        with pytest.raises(ImageError, match="no format that aebench reads"):
            decode_rgb(encoded(Image.fromarray(RGB), kind), "a")


@pytest.mark.parametrize("side", [11_600, 13_400, 60_000])
def test_too_many_pixels_are_refused_before_any_is_decoded(side: int) -> None:
    # Above our limit; above Pillow's limit for an error as well; far above. There are no pixels in the file.
    head = png16(np.zeros((1, 1, 1)), 0)[:8]
    whole = png16(np.zeros((1, 1, 1)), 0)
    body = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = head + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + whole[33:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"too large: .*the limit is 134,217,728"):
            decode_rgb(data, "a")


@pytest.mark.parametrize("name", size_bombs())
def test_every_format_is_refused_by_the_size_that_it_declares(name: str) -> None:
    with pytest.raises(ImageError, match=r"too large: .*the limit is 134,217,728"):
        decode_rgb(size_bombs()[name], "a")


def test_bombs_are_refused_without_the_memory_that_they_ask_for() -> None:
    code = """if True:
        import resource
        from aebench.errors import ImageError
        from aebench.images import decode_rgb
        from tests.images.hostile import size_bombs, text_bombs

        bombs = {**size_bombs(), **text_bombs()}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, data in bombs.items():
            try:
                decode_rgb(data, name)
            except ImageError:
                print(name)
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *refused, megabytes = done.stdout.split()
    assert set(refused) == {*size_bombs(), *text_bombs()}
    assert int(megabytes) < 64


def test_a_large_image_below_the_limit_does_not_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", RGB.shape[0] * RGB.shape[1] - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(decode_rgb(encoded(Image.fromarray(RGB), "PNG"), "a"), RGB)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"not an image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"P6 3 3 255\n", b"BM"]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"^photo is "):
        decode_rgb(data, "photo")


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(RGB), "PNG"),
        encoded(Image.fromarray(RGB), "JPEG"),
        encoded(Image.fromarray(RGB), "JPEG", progressive=True),
        encoded(Image.fromarray(RGB), "TIFF"),
        encoded(Image.fromarray(RGB), "PPM"),
        encoded(Image.fromarray(RGB), "WEBP", lossless=True),
        encoded(Image.fromarray(RGB), "JPEG2000"),
    ],
    ids=["png", "jpeg", "progressive", "tiff", "ppm", "webp", "jp2"],
)
def test_truncated_files_are_refused_wherever_they_end(data: bytes) -> None:
    # The last four bytes of a PNG are the checksum of nothing: every pixel and checksum lies before them.
    last = len(data) - (5 if data.startswith(b"\x89PNG") else 1)
    for end in {*range(0, last, 1 + len(data) // 150), last}:
        with pytest.raises(ImageError):
            decode_rgb(data[:end], "a")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_png_is_refused_and_no_wrong_pixel_gets_through(data: st.DataObject) -> None:
    whole = encoded(Image.fromarray(RGB), "PNG")
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_rgb(bytes(damaged), "a")
    except ImageError:
        return
    np.testing.assert_array_equal(found, RGB)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_files_are_refused_or_give_an_image(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000"]))
    damaged = bytearray(encoded(Image.fromarray(RGB).convert("P" if kind == "GIF" else "RGB"), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        change = data.draw(st.binary(max_size=4))
        damaged[place : place + data.draw(st.integers(0, 4))] = change
    try:
        found = decode_rgb(bytes(damaged), "a")
    except ImageError as error:
        assert str(error).startswith("a is ")
    else:
        assert found.dtype == np.uint8
        assert found.ndim == 3
        assert found.shape[2] == 3


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"GIF89a"]))
def test_random_bytes_never_raise_anything_else(data: bytes, magic: bytes) -> None:
    with pytest.raises(ImageError):
        decode_rgb(magic + data, "a")


def test_files_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "a ü#1%20.dat"
    path.write_bytes(encoded(Image.fromarray(RGB), "PNG"))
    np.testing.assert_array_equal(open_rgb(str(path)), RGB)
    np.testing.assert_array_equal(open_rgb(path.as_uri()), RGB)


def test_files_that_cannot_be_opened_are_named(tmp_path: Path) -> None:
    for uri in (str(tmp_path), str(tmp_path / "none.png"), (tmp_path / "none.png").as_uri(), "/\0", "x" * 300):
        with pytest.raises(ImageError, match="cannot be read"):
            open_rgb(uri)
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"empty\.png is empty"):
        open_rgb(str(tmp_path / "empty.png"))


def test_pixel_digest_tells_shape_and_pixels() -> None:
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    expected = hashlib.sha256(struct.pack("<QQQ", 2, 4, 3) + rgb.tobytes()).hexdigest()
    assert pixel_digest(rgb) == expected
    assert pixel_digest(rgb.reshape(4, 2, 3)) != expected
    assert pixel_digest(rgb[:, ::-1][:, ::-1]) == expected
    assert pixel_digest(np.asfortranarray(rgb)) == expected


def test_pillow_knows_every_format() -> None:
    Image.init()
    assert set(reading.FORMATS) <= set(Image.OPEN)
    assert TiffImagePlugin.READ_LIBTIFF is False  # set, it would change what 16-bit TIFF files give
