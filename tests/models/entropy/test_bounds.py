from __future__ import annotations

import torch

from aebench.models.entropy.bounds import lower_bound, noisy, straight_round


def test_the_bound_passes_gradients_that_lead_up() -> None:
    x = torch.tensor([0.1, 0.1, 2.0], requires_grad=True)
    bounded = lower_bound(x, 1.0)
    assert bounded.tolist() == [1.0, 1.0, 2.0]
    (bounded * torch.tensor([1.0, -1.0, 1.0])).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None and x.grad.tolist() == [0.0, -1.0, 1.0]


def test_rounding_passes_gradients_straight_through() -> None:
    x = torch.tensor([0.4, 1.6], requires_grad=True)
    assert straight_round(x).tolist() == [0.0, 2.0]
    straight_round(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None and x.grad.tolist() == [1.0, 1.0]


def test_noise_is_uniform() -> None:
    torch.manual_seed(1)
    noise = noisy(torch.zeros(10000))
    assert noise.abs().max() <= 0.5 and abs(float(noise.var()) - 1 / 12) < 0.003
