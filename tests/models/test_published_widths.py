"""The networks at the widths of their papers: as many parameters as the papers' layers have, counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from aebench.models.transform_coder import TransformCoder
from aebench.models.weights import build
from tests.models.lapped.helpers import as_tensor, picture


def count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.parametrize(
    ("name", "analysis", "synthesis", "hyper", "latent"),
    [
        ("theis2017", 1_402_592, 1_630_476, [], (96, 8, 8)),
        ("cheng2018", 361_920, 361_827, [], (96, 8, 8)),
        ("balle2018-factorised", 3_505_664, 3_505_347, [], (320, 4, 4)),
        ("balle2018-hyperprior", 3_505_664, 3_505_347, [2_396_736, 2_396_864], (320, 4, 4)),
        ("minnen2018", 2_891_136, 2_890_947, [2_175_552, 3_300_192, 1_843_584, 1_017_344], (192, 4, 4)),
    ],
)
def test_layers_are_those_of_the_paper(
    name: str, analysis: int, synthesis: int, hyper: list[int], latent: tuple[int, int, int]
) -> None:
    network = build(f"{name}-published")
    assert isinstance(network, TransformCoder)
    assert (count(network.analysis), count(network.synthesis)) == (analysis, synthesis)
    names = ("analysis", "synthesis", "context", "parameters_of")
    assert [count(getattr(network.entropy, part)) for part in names if hasattr(network.entropy, part)] == hyper
    rgb = as_tensor(picture(60, 64))
    with torch.inference_mode():
        assert network.latent(rgb).shape[1:] == latent
        assert network.eval().reconstruct(rgb).shape == rgb.shape
