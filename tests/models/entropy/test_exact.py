from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import nn

from aebench.models.entropy.exact import ExactConv2d, down, fix, up
from aebench.models.kernels import rounded


@pytest.mark.parametrize("layer", [down(40, 6), up(40, 6), ExactConv2d(40, 6, 1)])
def test_the_order_of_summation_makes_no_difference(layer: nn.Module) -> None:
    torch.manual_seed(1)
    nn.init.normal_(layer.weight, std=0.3)
    layer.eval()
    x = torch.randn(1, 40, 7, 9) * 90
    with torch.inference_mode():
        straight = layer(x)
        order = torch.randperm(40)
        dimension = 0 if isinstance(layer, nn.ConvTranspose2d) else 1
        layer.weight.copy_(layer.weight.index_select(dimension, order))
        assert torch.equal(layer(x[:, order]), straight)
        assert (straight.abs() < 4095).float().mean() > 0.9, "hardly anything is clamped"


def test_a_sum_is_that_of_the_fractions() -> None:
    torch.manual_seed(2)
    layer = ExactConv2d(50, 4, 1).eval()
    nn.init.normal_(layer.weight, std=2.0)
    x = torch.randn(1, 50, 1, 1) * 50
    assert layer.bias is not None
    with torch.inference_mode():
        found = layer(x).flatten().tolist()
        for kernel, bias, result in zip(rounded(layer), layer.bias.tolist(), found, strict=True):
            exact = sum(
                Fraction(float(w)) * Fraction(float(a)) for w, a in zip(kernel.flatten(), fix(x).flatten(), strict=True)
            )
            assert Fraction(float(exact)) == exact, "the sum fits into float64"
            assert Fraction(result) == Fraction(round(Fraction(float(exact) + bias) * 1024), 1024)


def test_training_and_evaluation_differ_by_less_than_matters() -> None:
    torch.manual_seed(3)
    layer, x = down(24, 8), torch.randn(1, 24, 12, 12)
    with torch.no_grad():
        trained = layer(x)
        assert (layer.eval()(x) - trained).abs().max() < 0.01
