"""The network `lapped`: a fixed lapped transform, a learned context model, a learned post-filter.

One network serves all rates; the quantiser step is on a grid of sixteenths of an octave. The loss is rate plus
distortion, each relative to what is usual at its step. The transform being fixed, rate trains the context model and
distortion the post-filter; both see integers from the rate–distortion optimised quantiser that the encoder uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aebench.models import kernels
from aebench.models.lapped.coding import Reader, Tables, Writer
from aebench.models.lapped.context import MEANS, ORDER, Choose, ContextModel
from aebench.models.lapped.distribution import Members, bits, frequencies
from aebench.models.lapped.exact import from_integers, to_integers
from aebench.models.lapped.lattice import grid
from aebench.models.lapped.postfilter import PostFilter
from aebench.models.lapped.shaping import Shaper
from aebench.models.lapped.transform import BLOCK, LappedTransform, pad

STEPS_PER_OCTAVE = 16
TRAINED = (40, 118)
"""Steps, in sixteenths of an octave, that training draws from: 5.7 to 166."""

VALIDATED = (56, 80, 104)
"""Steps of validation: 11.3, 32 and 90.5."""

TRADEOFF = 0.13
"""Squared error, in units of the squared step, that the quantiser takes to save a bit."""

Seen = Callable[[Tensor, Members], None]
"""Given integers (N, P, channels) and as many members."""


@dataclass(frozen=True)
class Coefficients:
    """Decoded integers and all that the post-filter needs of them.

    Attributes
    ----------
    q : Tensor, shape (N, height · width, 192)
        Integers, channels in coding order.
    log_step : Tensor, shape (N,)
        log2 of the quantiser step.
    height, width : int
        Of the grid.
    """

    q: Tensor
    log_step: Tensor
    height: int
    width: int


class Lapped(nn.Module):
    """Transform, context model, post-filter, and the tables of frequencies."""

    frequencies: Tensor
    order: Tensor
    places: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.transform = LappedTransform()
        self.context = ContextModel()
        self.postfilter = PostFilter()
        self.register_buffer("frequencies", torch.from_numpy(frequencies().astype(np.int32)))
        order = torch.tensor(ORDER)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("places", order.argsort(), persistent=False)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the post-filter learn more slowly: its layers add up hundreds of inputs to a small correction."""
        return [{"params": self.context.parameters()}, {"params": self.postfilter.parameters(), "slower": 0.5}]

    def loss(self, rgb: Tensor) -> Tensor:
        """Rate and distortion of a batch of RGB in [0, 1], (N, 3, H, W).

        In training every image has a step of its own, drawn from torch's generator; otherwise the loss is the mean over
        the steps of `VALIDATED`.
        """
        with torch.autocast(rgb.device.type, enabled=False):
            if self.training:
                return self._loss(rgb, torch.randint(TRAINED[0], TRAINED[1] + 1, (len(rgb),)).to(rgb))
            losses = [self._loss(rgb, rgb.new_full((len(rgb),), index)) for index in VALIDATED]
            return torch.stack(losses).mean()

    def _loss(self, rgb: Tensor, index: Tensor) -> Tensor:
        spent: list[Tensor] = []
        found, step = self.quantise(rgb, index, lambda q, members: spent.append(bits(q, members).sum((1, 2))))
        target = self.transform.rotate(pad(rgb.float() * 255)) / step[..., None]
        rate = torch.stack(spent).sum(0) / target[0, 0].numel()
        errors = [(self._planes(y, found) - target).square().mean((1, 2, 3)) for y in (self.dequantise(found), found.q)]
        usual = 30 / (step.flatten() ** 1.05 + 4)
        rate_loss = rate / ((rate.detach() + 0.05) * usual).sqrt()
        distortion_loss = errors[0] / errors[1].clamp(min=1e-3)
        return (rate_loss + 1.5 * distortion_loss).mean()

    @torch.no_grad()
    def rates(self, rgb: Tensor) -> tuple[float, float]:
        """Return bits per pixel of one image in [0, 1], (1, 3, H, W), estimated and in bytes, mean over `VALIDATED`."""
        estimated = real = 0.0
        for index in VALIDATED:
            spent: list[Tensor] = []
            writer = Writer(self.tables())

            def put(q: Tensor, members: Members, spent: list[Tensor] = spent, writer: Writer = writer) -> None:
                spent.append(bits(q, members).sum())
                writer.put(q, members)

            self.quantise(rgb, rgb.new_full((1,), index), put)
            estimated += float(torch.stack(spent).sum())
            real += 8 * len(writer.finish())
        pixels = len(VALIDATED) * rgb.shape[-2] * rgb.shape[-1]
        return estimated / pixels, real / pixels

    def reconstruct(self, rgb: Tensor) -> Tensor:
        """Pass RGB in [0, 1] of any size through quantiser and post-filter, at the middle step of `VALIDATED`."""
        found, _ = self.quantise(rgb, rgb.new_full((len(rgb),), VALIDATED[1]), lambda q, members: None)
        return self.pixels(found)[..., : rgb.shape[-2], : rgb.shape[-1]] / 255

    def quantise(self, rgb: Tensor, index: Tensor, seen: Seen) -> tuple[Coefficients, Tensor]:
        """Transform and quantise RGB in [0, 1], (N, 3, H, W).

        Parameters
        ----------
        index : Tensor, shape (N,)
            The quantiser step of each, in sixteenths of an octave.
        seen : callable
            Called with integers and members in coding order.

        Returns
        -------
        coefficients : Coefficients
        step : Tensor, shape (N, 1, 1)
        """
        padded = pad(rgb.float() * 255)
        log_step = index / STEPS_PER_OCTAVE
        step = torch.exp2(log_step)[:, None, None]
        y = self.transform.analysis(padded)[:, self.order].flatten(2).transpose(1, 2) / step

        height, width = padded.shape[-2] // BLOCK, padded.shape[-1] // BLOCK
        shaper = Shaper(y, height, width)

        def choose(sites: Tensor, span: slice, members: Members) -> Tensor:
            q = quantise(shaper.target(sites, span), members, TRADEOFF)
            shaper.decide(sites, span, q)
            seen(q, members)
            return q

        return self._walk(log_step, height, width, choose), step

    def encode(self, rgb: Tensor, index: int) -> tuple[bytes, Tensor]:
        """Code one image of RGB in [0, 1], (1, 3, H, W); return the bytes and the integers that they hold."""
        writer = Writer(self.tables())
        found, _ = self.quantise(rgb, rgb.new_full((1,), index), writer.put)
        return writer.finish(), found.q

    def decode(self, data: bytes, index: int, height: int, width: int) -> Coefficients:
        """Decode what `encode` made of an image of `height` × `width` pixels."""
        reader = Reader(self.tables(), data)
        log_step = torch.full((1,), index / STEPS_PER_OCTAVE, device=self.order.device)
        return self._walk(
            log_step, -(-height // BLOCK), -(-width // BLOCK), lambda sites, span, members: reader.get(members)
        )

    def dequantise(self, found: Coefficients) -> Tensor:
        """Post-filter integers to coefficients in units of the step, shaped and ordered like them."""
        layout = grid(found.height, found.width, found.q.device)
        slopes = torch.cat(self.context.slopes(found.q[..., :MEANS], layout), -1)
        planes = [_planar(x, found) for x in (found.q, slopes)]
        level = ((found.log_step - 5) / 2)[:, None, None, None]
        y: Tensor = self.postfilter(*planes, level)
        return y.flatten(2).transpose(1, 2)

    def pixels(self, found: Coefficients) -> Tensor:
        """Reconstruct RGB in [0, 255], not clamped, (N, 3, 8 · height, 8 · width)."""
        y = self.dequantise(found) * torch.exp2(found.log_step)[:, None, None]
        return self.transform.synthesis(_planar(y, found)[:, self.places])

    def tables(self) -> Tables:
        """Return the tables of frequencies, for the range coder."""
        return _tables(self.frequencies.cpu().numpy().astype("<u2").tobytes())

    def stored_state(self) -> dict[str, Tensor]:
        """Return the weights as they are stored: all in eight bits but for the biases of the post-filter."""
        context = {f"context.{name}": to_integers(value) for name, value in self.context.state_dict().items()}
        rest = {f"postfilter.{name}": value for name, value in self.postfilter.state_dict().items()}
        return {**context, **rest, **kernels.store(self), "frequencies": self.frequencies.to(torch.uint16)}

    def load_stored_state(self, state: dict[str, Tensor]) -> None:
        """Take what `stored_state` gave.

        Raises
        ------
        WeightsError
            If a sum could not be exact with these weights.
        """
        state = {
            name: from_integers(value) if name.startswith("context.") else value for name, value in state.items()
        } | kernels.restore(self, state)
        self.load_state_dict({name: state[name] for name in self.state_dict()})
        self.context.check()

    def _walk(self, log_step: Tensor, height: int, width: int, choose: Choose) -> Coefficients:
        return Coefficients(self.context.walk(log_step, height, width, choose), log_step, height, width)

    def _planes(self, y: Tensor, like: Coefficients) -> Tensor:
        return self.transform.planes(_planar(y, like)[:, self.places])


def quantise(y: Tensor, members: Members, tradeoff: float) -> Tensor:
    """Round y, in units of the step, to the nearest integer or to the next one towards the mean, whichever costs less.

    The cost is (y − q)² + tradeoff · bits(q). No gradient passes.
    """
    with torch.no_grad():
        nearest = y.round()
        away = nearest - members.mean
        nearer = torch.where(away.abs() >= 0.5, nearest - away.sign(), nearest)
        costs = [(y - q).square_().add_(bits(q, members), alpha=tradeoff) for q in (nearest, nearer)]
        return torch.where(costs[1] < costs[0], nearer, nearest)


def _planar(x: Tensor, like: Coefficients) -> Tensor:
    """Map (N, sites, C) to (N, C, height, width)."""
    return x.transpose(1, 2).reshape(len(x), -1, like.height, like.width)


@lru_cache(maxsize=4)
def _tables(frequencies: bytes) -> Tables:
    return Tables(np.frombuffer(frequencies, "<u2"))
