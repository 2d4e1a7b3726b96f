"""The paper's autoencoder as a codec: its latent, quantised to `bits` a channel after training, and range-coded.

The paper counts no bits. Its latent has 2.67 times more numbers than the image has samples, so the bytes are many;
they are real all the same, and decode to the pixels that are scored.

Payload, after the header of `aebench.codecs.neural`:

    bits        1 byte
    bits = 32:  the latent as little-endian float32, channel by channel, row by row
    otherwise:  length of the side information (4 bytes), the side information (deflated: per channel the smallest and
                the largest value as float32, then for channels in which they differ the histogram of the levels as
                uint16), and the levels of those channels, range-coded with the histograms as static models.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import constriction
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from aebench.codecs.base import parameter
from aebench.codecs.neural import NeuralCodec, constriction_version
from aebench.errors import CodecError
from aebench.models.paper import LATENT_CHANNELS, STRIDE, PaperAutoencoder, pad, rgb_to_ycbcr, ycbcr_to_rgb

RAW_BITS = 32
_TABLE_TOTAL = 0xFFFF


@dataclass(frozen=True)
class Paper(NeuralCodec):
    """The paper's autoencoder; ``bits=32`` stores its latent as it is, fewer bits quantise it uniformly."""

    name = "paper"
    network_name = "paper"
    sweep = "bits=2|3|4|5|6|8|32"

    bits: int = parameter(RAW_BITS, choices=(2, 3, 4, 5, 6, 8, RAW_BITS), help="of a latent value; 32 is raw float")

    def version(self) -> str:
        """Name the range coder besides torch and the weights."""
        return f"{super().version()}, constriction {constriction_version()}"

    def compress(self, network: nn.Module, rgb: Tensor) -> list[bytes]:
        """Code a batch; see the module for the format."""
        assert isinstance(network, PaperAutoencoder)
        latents = network.analysis(pad(rgb_to_ycbcr(rgb))).float().cpu().contiguous().numpy()
        code = pack_raw if self.bits == RAW_BITS else self._quantise_and_pack
        return [bytes([self.bits]) + code(latent) for latent in latents]

    def decompress(self, network: nn.Module, payloads: Sequence[bytes], height: int, width: int) -> Tensor:
        """Decode payloads, whatever bits they were made with."""
        assert isinstance(network, PaperAutoencoder)
        shape = (LATENT_CHANNELS, -(-height // STRIDE), -(-width // STRIDE))
        latents = np.stack([_unpack(data, shape) for data in payloads])
        device = next(network.parameters()).device
        latent = torch.from_numpy(latents).to(device).contiguous(memory_format=torch.channels_last)
        return ycbcr_to_rgb(network.synthesis(latent))[..., :height, :width]

    def _quantise_and_pack(self, latent: npt.NDArray[np.float32]) -> bytes:
        return pack_levels(*quantise(latent, self.bits), self.bits)


def quantise(latent: npt.NDArray[np.float32], bits: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Quantise each channel uniformly between its smallest and its largest value.

    Parameters
    ----------
    latent : float32 array, shape (channels, height, width)
    bits : int

    Returns
    -------
    levels : int32 array, shape (channels, height × width), 0 … 2^bits − 1
    bounds : float32 array, shape (channels, 2)
    """
    flat = latent.reshape(len(latent), -1)
    bounds = np.stack([flat.min(1), flat.max(1)], axis=1).astype("<f4")
    low, span = bounds[:, :1], np.maximum(bounds[:, 1:] - bounds[:, :1], np.finfo(np.float32).tiny)
    return np.rint((flat - low) / span * (2**bits - 1)).astype(np.int32), bounds


def dequantise(levels: npt.NDArray[np.int32], bounds: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.float32]:
    """Invert `quantise`, to the middle of each level's interval."""
    low, span = bounds[:, :1], bounds[:, 1:] - bounds[:, :1]
    return (low + levels.astype(np.float32) * (span / np.float32(2**bits - 1))).astype(np.float32)


def pack_raw(latent: npt.NDArray[np.float32]) -> bytes:
    """Write the latent as it is."""
    data: bytes = latent.astype("<f4").tobytes()
    return data


def pack_levels(levels: npt.NDArray[np.int32], bounds: npt.NDArray[np.float32], bits: int) -> bytes:
    """Range-code the levels of every channel that is not constant, with its own histogram."""
    active = bounds[:, 0] < bounds[:, 1]
    tables = np.stack([_table(channel, bits) for channel in levels[active]]) if active.any() else np.zeros(0, "<u2")
    side = zlib.compress(bounds.tobytes() + tables.astype("<u2").tobytes(), 9)
    encoder = constriction.stream.queue.RangeEncoder()
    for channel, table in zip(levels[active], tables, strict=True):
        encoder.encode(np.ascontiguousarray(channel), _model(table))
    words: npt.NDArray[np.uint32] = encoder.get_compressed()
    return struct.pack("<I", len(side)) + side + words.astype("<u4").tobytes()


def _unpack(payload: bytes, shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Read one payload back into a latent."""
    if not payload or payload[0] not in (2, 3, 4, 5, 6, 8, RAW_BITS):
        raise CodecError("the payload does not start with a number of bits")
    bits, body = payload[0], payload[1:]
    channels, size = shape[0], shape[1] * shape[2]
    if bits == RAW_BITS:
        if len(body) != 4 * channels * size:
            raise CodecError(f"a raw latent of {shape} takes {4 * channels * size} bytes, the payload has {len(body)}")
        return np.frombuffer(body, "<f4").astype(np.float32).reshape(shape)
    bounds, tables, words = _read_side(body, channels, bits)
    active = bounds[:, 0] < bounds[:, 1]
    levels = np.zeros((channels, size), np.int32)
    decoder = constriction.stream.queue.RangeDecoder(words)
    for channel, table in zip(np.flatnonzero(active), tables, strict=True):
        levels[channel] = decoder.decode(_model(table), size)
    return dequantise(levels, bounds, bits).reshape(shape)


def _read_side(
    body: bytes, channels: int, bits: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint16], npt.NDArray[np.uint32]]:
    most = channels * (8 + 2 * 2**bits)
    if len(body) < 4:
        raise CodecError("the payload ends before the side information")
    (length,) = struct.unpack_from("<I", body)
    try:
        side = zlib.decompressobj().decompress(body[4 : 4 + length], most + 1)
    except zlib.error as error:
        raise CodecError(f"the side information is damaged: {error}") from error
    bounds = np.frombuffer(side[: 8 * channels], "<f4")
    if bounds.size != 2 * channels or not np.isfinite(bounds).all():
        raise CodecError("the side information is damaged: the bounds of the channels")
    bounds = bounds.reshape(channels, 2).astype(np.float32)
    active = int((bounds[:, 0] < bounds[:, 1]).sum())
    coded = body[4 + length :]
    if len(side) != 8 * channels + 2 * active * 2**bits or len(coded) % 4:
        raise CodecError("the side information is damaged: its length")
    tables = np.frombuffer(side[8 * channels :], "<u2").reshape(active, 2**bits)
    return bounds, tables.astype(np.uint16), np.frombuffer(coded, "<u4").astype(np.uint32)


def _table(channel: npt.NDArray[np.int32], bits: int) -> npt.NDArray[np.uint16]:
    """Scale a histogram to 16 bits, levels that occur to at least 1."""
    counts = np.bincount(channel, minlength=2**bits)
    scaled = np.ceil(counts * (_TABLE_TOTAL / counts.sum())).clip(0, _TABLE_TOTAL)
    return scaled.astype(np.uint16)  # type: ignore[no-any-return]


def _model(table: npt.NDArray[np.uint16]) -> constriction.stream.model.Categorical:
    # whole numbers below 2^16 are exact in float32, so that both sides build the same model
    return constriction.stream.model.Categorical(table.astype(np.float32), perfect=False)
