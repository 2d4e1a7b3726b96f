"""Base class of codecs that are a network and an entropy coder: it takes care of device, batches, weights, header.

A codec of your own is two functions around your network:

    @dataclass(frozen=True)
    class Mine(NeuralCodec):
        name = "mine"
        network_name = "my_module:MyNetwork"      # a torch.nn.Module, built without arguments
        sweep = "step=8|16|32"
        step: int = parameter(16, low=1)

        def compress(self, network, rgb):          # float Tensor (N, 3, H, W) in [0, 1], on the device
            ...                                    # -> one bytes an image
        def decompress(self, network, payloads, height, width):
            ...                                    # -> float Tensor (N, 3, H, W), nominally in [0, 1]
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from aebench.codecs.base import MOST_PIXELS, Codec, Rgb, check_rgb, parameter
from aebench.errors import CodecError, Error, SettingError, WeightsError
from aebench.images.uris import has_secrets, redacted
from aebench.models.weights import Weights, build, read_weights

SHIPPED = Path(__file__).parent.parent / "weights"
"""Weights that come with aebench, a folder a network."""

_HEADER = struct.Struct("<2s4sIHH")
_MAGIC = b"AE"


@dataclass(frozen=True)
class NeuralCodec(Codec):
    """A network and an entropy coder.

    Every stream starts with 14 bytes: the magic ``AE``, the first four bytes of the weights' SHA-256, the CRC-32 of
    all that follows, the height and the width as 16-bit numbers. Decoding with other weights, or damaged bytes, is
    therefore an error and never a wrong picture.

    Attributes
    ----------
    weights : str
        Folder of the weights, or its URI. Empty: those that the run trained, else those that aebench ships, if it does.
    bound : Weights, optional
        Weights in memory, which travel with the codec to other machines; not part of the setting.
    """

    batched = True
    network_name: ClassVar[str]
    on_cpu: ClassVar[bool] = False
    """Whether the network runs on the CPU though there be an accelerator."""

    weights: str = parameter(
        "", help="folder with trained weights, or its s3:// URI; empty: those of the run, or those shipped"
    )
    bound: Weights | None = dataclasses.field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if has_secrets(self.weights):
            raise SettingError(
                f"{self.name}[weights=…]: every row would show the credentials in {redacted(self.weights)}; "
                "give them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE)"
            )

    @abstractmethod
    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        """Code a batch of equal shape: float RGB in [0, 1], (N, 3, H, W), on the device; one payload an image."""

    @abstractmethod
    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        """Decode payloads of images of one shape to float RGB, nominally in [0, 1], (N, 3, height, width).

        Raises
        ------
        CodecError
            If a payload is not what `compress` makes for this shape.
        """

    def bind(self, weights: Weights) -> Self:
        """Return the same setting with weights in memory; explicitly named `weights` stay as they are."""
        return self if self.weights else dataclasses.replace(self, bound=weights)

    def loaded(self) -> Self:
        """Return the same setting with its weights read into memory, ready to travel."""
        return dataclasses.replace(self, bound=self._weights())

    def shipped(self) -> bool:
        """Whether aebench ships weights for this codec's network."""
        return (SHIPPED / self.network_name).is_dir()

    def version(self) -> str:
        """Name torch, the network and its weights."""
        return f"{self.network_name}, torch {torch.__version__}, weights {self._weights().digest[:12]}"

    def encode(self, rgb: Rgb) -> bytes:
        """Code one image."""
        return self.encode_batch([rgb])[0]

    def decode(self, data: bytes) -> Rgb:
        """Decode one image."""
        return self.decode_batch([data])[0]

    @torch.inference_mode()
    def encode_batch(self, images: Sequence[Rgb]) -> list[bytes]:
        """Code images of one shape together."""
        batch = np.stack([check_rgb(rgb) for rgb in images])
        _, height, width, _ = batch.shape
        if max(height, width) > 0xFFFF:
            raise CodecError(f"{self.name} codes sides of up to 65535 pixels, not {width}×{height}")
        rgb = torch.from_numpy(batch).to(self._device()).permute(0, 3, 1, 2).float().div_(255)
        payloads = self.compress(self._network(), rgb)
        check = bytes.fromhex(self._weights().digest[:8])
        size = struct.pack("<HH", height, width)
        return [_HEADER.pack(_MAGIC, check, zlib.crc32(size + data), height, width) + data for data in payloads]

    @torch.inference_mode()
    def decode_batch(self, streams: Sequence[bytes]) -> list[Rgb]:
        """Decode streams of images of one shape together."""
        shapes, payloads = zip(*(self._open(data) for data in streams), strict=True)
        if len(set(shapes)) != 1:
            raise CodecError("decode_batch takes streams of images of one shape")
        height, width = shapes[0]
        network = self._network()
        try:
            rgb = self.decompress(network, payloads, height, width)
        except Error:
            raise
        except Exception as error:  # a decoder may fail in any way on bytes that no encoder made
            raise CodecError(f"the stream of {self.name} is damaged: {type(error).__name__}: {error}") from error
        pixels = rgb.mul(255).round().clamp(0, 255).to(torch.uint8)
        return list(pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy())

    def _open(self, data: bytes) -> tuple[tuple[int, int], bytes]:
        if len(data) < _HEADER.size or data[:2] != _MAGIC:
            raise CodecError(f"not a stream of {self.name}: it does not start with the {_HEADER.size}-byte header")
        _, check, crc, height, width = _HEADER.unpack_from(data)
        if zlib.crc32(data[_HEADER.size - 4 :]) != crc or not 0 < height * width <= MOST_PIXELS:
            raise CodecError(f"the stream of {self.name} is damaged or cut short: its checksum does not match")
        if check != bytes.fromhex(self._weights().digest[:8]):
            ours = self._weights().digest[:8]
            raise CodecError(f"the stream of {self.name} was made with weights {check.hex()}…, these are {ours}…")
        return (height, width), data[_HEADER.size :]

    def _weights(self) -> Weights:
        if self.bound is not None:
            return self.bound
        if self.weights:
            return _read_once(self.weights, self.network_name)
        if self.shipped():
            return _read_once(str(SHIPPED / self.network_name), self.network_name)
        raise WeightsError(
            f"codec {self.name!r} has no weights yet: train them (aebench train --model {self.network_name}), "
            f"or name them: {self.name}[weights=FOLDER]"
        )

    def _network(self) -> nn.Module:
        weights = self._weights()
        if weights.network != self.network_name:
            raise WeightsError(
                f"codec {self.name!r} is built on the network {self.network_name!r}, "
                f"these weights belong to {weights.network!r}"
            )
        return _load_once(weights, str(self._device()))

    def _device(self) -> torch.device:
        return torch.device("cpu") if self.on_cpu else device()


def device() -> torch.device:
    """Return the accelerator this process was given, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def constriction_version() -> str:
    """Return the version of the range coder."""
    return version("constriction")


@lru_cache(maxsize=8)
def _read_once(path: str, network: str) -> Weights:
    return read_weights(path, network)


@lru_cache(maxsize=8)
def _load_once(weights: Weights, where: str) -> nn.Module:
    network = weights.load_into(build(weights.network)).eval()
    return network.to(device=where, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
