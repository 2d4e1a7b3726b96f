"""The learned codec `lapped`: a lapped transform, a learned context model, a learned post-filter.

Payload, after the header of `aebench.codecs.neural`:

    step        1 byte, in sixteenths of an octave: 2^(step / 16)
    check       2 bytes, of the CRC-32 of the coefficients as 32-bit integers, channels fastest
    the range coder's words, without the zeros at the end

Everything on which the entropy coder depends is exact in integers, so that a stream decodes to the same coefficients
on every machine, with any number of threads; `check` makes it loud if not. What follows is floating point: pixels may
differ by one level between machines. The codec works on the CPU, where the range coder is.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aebench.codecs.base import parameter
from aebench.codecs.neural import NeuralCodec, constriction_version
from aebench.errors import CodecError
from aebench.models.lapped.network import STEPS_PER_OCTAVE, Lapped

_HEADER = struct.Struct("<BH")


@dataclass(frozen=True)
class LappedCodec(NeuralCodec):
    """One network for all rates: `step` of the quantiser, in levels of RGB, is rounded to a sixteenth of an octave."""

    name = "lapped"
    network_name = "lapped"
    on_cpu = True
    sweep = "step=4|6|8|11|16|22|32|45|64|90|128|160"

    step: float = parameter(22.0, low=1, high=1000, help="of the quantiser, in levels of RGB; training saw 6 to 166")

    def version(self) -> str:
        """Name the range coder besides torch and the weights."""
        return f"{super().version()}, constriction {constriction_version()}"

    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        """Code a batch; see the module for the format."""
        assert isinstance(network, Lapped)
        index = round(STEPS_PER_OCTAVE * math.log2(self.step))
        payloads = []
        for image in torch.split(rgb, 1):
            data, q = network.encode(image, index)
            payloads.append(_HEADER.pack(index, _check(q)) + data)
        return payloads

    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        """Decode payloads, whatever step they were made with."""
        assert isinstance(network, Lapped)
        images = []
        for payload in payloads:
            if len(payload) < _HEADER.size:
                raise CodecError("the payload of lapped ends before its coefficients")
            index, check = _HEADER.unpack_from(payload)
            found = network.decode(payload[_HEADER.size :], index, height, width)
            if _check(found.q) != check:
                raise CodecError(
                    "the stream of lapped decodes to other coefficients than were coded: it is damaged, or the "
                    "arithmetic of this machine is not exact; report the latter with `aebench codecs` and the processor"
                )
            images.append(network.pixels(found)[..., :height, :width] / 255)
        return torch.cat(images)


def _check(q: Tensor) -> int:
    return zlib.crc32(q.cpu().numpy().astype("<i4").tobytes()) & 0xFFFF
