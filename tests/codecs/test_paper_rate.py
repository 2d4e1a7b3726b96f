"""The paper's network, trained for rate, as a codec."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.codecs.base import Rgb
from aebench.codecs.paper_rate import PaperRateCodec
from aebench.codecs.registry import codec, codecs
from aebench.errors import CodecError
from aebench.metrics import mse, psnr
from aebench.models.paper_rate import RATES
from tests.models.lapped.helpers import picture


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


def test_decoding_needs_no_setting(shipped: PaperRateCodec) -> None:
    image = picture(60, 40)
    stream = replace(shipped, rate=RATES - 1).encode(image)
    assert stream[14] == 128 + RATES - 1
    assert np.array_equal(shipped.decode(stream), replace(shipped, rate=0, context="none").decode(stream))


def test_the_check_is_of_the_latent(shipped: PaperRateCodec) -> None:
    image = picture(33, 50)
    stream = shipped.encode(image)
    network = shipped._network()
    latent = network.decode(stream[17:], 3, "neighbours", 33, 50)  # type: ignore[operator]
    assert struct.unpack("<H", stream[15:17])[0] == zlib.crc32(latent.astype("<i4").tobytes()) & 0xFFFF
    wrong = with_payload(stream, stream[14:15] + bytes([stream[15] ^ 1]) + stream[16:])
    with pytest.raises(CodecError, match="decodes to another latent than was coded"):
        shipped.decode(wrong)


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=60)
def test_a_changed_byte_is_noticed_by_the_latent_alone(shipped: PaperRateCodec, position: int, change: int) -> None:
    stream = shipped.encode(picture(19, 30))
    payload = bytearray(stream[14:])
    payload[position % len(payload)] ^= change
    with pytest.raises(CodecError):
        shipped.decode(with_payload(stream, bytes(payload)))


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
