"""The paper's autoencoder trained for rate: its rounded latent, range-coded.

Payload, after the header of `aebench.codecs.neural`:

    setting     1 byte: the rate, and 128 if the context is `neighbours`
    check       2 bytes, of the CRC-32, from the setting on, of the latent as 32-bit integers, channel by channel
    channels    16 bytes, a bit a channel, the first the highest: whether it is not all zero
    the range coder's words, without the zeros at the end

Everything on which the entropy coder depends is a stored integer, so that a stream decodes to the same latent on every
machine; `check` makes it loud if not. What follows is floating point: pixels may differ by one level between machines.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from aebench.codecs.base import parameter
from aebench.codecs.neural import NeuralCodec, constriction_version
from aebench.errors import CodecError
from aebench.models.entropy.neighbours import Integers
from aebench.models.paper import ycbcr_to_rgb
from aebench.models.paper_rate import RATES, PaperRate

_HEADER = struct.Struct("<BH")
_NEIGHBOURS = 128


@dataclass(frozen=True)
class PaperRateCodec(NeuralCodec):
    """The paper's autoencoder, trained for rate: one network for a list of trade-offs between rate and distortion."""

    name = "paper-rate"
    network_name = "paper-rate"
    sweep = f"rate={'|'.join(map(str, range(RATES)))}"

    rate: int = parameter(4, low=0, high=RATES - 1, help="trade-off; squared error counts double from each to the next")
    context: str = parameter(
        "neighbours",
        choices=("none", "neighbours"),
        help="by which, besides the channel, the table of an integer is chosen",
    )

    def version(self) -> str:
        """Name the range coder besides torch and the weights."""
        return f"{super().version()}, constriction {constriction_version()}"

    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        """Code a batch; see the module for the format."""
        assert isinstance(network, PaperRate)
        setting = self.rate + (_NEIGHBOURS if self.context == "neighbours" else 0)
        latents = network.quantise(rgb, self.rate)
        return [_HEADER.pack(setting, _check(q, setting)) + network.encode(q, self.rate, self.context) for q in latents]

    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        """Decode payloads, whatever setting they were made with."""
        assert isinstance(network, PaperRate)
        rates, latents = [], []
        for payload in payloads:
            if len(payload) < _HEADER.size or payload[0] % _NEIGHBOURS >= RATES:
                raise CodecError("the payload of paper-rate does not begin with a setting")
            setting, check = _HEADER.unpack_from(payload)
            rates.append(setting % _NEIGHBOURS)
            context = "neighbours" if setting >= _NEIGHBOURS else "none"
            latents.append(network.decode(payload[_HEADER.size :], rates[-1], context, height, width))
            if _check(latents[-1], setting) != check:
                raise CodecError(
                    "the stream of paper-rate decodes to another latent than was coded: it is damaged, or the tables "
                    "are not those of the encoder"
                )
        device = next(network.parameters()).device
        q = torch.from_numpy(np.stack(latents)).to(device).float().contiguous(memory_format=torch.channels_last)
        return ycbcr_to_rgb(network.dequantise(q, torch.tensor(rates, device=device)))[..., :height, :width]


def _check(q: Integers, setting: int) -> int:
    return zlib.crc32(q.astype("<i4").tobytes(), setting) & 0xFFFF
