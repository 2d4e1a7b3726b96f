from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.codecs.base import Rgb
from aebench.codecs.paper import Paper, dequantise, pack_levels, quantise
from aebench.codecs.registry import codec
from aebench.errors import CodecError, WeightsError
from aebench.models.weights import Weights, build


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights.of("paper", build("paper"), {})


@pytest.fixture
def image() -> Rgb:
    return np.random.default_rng(2).integers(0, 256, (37, 50, 3), dtype=np.uint8)


def paper(weights: Weights, bits: int) -> Paper:
    return cast(Paper, codec(f"paper[bits={bits}]")).bind(weights)


def test_raw_latent_costs_32_bits_a_value(weights: Weights, image: Rgb) -> None:
    stream = paper(weights, 32).encode(image)
    assert len(stream) == 14 + 1 + 4 * 128 * 10 * 13


def test_fewer_bits_are_fewer_bytes_and_nearer_pixels_cost_more(weights: Weights, image: Rgb) -> None:
    raw = paper(weights, 32)
    exact = raw.decode(raw.encode(image)).astype(float)
    sizes, errors = [], []
    for bits in (2, 3, 4, 5, 6, 8):
        quantised = paper(weights, bits)
        stream = quantised.encode(image)
        sizes.append(len(stream))
        errors.append(np.abs(quantised.decode(stream) - exact).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert sizes[-1] < len(raw.encode(image)) / 3


def test_stream_decodes_whatever_the_setting_of_the_decoder(weights: Weights, image: Rgb) -> None:
    stream = paper(weights, 4).encode(image)
    assert np.array_equal(paper(weights, 32).decode(stream), paper(weights, 4).decode(stream))


def test_a_batch_gives_the_streams_of_its_images(weights: Weights, image: Rgb) -> None:
    coder = paper(weights, 6)
    batch = [image, image[::-1].copy(), 255 - image]
    streams = coder.encode_batch(batch)
    for rgb, decoded in zip(batch, coder.decode_batch(streams), strict=True):
        alone = coder.decode(coder.encode(rgb))
        assert np.abs(decoded.astype(int) - alone).max() <= 1  # convolutions of a batch may sum in another order


def test_other_weights_are_refused(weights: Weights, image: Rgb) -> None:
    stream = paper(weights, 8).encode(image)
    other = Weights.of("paper", build("paper"), {})
    with pytest.raises(CodecError, match="was made with weights"):
        paper(other, 8).decode(stream)


def test_without_weights_it_says_how_to_get_them(image: Rgb) -> None:
    with pytest.raises(WeightsError, match="train them"):
        codec("paper").encode(image)


@pytest.mark.parametrize("bits", [2, 5, 32])
def test_every_damaged_byte_is_noticed(weights: Weights, bits: int) -> None:
    coder = paper(weights, bits)
    stream = coder.encode(np.zeros((8, 8, 3), np.uint8))
    for position in range(0, len(stream), 7):
        damaged = bytearray(stream)
        damaged[position] ^= 0x10
        with pytest.raises(CodecError):
            coder.decode(bytes(damaged))


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 4, 5, 6, 8]), st.integers(1, 40))
@settings(deadline=None, max_examples=30)
def test_quantiser_is_within_half_a_step(seed: int, bits: int, size: int) -> None:
    random = np.random.default_rng(seed)
    latent = np.maximum(random.normal(size=(6, 1, size)) * random.exponential(size=(6, 1, 1)), 0).astype(np.float32)
    latent[0] = 0
    levels, bounds = quantise(latent, bits)
    assert levels.min() >= 0
    assert levels.max() < 2**bits
    restored = dequantise(levels, bounds, bits)
    step = (bounds[:, 1] - bounds[:, 0]) / (2**bits - 1)
    assert np.all(np.abs(restored - latent.reshape(6, -1)) <= step[:, None] * 0.5001 + 1e-6)
    assert len(pack_levels(levels, bounds, bits)) > 0


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_any_payload_under_a_good_header_is_an_error_or_an_image(weights: Weights, payload: bytes) -> None:
    import struct
    import zlib

    size = struct.pack("<HH", 4, 4)
    header = b"AE" + bytes.fromhex(weights.digest[:8]) + struct.pack("<I", zlib.crc32(size + payload)) + size
    try:
        decoded = paper(weights, 4).decode(header + payload)
    except CodecError:
        return
    assert decoded.shape == (4, 4, 3)
