from __future__ import annotations

import torch
from torch import nn

from aebench.models.layers import Gdn, down, pad, preserve_variance, up


def test_normalisation_follows_its_formula_and_learns_positive_parameters() -> None:
    torch.manual_seed(1)
    x, layer = torch.randn(2, 3, 4, 5), Gdn(3)
    layer.gamma.data = torch.rand(3, 3)
    layer.beta.data = torch.rand(3) + 0.5
    beta, gamma = (parameter.detach().square() - 2**-18 for parameter in (layer.beta, layer.gamma))
    expected = x / (beta[:, None, None] + torch.einsum("ij,njhw->nihw", gamma, x**2)).sqrt()
    assert torch.allclose(layer(x), expected, atol=1e-6)
    layer.gamma.data.fill_(-1.0)
    layer.beta.data.fill_(-1.0)
    layer(x).square().sum().backward()
    assert layer(x).isfinite().all() and layer.gamma.grad is not None and layer.gamma.grad.isfinite().all()


def test_the_inverse_multiplies() -> None:
    x, forward, inverse = torch.randn(1, 3, 4, 5), Gdn(3), Gdn(3, inverse=True)
    assert torch.allclose(forward(x) * inverse(x), x.square(), atol=1e-6)


def test_sizes_halve_and_double() -> None:
    x = torch.zeros(1, 3, 16, 32)
    assert down(3, 5)(x).shape == (1, 5, 8, 16)
    assert up(3, 5)(x).shape == (1, 5, 32, 64)


def test_variance_is_preserved() -> None:
    torch.manual_seed(1)
    network = nn.Sequential(down(16, 32), up(32, 16))
    preserve_variance(network)
    assert 0.7 < float(network(torch.randn(1, 16, 64, 64)).detach()[..., 4:-4, 4:-4].var()) < 1.4


def test_padding_repeats_the_border() -> None:
    padded = pad(torch.arange(6.0).view(1, 1, 2, 3), 4)
    assert padded.shape == (1, 1, 4, 4)
    assert padded[0, 0, :, 3].tolist() == [2, 5, 5, 5]
