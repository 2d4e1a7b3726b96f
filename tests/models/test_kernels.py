from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from aebench.models.kernels import Conv2d, ConvTranspose2d, restore, rounded, store


def seeded(layer: Conv2d | ConvTranspose2d, exponent: float = 0.0) -> Conv2d | ConvTranspose2d:
    torch.manual_seed(1)
    nn.init.normal_(layer.weight, std=2.0**exponent)
    return layer


@given(st.sampled_from([Conv2d(6, 8, 3), ConvTranspose2d(6, 8, 3)]), st.floats(-80, 80), st.integers(0, 7))
def test_what_is_stored_is_what_convolves(layer: Conv2d | ConvTranspose2d, exponent: float, dead: int) -> None:
    seeded(layer, exponent)
    outputs = 1 if isinstance(layer, ConvTranspose2d) else 0
    with torch.no_grad():
        layer.weight.select(outputs, dead).zero_()
        kernel = rounded(layer)
    network = nn.Sequential(layer)
    state = store(network)
    assert state["0.weight"].dtype == torch.int8 and state["0.scale"].shape == (8,)
    assert torch.equal(restore(network, state)["0.weight"], kernel)
    scale = state["0.scale"].float().view((1, -1, 1, 1) if outputs else (-1, 1, 1, 1))
    assert ((kernel - layer.weight).abs() <= 0.505 * scale).all()
    with torch.no_grad():
        layer.weight.copy_(kernel)
        assert torch.equal(rounded(layer), kernel)
    again = store(network)
    assert all(torch.equal(again[name], state[name]) for name in state)


@pytest.mark.parametrize("layer", [Conv2d(5, 7, 3, padding=1), ConvTranspose2d(5, 7, 3, stride=2, output_padding=1)])
def test_it_convolves_with_the_rounded_kernel_and_learns_as_if_it_were_its_own(
    layer: Conv2d | ConvTranspose2d,
) -> None:
    seeded(layer)
    x, kernel = torch.randn(2, 5, 8, 9), rounded(layer).detach().requires_grad_()
    assert not torch.equal(kernel, layer.weight)
    if isinstance(layer, Conv2d):
        expected = F.conv2d(x, kernel, layer.bias, padding=1)
    else:
        expected = F.conv_transpose2d(x, kernel, layer.bias, stride=2, output_padding=1)
    found = layer(x)
    assert torch.equal(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    assert layer.weight.grad is not None and kernel.grad is not None
    assert torch.allclose(layer.weight.grad, kernel.grad, rtol=1e-4)


@pytest.mark.parametrize("layer", [Conv2d(3, 16, 3), ConvTranspose2d(16, 3, 3), Conv2d(16, 1, 3)])
def test_kernels_that_touch_planes_stay_as_they_are(layer: Conv2d | ConvTranspose2d) -> None:
    assert torch.equal(rounded(seeded(layer)), layer.weight)
    assert store(nn.Sequential(layer)) == {}
