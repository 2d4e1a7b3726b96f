"""What was coded here decodes elsewhere to the same integers: on a GPU or with sums in another order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from aebench.codecs.neural import SHIPPED
from aebench.models.entropy.channels import ChannelPrior
from aebench.models.entropy.coders import Estimator
from aebench.models.entropy.gaussian import GaussianConditional
from aebench.models.lapped import Lapped
from aebench.models.transform_coder import TransformCoder
from aebench.models.weights import build, read_weights
from tests.models.lapped.helpers import as_tensor, picture
from tests.models.references import FAMILIES

NAMES = ["lapped", *(f"{family}-small" for family in FAMILIES)]
HEIGHT, WIDTH, RATE, STEP = 70, 90, 4, 64
GPU = pytest.param("gpu", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"))


class OtherOrder(TorchFunctionMode):
    """Adds up the inputs of convolutions and matrices from the last to the first, as another device may."""

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), named: dict[str, Any] | None = None
    ) -> Any:
        axes = {torch.conv2d: (1, 1), torch.conv_transpose2d: (1, 0), F.linear: (-1, -1)}.get(function)
        if axes:
            x, weight, *rest = arguments
            arguments = (x.flip(axes[0]), weight.flip(axes[1]), *rest)
        return function(*arguments, **(named or {}))


@contextmanager
def elsewhere(network: nn.Module, place: str) -> Iterator[torch.device]:
    """Compute on a GPU, or in another order."""
    if place == "gpu":
        network.cuda()
        yield torch.device("cuda")
        network.cpu()
    else:
        with OtherOrder():
            yield torch.device("cpu")


def test_another_order_shows_where_sums_are_not_exact() -> None:
    torch.manual_seed(1)
    x, weight = torch.randn(1, 64, 9, 9), torch.randn(64, 64, 3, 3)
    with torch.inference_mode():
        straight = [F.conv2d(x, weight), F.conv_transpose2d(x, weight), F.linear(x[0, :, 0], x[0, :, 1])]
        with OtherOrder():
            other = [F.conv2d(x, weight), F.conv_transpose2d(x, weight), F.linear(x[0, :, 0], x[0, :, 1])]
    for one, two in zip(straight, other, strict=True):
        assert torch.allclose(one, two, atol=1e-3) and not torch.equal(one, two)


def encode(network: nn.Module, rgb: Tensor) -> tuple[bytes, Tensor | int]:
    if isinstance(network, Lapped):
        return network.encode(rgb, STEP)
    assert isinstance(network, TransformCoder)
    return network.encode(rgb, RATE)


def decode(network: nn.Module, data: bytes) -> Tensor | int:
    if isinstance(network, Lapped):
        return network.decode(data, STEP, HEIGHT, WIDTH).q
    assert isinstance(network, TransformCoder)
    return network.decode(data, RATE, HEIGHT, WIDTH)[1]


@pytest.mark.parametrize("place", ["another order", GPU])
@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_it_decodes_elsewhere_to_the_same_integers(name: str, place: str) -> None:
    network, rgb = read_weights(SHIPPED / name).load_into(build(name)).eval(), as_tensor(picture(HEIGHT, WIDTH))
    here, integers = encode(network, rgb)
    with elsewhere(network, place) as device:
        assert same(decode(network, here), integers)
        there, others = encode(network, rgb.to(device))
    assert same(decode(network, there), others)


class Placed(Estimator):
    """Gives every latent a value on the device of what describes it, as a reader does."""

    def factorised(self, prior: ChannelPrior, values: Tensor, rate: Tensor, width: Tensor) -> Tensor:
        return torch.zeros_like(values)

    def gaussian(
        self, conditional: GaussianConditional, values: Tensor, mean: Tensor, scale: Tensor, where: Tensor
    ) -> Tensor:
        return mean * where


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_on_another_device_nothing_is_left_on_the_cpu(name: str) -> None:
    """Meta tensors compute nothing, and refuse, as those of a GPU do, to meet any of the CPU."""
    network, meta = build(name).eval().to("meta"), torch.device("meta")
    rgb = torch.zeros(1, 3, HEIGHT, WIDTH, device=meta)
    if isinstance(network, Lapped):
        found, _ = network.quantise(rgb, torch.full((1,), 64.0, device=meta), lambda q, members: None)
        decoded = network.pixels(found)
    else:
        assert isinstance(network, TransformCoder)
        y = network.latent(rgb)
        side = y.new_zeros(1, *network.entropy.side_shape(*y.shape[-2:]))
        rate = torch.full((1,), RATE, device=meta)
        decoded = network.pixels(network.entropy.walk(y, side, rate, network.log_gain.exp(), Placed(False)), RATE)
    assert decoded.device == meta and decoded.shape[-2] >= HEIGHT


def same(one: Tensor | int, other: Tensor | int) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one.cpu(), other.cpu())
    return one == other
