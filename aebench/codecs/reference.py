"""The field's reference networks as codecs: one set of weights for all rates, at a small and at the published width.

Payload, after the header of `aebench.codecs.neural`:

    rate        1 byte
    check       2 bytes, of the CRC-32 of the quantised latents as 32-bit integers, in the order of coding
    the range coder's words, without the zeros at the end

What the entropy coder depends on is exact in integers, so that a stream decodes to the same latents on every machine,
with any number of threads; `check` makes it loud if not. What follows is floating point: pixels may differ by one
level between machines. The codecs work on the CPU, where the range coder is.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aebench.codecs.base import parameter
from aebench.codecs.neural import NeuralCodec, constriction_version
from aebench.errors import CodecError
from aebench.models.transform_coder import RATES, TransformCoder

_HEADER = struct.Struct("<BH")


@dataclass(frozen=True)
class ReferenceCodec(NeuralCodec):
    """A `TransformCoder` at one of its rates."""

    on_cpu = True
    sweep = f"rate=0..{RATES - 1}:1"

    rate: int = parameter(3, low=0, high=RATES - 1, help="index of the trade-off; 0 has the fewest bits")
    width: str = parameter("small", choices=("small", "published"), help="of the network; small trains on one CPU core")

    @property
    def network_name(self) -> str:  # type: ignore[override]
        """The network of this width."""
        return f"{self.name}-{self.width}"

    def version(self) -> str:
        """Name the range coder besides torch and the weights."""
        return f"{super().version()}, constriction {constriction_version()}"

    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        """Code a batch; see the module for the format."""
        assert isinstance(network, TransformCoder)
        payloads = []
        for image in torch.split(rgb, 1):
            data, check = network.encode(image, self.rate)
            payloads.append(_HEADER.pack(self.rate, check) + data)
        return payloads

    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        """Decode payloads, whatever rate they were made with."""
        assert isinstance(network, TransformCoder)
        images = []
        for payload in payloads:
            if len(payload) < _HEADER.size or payload[0] >= RATES:
                raise CodecError(f"the payload of {self.name} does not start with a rate and a check")
            rate, check = _HEADER.unpack_from(payload)
            latent, found = network.decode(payload[_HEADER.size :], rate, height, width)
            if found != check:
                raise CodecError(
                    f"the stream of {self.name} decodes to other latents than were coded: it is damaged, or the "
                    "arithmetic of this machine is not exact; report the latter with `aebench codecs` and the processor"
                )
            images.append(network.pixels(latent, rate)[..., :height, :width])
        return torch.cat(images)


@dataclass(frozen=True)
class Theis2017Codec(ReferenceCodec):
    """Compressive autoencoder: residual blocks, sub-pixel convolutions, Gaussian scale mixtures."""

    name = "theis2017"


@dataclass(frozen=True)
class Cheng2018Codec(ReferenceCodec):
    """Convolutional autoencoder a plane of YCbCr, rotated to principal components."""

    name = "cheng2018"


@dataclass(frozen=True)
class Balle2018FactorisedCodec(ReferenceCodec):
    """Generalised divisive normalisation and a factorised prior."""

    name = "balle2018-factorised"


@dataclass(frozen=True)
class Balle2018HyperpriorCodec(ReferenceCodec):
    """The same with a scale hyperprior."""

    name = "balle2018-hyperprior"


@dataclass(frozen=True)
class Minnen2018Codec(ReferenceCodec):
    """Mean–scale hyperprior with a context model over a checkerboard."""

    name = "minnen2018"
