"""The paper's network, trained for rate, as a codec."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aebench.codecs.base import Rgb
from aebench.codecs.paper_rate import PaperRateCodec
from aebench.codecs.registry import codec, codecs
from aebench.errors import CodecError
from aebench.metrics import mse, psnr
from aebench.models.paper_rate import RATES
from tests.models.lapped.helpers import picture

STORED = (
    "K}Ajry-3sL4TTc`9sq-LWCRfg000mS003a10D=Jv0Go2fV$T<WGr#PWC`RO0gQ=uCE?x(B>~UY22zK_HX0DQPs+wT75CRYFG^hUFMG!fV;>x81"
    "a5WPE@_nx9+HBEj;iYJOm;"
)
"""A stream of a 19×30 picture, made with the weights that ship at rate 3 …"""

DIGEST = 1981792912
"""… and the CRC-32 of its latent."""


@pytest.fixture(scope="module")
def shipped() -> PaperRateCodec:
    return cast(PaperRateCodec, codec("paper-rate[rate=3]"))


def with_payload(stream: bytes, payload: bytes) -> bytes:
    """Put another payload under a header that fits it."""
    size = stream[10:14]
    return stream[:6] + struct.pack("<I", zlib.crc32(size + payload)) + size + payload


def test_rates_are_curves_of_their_own_for_each_context() -> None:
    assert [coder.setting for coder in codecs("paper-rate")] == [f"paper-rate[rate={rate}]" for rate in range(RATES)]
    assert codec("paper-rate[rate=2,context=none]").variant == "paper-rate[context=none]"


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, RATES - 1), st.sampled_from(["none", "neighbours"]))
@settings(max_examples=30)
def test_any_size_comes_back(shipped: PaperRateCodec, height: int, width: int, rate: int, context: str) -> None:
    image, coder = picture(height, width), replace(shipped, rate=rate, context=context)
    assert coder.decode(coder.encode(image)).shape == image.shape


def test_contexts_change_the_bytes_and_not_the_pixels(shipped: PaperRateCodec, photograph: Rgb) -> None:
    for rate in (1, RATES - 1):
        streams = [replace(shipped, rate=rate, context=c).encode(photograph) for c in ("none", "neighbours")]
        assert len(streams[1]) < 0.95 * len(streams[0])
        assert np.array_equal(*(shipped.decode(stream) for stream in streams))


def test_a_stream_from_another_machine_decodes_to_the_latent_that_it_had_there(shipped: PaperRateCodec) -> None:
    stream = base64.b85decode(STORED)
    latent = shipped._network().decode(stream[17:], 3, "neighbours", 19, 30)  # type: ignore[operator]
    assert zlib.crc32(latent.astype("<i4").tobytes()) == DIGEST
    assert shipped.decode(stream).shape == (19, 30, 3)


def test_the_weights_that_ship_are_as_good_as_their_card_says(shipped: PaperRateCodec, kodak: list[Path]) -> None:
    image = np.asarray(Image.open(kodak[22]))
    stream = replace(shipped, rate=4).encode(image)
    assert len(stream) == pytest.approx(32593, rel=0.002)
    assert psnr(mse(shipped.decode(stream), image)) == pytest.approx(29.50, abs=0.02)


def test_decoding_needs_no_setting(shipped: PaperRateCodec) -> None:
    image = picture(60, 40)
    stream = replace(shipped, rate=RATES - 1).encode(image)
    assert stream[14] == 128 + RATES - 1
    assert np.array_equal(shipped.decode(stream), replace(shipped, rate=0, context="none").decode(stream))


def test_the_check_is_of_setting_and_latent(shipped: PaperRateCodec) -> None:
    image = picture(33, 50)
    stream = shipped.encode(image)
    network = shipped._network()
    latent = network.decode(stream[17:], 3, "neighbours", 33, 50)  # type: ignore[operator]
    assert struct.unpack("<H", stream[15:17])[0] == zlib.crc32(latent.astype("<i4").tobytes(), 128 + 3) & 0xFFFF
    wrong = with_payload(stream, stream[14:15] + bytes([stream[15] ^ 1]) + stream[16:])
    with pytest.raises(CodecError, match="decodes to another latent than was coded"):
        shipped.decode(wrong)


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=60)
def test_a_changed_byte_never_gives_another_picture(shipped: PaperRateCodec, position: int, change: int) -> None:
    stream = shipped.encode(picture(19, 30))
    payload = bytearray(stream[14:])
    payload[position % len(payload)] ^= change
    try:
        decoded = shipped.decode(with_payload(stream, bytes(payload)))
    except CodecError:
        return
    assert position % len(payload) >= len(payload) - 4, "only the range coder's last word has bits to spare"
    assert np.array_equal(decoded, shipped.decode(stream))


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_payload_is_an_image_or_a_codec_error(shipped: PaperRateCodec, payload: bytes) -> None:
    stream = shipped.encode(picture(17, 9))
    try:
        assert shipped.decode(with_payload(stream, payload)).shape == (17, 9, 3)
    except CodecError as error:
        assert str(error)


def test_a_batch_gives_the_streams_of_its_images(shipped: PaperRateCodec) -> None:
    batch = [picture(50, 61, seed) for seed in (1, 2)]
    for rgb, decoded in zip(batch, shipped.decode_batch(shipped.encode_batch(batch)), strict=True):
        alone = shipped.decode(shipped.encode(rgb))
        assert psnr(mse(decoded, alone)) > 40  # convolutions of a batch may sum in another order
