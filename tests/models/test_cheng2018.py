from __future__ import annotations

import torch

from aebench.models.cheng2018 import PrincipalComponents


def test_components_are_found_in_order_and_rotated_back() -> None:
    torch.manual_seed(1)
    components = PrincipalComponents(2, 4)
    mixing = torch.linalg.qr(torch.randn(2, 4, 4))[0]
    scales = torch.tensor([9.0, 4.0, 2.0, 0.5])[:, None]
    for _ in range(300):
        y = (mixing @ (scales * torch.randn(2, 4, 600)) + 7).view(1, 8, 20, 30)
        rotated = components(y)
    assert torch.allclose(components.inverse(rotated), y, atol=1e-4)
    samples = rotated.view(2, 4, -1)
    covariance = (samples - samples.mean(2, keepdim=True)) @ samples.transpose(1, 2) / 600
    variances = torch.diagonal(covariance, dim1=1, dim2=2)
    assert (variances.diff(dim=1) < 0).all(), "the largest first"
    assert torch.allclose(variances.sqrt(), scales[:, 0].expand(2, -1), rtol=0.15)
    correlation = covariance / (variances[:, :, None] * variances[:, None]).sqrt()
    assert (correlation - torch.eye(4)).abs().max() < 0.2


def test_evaluation_leaves_the_rotation_as_it_is() -> None:
    components = PrincipalComponents(1, 4).eval()
    components(torch.randn(1, 4, 5, 5))
    assert torch.equal(components.rotation, torch.eye(4)[None])
