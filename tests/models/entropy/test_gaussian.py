from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from aebench.models.entropy.coding import Writer
from aebench.models.entropy.gaussian import SCALES, GaussianConditional, frequencies, scale_index


def test_bits_are_those_of_a_gaussian_of_unit_bins() -> None:
    index = torch.tensor([(math.log(1.0) - math.log(0.11)) / (math.log(256 / 0.11) / 63)])
    expected = -math.log2(math.erf(0.5 / 2**0.5))
    assert float(GaussianConditional().bits(torch.zeros(1), index)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("index", [0, 10, 18, 40, 63])
def test_bytes_agree_with_bits(index: int) -> None:
    conditional = GaussianConditional()
    scale = 0.11 * math.exp(index * math.log(256 / 0.11) / 63)
    values = torch.from_numpy(np.random.default_rng(1).normal(0, scale, 20000).round())
    writer = Writer()
    writer.put(conditional.tables(), values.numpy().astype(np.int32), np.full(20000, index))
    bits = float(conditional.bits(values, torch.full((20000,), float(index))).sum())
    assert 8 * len(writer.finish()) == pytest.approx(bits, rel=0.01, abs=120)


def test_tables_are_symmetric_and_travel_as_integers() -> None:
    conditional = GaussianConditional()
    assert len(conditional.tables()) == SCALES
    stored = conditional.stored_state()
    assert stored["frequencies"].dtype == torch.uint16 and len(frequencies()) == len(stored["frequencies"])
    changed = {"frequencies": (stored["frequencies"].int() + 1).to(torch.uint16)}
    conditional.load_stored_state(changed)
    assert torch.equal(conditional.stored_state()["frequencies"].int(), changed["frequencies"].int())


def test_indices_are_integers_in_evaluation_and_keep_a_gradient_in_training() -> None:
    logarithm = torch.tensor([-9.0, 0.0, 0.06, 9.0], requires_grad=True)
    assert scale_index(logarithm, training=False).tolist() == [0, 18, 18, 63]
    index = scale_index(logarithm, training=True)
    assert index.tolist() == pytest.approx([0, 18, 18.48, 63])
    (index * torch.tensor([1.0, 1.0, 1.0, -1.0])).sum().backward()
    assert logarithm.grad is not None and logarithm.grad.tolist() == [0, 8, 8, 0], "descent would lead further out"
    logarithm.grad = None
    (scale_index(logarithm, training=True) * torch.tensor([-1.0, 1.0, 1.0, 1.0])).sum().backward()
    assert logarithm.grad is not None and logarithm.grad.tolist() == [-8, 8, 8, 8], "descent leads back"


@pytest.mark.parametrize("index", [0, 7, 30, 63])
def test_what_surprises_is_estimated_as_it_is_coded(index: int) -> None:
    conditional, writer = GaussianConditional(), Writer()
    values = torch.arange(-2047, 2048, 3)
    scale = torch.full(values.shape, index)
    writer.put(conditional.tables(), values.numpy().astype(np.int32), scale.numpy())
    assert 8 * len(writer.finish()) == pytest.approx(float(conditional.coded_bits(values, scale).sum()), rel=0.002)
    usual = torch.zeros(8, dtype=torch.int64)
    scales = torch.arange(8) * 9
    torch.testing.assert_close(
        conditional.coded_bits(usual, scales), conditional.bits(usual.float(), scales).double(), rtol=0.01, atol=1e-4
    )
