"""What the field's networks have in common: transforms, an entropy model, and one set of weights for all rates.

A gain vector a rate multiplies the latent before rounding, another one undoes it (Cui, Wang, Gao, Guo, Feng, Bai,
*Asymmetric gained deep image compression with continuous rate adaptation*, 2021). In training every crop draws a rate;
its loss is λ · 255² · MSE + bits per pixel, in RGB, scaled so that no λ outweighs the others. Kernels of eight bits
(`aebench.models.kernels`) are in none of the papers; they make weights small enough to come with the package.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from aebench.models import kernels
from aebench.models.entropy.channels import ChannelPrior
from aebench.models.entropy.coders import Decoder, Encoder, Estimator
from aebench.models.entropy.gaussian import GaussianConditional
from aebench.models.entropy.models import EntropyModel, Factorised, Hyperprior
from aebench.models.layers import pad, preserve_variance
from aebench.models.weights import under

LAMBDAS = (0.0016, 0.004, 0.01, 0.025, 0.0625, 0.16)
"""Bits a pixel that a squared error of 1, in levels of RGB, is worth, at each rate."""

RATES = len(LAMBDAS)
VALIDATED = (1, 3, 5)
"""Rates of validation."""

_MIDDLE = 0.016
_MIDDLE_GAIN = 4.0
_LARGEST_LOSS = 5.0


class TransformCoder(nn.Module):
    """A network that codes images, at any of `RATES` rates.

    Parameters
    ----------
    analysis : Module
        Maps RGB − ½, in ±½, shape (N, 3, H, W), to a latent (N, channels, H / stride, W / stride).
    synthesis : Module
        Maps a latent back.
    entropy : EntropyModel
    channels, stride : int
    """

    lambdas: Tensor

    def __init__(
        self, analysis: nn.Module, synthesis: nn.Module, entropy: EntropyModel, channels: int, stride: int
    ) -> None:
        super().__init__()
        self.analysis, self.synthesis, self.entropy = analysis, synthesis, entropy
        self.channels, self.stride = channels, stride
        preserve_variance(analysis)
        preserve_variance(synthesis)
        lambdas = torch.tensor(LAMBDAS)
        self.register_buffer("lambdas", lambdas, persistent=False)
        # the best step of a uniform quantiser goes with the root of λ
        gain = (_MIDDLE_GAIN * (lambdas / _MIDDLE).sqrt()).log()[:, None].expand(-1, channels)
        self.log_gain, self.log_inverse_gain = nn.Parameter(gain.clone()), nn.Parameter(-gain)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let densities and gains, which many values share, learn faster than kernels."""
        densities = [module for module in self.modules() if isinstance(module, ChannelPrior)]
        fast = [self.log_gain, self.log_inverse_gain, *(value for prior in densities for value in prior.parameters())]
        known = {id(value) for value in fast}
        rest = [value for value in self.parameters() if id(value) not in known]
        return [{"params": rest}, {"params": fast, "slower": 3.0}]

    def loss(self, rgb: Tensor) -> Tensor:
        """Rate and distortion of a batch of RGB in [0, 1], (N, 3, H, W), each image at a rate of its own.

        Outside of training the loss is the mean over the rates of `VALIDATED`.
        """
        with torch.autocast(rgb.device.type, enabled=False):
            if self.training:
                return self._loss(rgb, torch.randint(RATES, (len(rgb),)).to(rgb.device))
            return torch.stack([self._loss(rgb, self._rate(rgb, rate)) for rate in VALIDATED]).mean()

    def _loss(self, rgb: Tensor, rate: Tensor) -> Tensor:
        coder = Estimator(self.training)
        decoded = self._decoded(self._walk(self.latent(rgb), rate, coder), rate)
        mse = (decoded[..., : rgb.shape[-2], : rgb.shape[-1]] - rgb).square().mean((1, 2, 3)) * 255**2
        bpp = coder.bits / (rgb.shape[-2] * rgb.shape[-1])
        lambdas = self.lambdas[rate]
        return _tamed((lambdas * mse + bpp) * (_MIDDLE / lambdas).sqrt()).mean()

    @torch.no_grad()
    def rates(self, rgb: Tensor) -> tuple[float, float]:
        """Return bits per pixel of one image in [0, 1], (1, 3, H, W), estimated and in bytes, mean over `VALIDATED`."""
        estimated = real = 0.0
        y = self.latent(rgb)
        for rate in VALIDATED:
            coder = Estimator(training=False)
            self._walk(y, self._rate(rgb, rate), coder)
            estimated += float(coder.bits)
            real += 8 * len(self.encode(rgb, rate)[0])
        pixels = len(VALIDATED) * rgb.shape[-2] * rgb.shape[-1]
        return estimated / pixels, real / pixels

    def reconstruct(self, rgb: Tensor, rate: int = VALIDATED[1]) -> Tensor:
        """Pass RGB in [0, 1] of any size through transforms and quantiser."""
        rates = self._rate(rgb, rate)
        quantised = self._walk(self.latent(rgb), rates, Estimator(self.training))
        return self._decoded(quantised, rates)[..., : rgb.shape[-2], : rgb.shape[-1]]

    def encode(self, rgb: Tensor, rate: int) -> tuple[bytes, int]:
        """Code one image of RGB in [0, 1], (1, 3, H, W); return the bytes and a check of the integers in them."""
        coder = Encoder()
        self._walk(self.latent(rgb), self._rate(rgb, rate), coder)
        return coder.finish(), coder.check()

    def decode(self, data: bytes, rate: int, height: int, width: int) -> tuple[Tensor, int]:
        """Decode what `encode` made of an image of `height` × `width` pixels.

        Returns
        -------
        latent : Tensor, shape (1, channels, H, W)
            For `pixels`.
        check : int
            Of the integers.
        """
        coder = Decoder(data)
        sides = -(-height // self.stride), -(-width // self.stride)
        y = self.log_gain.new_zeros(1, self.channels, *sides)
        side = self.log_gain.new_zeros(1, *self.entropy.side_shape(*sides))
        quantised = self.entropy.walk(y, side, self._rate(y, rate), self.log_gain.exp(), coder)
        return quantised, coder.check()

    def pixels(self, quantised: Tensor, rate: int) -> Tensor:
        """Map a quantised latent to RGB, nominally in [0, 1], (N, 3, H · stride, W · stride)."""
        return self._decoded(quantised, self._rate(quantised, rate))

    def latent(self, rgb: Tensor) -> Tensor:
        """Map RGB in [0, 1] of any size to the latent, before its gain."""
        return self.analyse(pad(rgb.float(), self.stride) - 0.5)

    def analyse(self, centred: Tensor) -> Tensor:
        """Map RGB − ½, sides multiples of the stride, to the latent."""
        y: Tensor = self.analysis(centred)
        return y

    def synthesise(self, y: Tensor) -> Tensor:
        """Map a latent to RGB − ½."""
        centred: Tensor = self.synthesis(y)
        return centred

    def _walk(self, y: Tensor, rate: Tensor, coder: Estimator | Encoder) -> Tensor:
        gain = self.log_gain.exp()
        scaled = y * gain[rate][..., None, None]
        return self.entropy.walk(scaled, self.entropy.side(scaled), rate, gain, coder)

    def _decoded(self, quantised: Tensor, rate: Tensor) -> Tensor:
        inverse = self.log_inverse_gain[rate].exp()[..., None, None]
        return self.synthesise(quantised.float() * inverse) + 0.5

    def _rate(self, like: Tensor, rate: int) -> Tensor:
        return torch.full((len(like),), rate, device=like.device)

    def stored_state(self) -> dict[str, Tensor]:
        """Return the weights as they are stored: kernels in eight bits, those that touch planes in half precision."""
        state = {name: value.half() if value.ndim == 4 else value for name, value in self.state_dict().items()}
        state |= kernels.store(self)
        for prefix, module in self.named_modules():
            if isinstance(module, GaussianConditional):
                state |= _prefixed(prefix, module.stored_state())
            elif isinstance(module, ChannelPrior):
                state |= _prefixed(prefix, module.stored_state(self._widths()))
        return state

    def load_stored_state(self, state: dict[str, Tensor]) -> None:
        """Take what `stored_state` gave."""
        own, state = self.state_dict(), state | kernels.restore(self, state)
        for prefix, module in self.named_modules():
            if isinstance(module, GaussianConditional | ChannelPrior):
                module.load_stored_state(under(f"{prefix}.", state))
        self.load_state_dict({name: state[name].to(value.dtype) for name, value in own.items()})

    def _widths(self) -> Tensor:
        """Return the widths that the tables of the factorised prior are made for."""
        if isinstance(self.entropy, Hyperprior):
            return self.entropy.widths()
        assert isinstance(self.entropy, Factorised)
        return 1 / self.log_gain.exp()


def _tamed(losses: Tensor) -> Tensor:
    """Shorten the gradients of large losses: inverse normalisation is a polynomial, and one crop could outweigh all."""
    shortened = losses * (_LARGEST_LOSS / losses.detach()).clamp(max=1)
    return losses.detach() + shortened - shortened.detach()


def _prefixed(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": value for name, value in state.items()}
