from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aebench.codecs.base import Rgb, parameter
from aebench.codecs.neural import NeuralCodec
from aebench.errors import CodecError, SettingError, WeightsError
from aebench.models.weights import Weights


class Scale(nn.Module):
    """A network of one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))


@dataclass(frozen=True)
class Plain(NeuralCodec):
    """Stores the scaled samples as 16-bit floats."""

    name = "plain"
    network_name = "tests.codecs.test_neural:Scale"
    sweep = "noise=0"
    noise: float = parameter(0.0)

    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        return [(image * network.gain).half().numpy().tobytes() for image in rgb]

    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        samples = np.stack([np.frombuffer(data, np.float16).reshape(3, height, width) for data in payloads])
        return torch.from_numpy(samples.astype(np.float32)) / network.gain


@pytest.fixture
def weights() -> Weights:
    return Weights.of(Plain.network_name, Scale(), {})


def image(height: int = 3, width: int = 5) -> Rgb:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_round_trip_and_batches(weights: Weights) -> None:
    codec = Plain().bind(weights)
    batch = [image(), 255 - image()]
    streams = codec.encode_batch(batch)
    assert streams == [codec.encode(rgb) for rgb in batch]
    assert len(streams[0]) == 14 + 2 * 3 * 3 * 5
    for rgb, decoded in zip(batch, codec.decode_batch(streams), strict=True):
        assert np.array_equal(rgb, decoded)


def test_bound_weights_travel_and_are_no_part_of_the_setting(weights: Weights) -> None:
    codec = Plain().bind(weights)
    assert codec == Plain()
    assert codec.setting == "plain[noise=0]"
    assert "bound" not in codec.values()
    arrived = pickle.loads(pickle.dumps(codec))
    assert np.array_equal(arrived.decode(codec.encode(image())), image())
    assert weights.digest[:12] in arrived.version()


def test_named_weights_are_read_and_win_over_those_of_the_run(weights: Weights, tmp_path: Path) -> None:
    other = Scale()
    other.gain.data.fill_(0.25)
    Weights.of(Plain.network_name, other, {}).save(tmp_path)
    codec = Plain(weights=str(tmp_path)).bind(weights)
    assert f"weights={tmp_path}" in codec.setting
    assert weights.digest[:12] not in codec.version()
    assert np.array_equal(codec.decode(codec.encode(image())), image())
    assert replace(codec.loaded(), weights="").encode(image()) == codec.encode(image())


def test_an_address_of_weights_that_every_row_would_show_has_no_credentials() -> None:
    with pytest.raises(SettingError, match="credentials in s3://bucket/run;") as caught:
        Plain(weights="s3://KEY:HIDDEN@bucket/run?region=eu-central-1")
    assert "HIDDEN" not in str(caught.value)
    assert Plain(weights="s3://bucket/run?region=eu-central-1").weights


def test_weights_of_another_network_are_refused(weights: Weights) -> None:
    with pytest.raises(WeightsError, match="built on the network"):
        Plain().bind(replace(weights, network="paper")).encode(image())


def test_any_failure_of_a_decoder_is_a_codec_error(weights: Weights) -> None:
    codec = Plain().bind(weights)
    with pytest.raises(CodecError, match="checksum"):
        codec.decode(codec.encode(image())[:-1])
    with pytest.raises(CodecError, match="not a stream of plain"):
        codec.decode(b"\x89PNG and so on, long enough")
    with pytest.raises(CodecError, match="one shape"):
        codec.decode_batch([codec.encode(image()), codec.encode(image(4, 4))])


def test_sides_that_the_header_cannot_hold_are_refused(weights: Weights) -> None:
    with pytest.raises(CodecError, match="65535"):
        Plain().bind(weights).encode(np.zeros((1, 65536, 3), np.uint8))
