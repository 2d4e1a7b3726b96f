"""Reference networks with seeded weights."""

from __future__ import annotations

from functools import cache

import torch

from aebench.models.transform_coder import TransformCoder
from aebench.models.weights import Weights, build

FAMILIES = ("theis2017", "cheng2018", "balle2018-factorised", "balle2018-hyperprior", "minnen2018")


def seeded(name: str) -> TransformCoder:
    """Make a network with untrained weights, in training."""
    torch.manual_seed(5)
    network = build(name)
    assert isinstance(network, TransformCoder)
    return network


@cache
def seeded_weights(name: str) -> Weights:
    """Return weights of an untrained network, to share between tests."""
    return Weights.of(name, seeded(name), {})


def loaded(name: str) -> TransformCoder:
    """Make a network as a codec has it: from stored weights, in evaluation."""
    network = seeded_weights(name).load_into(build(name)).eval().requires_grad_(False)
    assert isinstance(network, TransformCoder)
    return network
