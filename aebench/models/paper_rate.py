"""The paper's autoencoder trained for rate: quantisation noise, a factorised prior, one gain a channel and rate.

Analysis and synthesis are those of `aebench.models.paper`, layer by layer, so that a training may start from its
weights. Between them each channel is multiplied by the gain of its rate and rounded, and afterwards multiplied by its
inverse gain, which is learned as well (Cui et al., *Asymmetric gained deep image compression with continuous rate
adaptation*, 2021): one network serves all rates.

In training the factorised prior gives the bits of a latent with uniform noise in the place of rounding (Ballé, Laparra,
Simoncelli, *End-to-end optimized image compression*, 2017), while the synthesis sees it rounded, the gradient passed
straight through (Minnen and Singh, *Channel-wise autoregressive entropy models for learned image compression*, 2020,
section 3.3). With noise there as well it would learn to spread a value over many channels, each of less than half a
step, which survives noise and not rounding. The loss is λ · MSE + bpp, the squared error being that of RGB in levels of
0 … 255, which is what is scored; the paper's own is that of YCbCr.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from aebench.codecs.base import Rgb
from aebench.errors import CodecError, WeightsError
from aebench.models.entropy.coding import Reader, Tables, Writer
from aebench.models.entropy.factorised import FactorisedPrior
from aebench.models.entropy.fitting import fit
from aebench.models.entropy.neighbours import Integers, Neighbours
from aebench.models.paper import LATENT_CHANNELS, STRIDE, PaperAutoencoder, pad, rgb_to_ycbcr, ycbcr_to_rgb
from aebench.models.weights import under

LAMBDAS = (0.0008, 0.0016, 0.0032, 0.0064, 0.0128, 0.0256, 0.0512, 0.1024)
"""Bits a pixel that one unit of squared error is worth, by rate."""

RATES = len(LAMBDAS)
VALIDATED = (1, 4, 6)
"""Rates of validation."""

FITTED = 32
"""Images that the context model is fitted to."""

_FIRST_GAIN = 10.0
"""Initial gain at λ = 0.01; the noise of a step is inverse to it, its square therefore proportional to λ."""

_UNIT = 16.0
"""The prior's density is that of the unrounded latent times this, which it expects to be some tens."""

_RADIUS = 127
"""Of the prior's tables."""

_MASK_BYTES = LATENT_CHANNELS // 8
_MOST = 2**20
"""Largest integer of a latent."""


class PaperRate(PaperAutoencoder):
    """The paper's transforms, gains, prior, and the tables of the context model."""

    def __init__(self) -> None:
        super().__init__()
        gain = math.log(_FIRST_GAIN) + torch.tensor(LAMBDAS).div(0.01).log().div(2)
        self.log_gain = nn.Parameter(gain[:, None].repeat(1, LATENT_CHANNELS))
        self.log_inverse_gain = nn.Parameter(-self.log_gain.detach().clone())
        self.prior = FactorisedPrior(LATENT_CHANNELS, RATES, _RADIUS)
        self.neighbours = Neighbours.empty(RATES, LATENT_CHANNELS)

    def train(self, mode: bool = True) -> PaperRate:
        """Forget the context model when the latent is about to change."""
        if mode:
            self.neighbours = Neighbours.empty(RATES, LATENT_CHANNELS)
        super().train(mode)
        return self

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the transforms, which are trained already, learn more slowly than gains and prior."""
        new = [self.log_gain, self.log_inverse_gain, *self.prior.parameters()]
        transforms = [value for name, value in self.named_parameters() if name.startswith("conv2d_")]
        return [{"params": transforms, "slower": 0.2}, {"params": new}]

    def loss(self, rgb: Tensor) -> Tensor:
        """Rate and distortion of a batch of RGB in [0, 1], (N, 3, H, W).

        In training the images share the rates, drawn from torch's generator, as equally as they can; otherwise the loss
        is the mean over the rates of `VALIDATED`. At each rate it is divided by √λ, so that all rates weigh in alike.
        """
        with torch.autocast(rgb.device.type, enabled=False):
            y = self.analysis(rgb_to_ycbcr(pad(rgb.float())))
            if self.training:
                rate = torch.cat([torch.randperm(RATES) for _ in range(-(-len(rgb) // RATES))])[: len(rgb)]
                return self._loss(rgb, y, rate.to(rgb.device))
            losses = [self._loss(rgb, y, rate.expand(len(rgb))) for rate in torch.tensor(VALIDATED, device=rgb.device)]
            return torch.stack(losses).mean()

    def _loss(self, rgb: Tensor, y: Tensor, rate: Tensor) -> Tensor:
        height, width = rgb.shape[-2:]
        scaled = y * self.gain(rate)
        q = scaled + (scaled.round() - scaled).detach()
        noisy = scaled + torch.rand_like(scaled) - 0.5 if self.training else q
        bpp = self.prior.bits(noisy, self._widths(rate)).sum((1, 2, 3)) / (height * width)
        decoded = ycbcr_to_rgb(self.dequantise(q, rate))[..., :height, :width]
        mse = (decoded - rgb).mul(255).square().mean((1, 2, 3))
        weight = rgb.new_tensor(LAMBDAS)[rate]
        return ((weight * mse + bpp) / weight.sqrt()).mean()

    @torch.no_grad()
    def rates(self, rgb: Tensor) -> tuple[float, float]:
        """Return bits per pixel of one image in [0, 1], (1, 3, H, W), estimated and in bytes, mean over `VALIDATED`.

        They are those of the factorised prior; channels without a single bit set are left out by both.
        """
        estimated = real = 0.0
        for rate in VALIDATED:
            (q,) = self.quantise(rgb, rate)
            present = torch.from_numpy(q)[None].to(rgb)
            bits = self.prior.bits(present, self._widths(torch.tensor([rate], device=rgb.device)))
            estimated += float(bits[:, torch.from_numpy(_active(q))].sum()) + 8 * _MASK_BYTES
            real += 8 * len(self.encode(q, rate, "none"))
        pixels = len(VALIDATED) * rgb.shape[-2] * rgb.shape[-1]
        return estimated / pixels, real / pixels

    def reconstruct(self, rgb: Tensor) -> Tensor:
        """Pass RGB in [0, 1] of any size through the quantiser at the middle rate of `VALIDATED`."""
        rate = torch.full((len(rgb),), VALIDATED[1], device=rgb.device)
        q = (self.analysis(rgb_to_ycbcr(pad(rgb))) * self.gain(rate)).round()
        return ycbcr_to_rgb(self.dequantise(q, rate))[..., : rgb.shape[-2], : rgb.shape[-1]]

    def gain(self, rate: Tensor) -> Tensor:
        """Return what the latents of images are multiplied by before rounding: (N, 128, 1, 1) for rates (N,)."""
        return self.log_gain[rate].exp()[..., None, None]

    def quantise(self, rgb: Tensor, rate: int) -> list[Integers]:
        """Return the integers of a batch of RGB in [0, 1]: int32 arrays (128, H/4, W/4), all ≥ 0."""
        y = self.analysis(rgb_to_ycbcr(pad(rgb))) * self.gain(torch.tensor([rate], device=rgb.device))
        return list(y.round().clamp(0, _MOST).to(torch.int32).cpu().contiguous().numpy())

    def dequantise(self, q: Tensor, rate: Tensor) -> Tensor:
        """Reconstruct YCbCr, nominally in [0, 1], of integers (N, 128, H/4, W/4) at rates (N,)."""
        return self.synthesis(q * self.log_inverse_gain[rate].exp()[..., None, None])

    def encode(self, q: Integers, rate: int, context: str) -> bytes:
        """Code the integers of one image: a bit a channel, then those of the channels that are not all zero."""
        active = _active(q)
        flat, writer = q.reshape(len(q), -1), Writer()
        if context == "neighbours":
            model = self._contexts()

            def put(channel: int, sites: npt.NDArray[np.int64], table: npt.NDArray[np.uint8]) -> Integers:
                values: Integers = flat[channel, sites]
                writer.put(model.tables, values, table)
                return values

            model.walk(rate, active, q.shape[1], q.shape[2], put)
        else:
            tables = self.tables()
            for channel in np.flatnonzero(active):
                writer.put(tables, flat[channel], _same(rate, channel, flat.shape[1]))
        return np.packbits(active).tobytes() + writer.finish()

    def decode(self, data: bytes, rate: int, context: str, height: int, width: int) -> Integers:
        """Decode what `encode` made of an image of `height` × `width` pixels."""
        if len(data) < _MASK_BYTES:
            raise CodecError("the payload of paper-rate ends before its coefficients")
        active = np.unpackbits(np.frombuffer(data[:_MASK_BYTES], np.uint8)).astype(bool)
        rows, columns, reader = -(-height // STRIDE), -(-width // STRIDE), Reader(data[_MASK_BYTES:])
        if context == "neighbours":
            model = self._contexts()
            q = model.walk(rate, active, rows, columns, lambda channel, sites, table: reader.get(model.tables, table))
        else:
            tables, q = self.tables(), np.zeros((LATENT_CHANNELS, rows * columns), np.int32)
            for channel in np.flatnonzero(active):
                q[channel] = reader.get(tables, _same(rate, channel, q.shape[1]))
        q = q.reshape(-1, rows, columns)
        if not np.array_equal(_active(q), active):
            raise CodecError("the payload of paper-rate is damaged: a channel that it announces is all zero")
        return q

    def tables(self) -> Tables:
        """Return the tables of the factorised prior, number rate · 128 + channel."""
        return self.prior.tables(self._widths())

    @torch.no_grad()
    def after_training(self, images: Iterable[Rgb]) -> None:
        """Fit the context model to the first `FITTED` of the training images."""
        device = self.log_gain.device
        latents = []
        for rgb in itertools.islice(images, FITTED):
            planes = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))).to(device).float().div_(255)
            latents.append(self.analysis(rgb_to_ycbcr(pad(planes[None])))[0].half())
        self.neighbours = fit(
            (
                [
                    (y.float() * self.gain(torch.tensor([rate], device=device))[0]).round().int().cpu().numpy()
                    for y in latents
                ]
                for rate in range(RATES)
            ),
            RATES,
            LATENT_CHANNELS,
        )

    def stored_state(self) -> dict[str, Tensor]:
        """Return the weights as they are stored: floats in half precision but for the prior, tables as integers."""
        prior = self.prior.stored_state(self._widths())
        return {
            **{name: value.half() for name, value in self.state_dict().items() if not name.startswith("prior.")},
            **{f"prior.{name}": value for name, value in prior.items()},
            **{f"neighbours.{name}": torch.from_numpy(array) for name, array in self.neighbours.arrays().items()},
        }

    def load_stored_state(self, state: dict[str, Tensor]) -> None:
        """Take what `stored_state` gave."""
        self.prior.load_stored_state(under("prior.", state))
        arrays = {name: value.numpy() for name, value in under("neighbours.", state).items()}
        self.neighbours = Neighbours.of(arrays)
        self.load_state_dict({name: state[name].float() for name in self.state_dict()})

    def _widths(self, rate: Tensor | slice = slice(None)) -> Tensor:
        return _UNIT * (-self.log_gain[rate]).exp()

    def _contexts(self) -> Neighbours:
        if not self.neighbours.fitted:
            raise WeightsError(
                "these weights of 'paper-rate' have no context model: take paper-rate[context=none], or weights of "
                "a training that came to its end"
            )
        return self.neighbours


def _active(q: Integers) -> npt.NDArray[np.bool_]:
    """Tell which channels are not all zero."""
    return np.asarray(q.any((1, 2)), bool)


def _same(rate: int, channel: np.integer, count: int) -> npt.NDArray[np.int64]:
    """Return the number of the prior's table of a channel, so many times."""
    return np.full(count, rate * LATENT_CHANNELS + int(channel), np.int64)
