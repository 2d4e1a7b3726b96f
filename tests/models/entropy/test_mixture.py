from __future__ import annotations

import math

import pytest
import torch

from aebench.models.entropy.mixture import GaussianScaleMixture


def test_mass_is_that_of_the_mixture_and_adds_up() -> None:
    torch.manual_seed(1)
    prior = GaussianScaleMixture(3).eval().requires_grad_(False)
    prior.log_weight.normal_()
    weight, scale = torch.softmax(prior.log_weight[1], 0), prior.log_scale[1].exp()
    edge = 0.5**0.5 / scale
    expected = (weight * (torch.erf(edge * 2.5) - torch.erf(edge * 1.5))).sum() / 2
    assert float(prior.bits(torch.full((1, 3, 1, 1), 2.0))[0, 1]) == pytest.approx(
        -math.log2(float(expected)), rel=1e-4
    )
    v = torch.arange(-80.0, 81)[None, None, :, None].expand(1, 3, -1, 1)
    assert torch.exp2(-prior.bits(v)).sum(2).flatten().tolist() == pytest.approx([1] * 3, abs=1e-3)


def test_tables_are_centred_on_zero() -> None:
    tables = GaussianScaleMixture(3, widths=2).tables(torch.tensor([[1.0] * 3, [0.1] * 3]))
    assert tables.centres.tolist() == [0] * 6
    assert tables.radius[3] > tables.radius[0]
