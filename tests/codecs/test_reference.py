"""The reference networks as codecs, with untrained weights: what does not depend on training."""

from __future__ import annotations

import struct
import zlib
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.codecs.base import Rgb
from aebench.codecs.reference import ReferenceCodec
from aebench.codecs.registry import codec, codecs
from aebench.errors import CodecError, WeightsError
from tests.codecs import conformance
from tests.models.lapped.helpers import picture
from tests.models.references import FAMILIES, seeded_weights


def bound(name: str, rate: int = 3) -> ReferenceCodec:
    return cast(ReferenceCodec, codec(f"{name}[rate={rate}]")).bind(seeded_weights(f"{name}-small"))


@pytest.mark.parametrize("name", FAMILIES)
def test_settings_name_networks(name: str) -> None:
    assert [str(each) for each in codecs(name)] == [f"{name}[rate={rate}]" for rate in range(6)]
    published = cast(ReferenceCodec, codec(f"{name}[width=published]"))
    assert published.network_name == f"{name}-published"
    assert published.variant == f"{name}[width=published]" and codec(name).variant == name
    with pytest.raises(WeightsError, match=f"built on the network '{name}-published'"):
        published.bind(seeded_weights(f"{name}-small")).encode(picture(8, 8))
    conformance.check_setting(bound(name))


@pytest.mark.parametrize("name", FAMILIES)
def test_streams_come_back(name: str) -> None:
    batch = [picture(17, 33, seed) for seed in (1, 2)]
    coder = bound(name)
    streams = coder.encode_batch(batch)
    assert streams == [coder.encode(rgb) for rgb in batch]
    assert streams[0][14] == 3
    other = bound(name, rate=0)
    for stream, decoded in zip(streams, other.decode_batch(streams), strict=True):
        assert np.array_equal(decoded, coder.decode(stream))
    conformance.check_input(coder, batch[0])


@pytest.mark.parametrize("name", ["theis2017", "minnen2018"])
def test_another_process_decodes_the_same(name: str, crop: Rgb) -> None:
    conformance.check_other_process(bound(name), crop[:101, :99])


def test_hostile_bytes(crop: Rgb) -> None:
    conformance.check_hostile_bytes(bound("minnen2018"), crop[:64, :80], {})


def damaged(stream: bytes, payload: bytes) -> bytes:
    """Put another payload under a header that fits it."""
    size = stream[10:14]
    return stream[:6] + struct.pack("<I", zlib.crc32(size + payload)) + size + payload


@pytest.mark.parametrize("name", ["balle2018-factorised", "minnen2018"])
def test_a_changed_byte_is_noticed_by_the_latents_alone(name: str) -> None:
    coder = bound(name)
    stream = coder.encode(picture(40, 48))
    for position in (0, 1, 2, 3, 40, 90):
        payload = bytearray(stream[14:])
        payload[position] ^= 0x5A
        with pytest.raises(CodecError):
            coder.decode(damaged(stream, bytes(payload)))


@given(st.binary(max_size=200))
@settings(max_examples=40)
def test_any_payload_is_an_image_or_a_codec_error(payload: bytes) -> None:
    coder = bound("balle2018-hyperprior")
    stream = coder.encode(picture(17, 9))
    try:
        assert coder.decode(damaged(stream, payload)).shape == (17, 9, 3)
    except CodecError as error:
        assert str(error)
