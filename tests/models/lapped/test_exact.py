"""Sums that do not depend on their order, and functions of integers as tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aebench.errors import WeightsError
from aebench.models.lapped.exact import ExactLinear, FeatureTables, fix, from_integers, to_integers


def test_rounding_and_its_gradient() -> None:
    x = torch.tensor([-9.0, -0.3, 0.26, 4.1, 9.0], requires_grad=True)
    y = fix(x, 1, -4, 4)
    assert y.tolist() == [-4, -0.5, 0.5, 4, 4]
    y.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [0, 1, 1, 0, 0]
    x.grad = None
    fix(x, 1, -4, 4, "straight").sum().backward()
    assert x.grad.tolist() == [1] * 5
    for sign, expected in ((1, [0, 1, 1, 1, 1]), (-1, [-1, -1, -1, 0, 0])):
        x.grad = None
        (sign * fix(x, 1, -4, 4, "back")).sum().backward()
        assert x.grad.tolist() == expected, "descent leads back inside, and no further out"


def test_float32_and_float64_agree_to_the_bit_in_any_order() -> None:
    torch.manual_seed(2)
    layer = ExactLinear(700, 30, 4, 8)
    layer.weight.data *= 8
    x = (torch.rand(50, 700) * 127).round() / 16
    order = torch.randperm(700)
    weight, bias = layer.integers()
    expected = torch.nn.functional.linear(x.double(), weight.double(), bias.double())
    assert torch.equal(layer(x).double(), expected)
    assert torch.equal(torch.nn.functional.linear(x[:, order], weight[:, order], bias), layer(x))


def test_weights_that_could_overflow_are_refused() -> None:
    layer = ExactLinear(1100, 4, 4, 127 / 16)
    layer.check(32)
    layer.weight.data.fill_(1)
    with pytest.raises(WeightsError, match="would not be exact"):
        layer.check(32)


def test_weights_survive_being_stored() -> None:
    layer = ExactLinear(20, 30, 4, 8)
    layer.weight.data *= 5
    assert layer.bias is not None
    layer.bias.data.uniform_(-9, 9)
    stored = [to_integers(layer.weight.data), to_integers(layer.bias.data)]
    assert [x.dtype for x in stored] == [torch.int8, torch.int16]
    weight, bias = layer.integers()
    assert torch.equal(from_integers(stored[0]), weight)
    assert torch.equal(from_integers(stored[1]), bias)


def test_no_machine_could_round_an_entry_of_the_tables_otherwise() -> None:
    tables = FeatureTables()
    for table, exact in (
        (tables.log, np.log2(1 + np.arange(256))),
        (tables.asinh, np.arcsinh(np.arange(5600) / 4)),
    ):
        sixteenths = 16 * exact
        assert np.abs(sixteenths % 1 - 0.5).min() > 1e-9  # double precision errs by some 1e-14
        np.testing.assert_array_equal(table.numpy() * 16, np.minimum(np.round(sixteenths), 127))


def test_functions_of_integers() -> None:
    tables = FeatureTables()
    q = torch.tensor([-100000.0, -3, -0.25, 0, 1, 7, 200000])
    assert tables.log_magnitude(q.trunc()).tolist() == [7.9375, 2, 0, 0, 1, 3, 7.9375]
    signed = tables.signed(q)
    torch.testing.assert_close(signed, torch.asinh(q).clamp(-7.9375, 7.9375), rtol=0, atol=1 / 32 + 1e-6)
    assert signed[3] == 0
