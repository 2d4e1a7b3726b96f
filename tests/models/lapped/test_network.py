"""The network as the trainer and the codec see it."""

from __future__ import annotations

import pytest
import torch

from aebench.codecs.base import Rgb
from aebench.codecs.neural import SHIPPED
from aebench.models.lapped import Lapped
from aebench.models.lapped.distribution import Members, bits
from aebench.models.lapped.network import quantise
from aebench.models.weights import Weights, build, read_weights
from tests.models.lapped.helpers import as_tensor, check_draws, picture, seeded_network


def test_a_fresh_network_reconstructs_what_it_quantised() -> None:
    torch.manual_seed(1)
    rgb = as_tensor(picture(40, 56))
    decoded = Lapped().eval().reconstruct(rgb)
    assert decoded.shape == rgb.shape
    assert (decoded - rgb).square().mean() * 255**2 < 32**2 / 12 * 1.5, "a uniform quantiser's noise at step 32"


def test_training_draws_steps_from_torch_and_validation_has_its_own() -> None:
    network, rgb = Lapped(), torch.cat([as_tensor(picture(64, 64, seed)) for seed in (1, 2)])
    check_draws(network, rgb)


def test_every_weight_learns() -> None:
    torch.manual_seed(1)
    network = Lapped()
    for parameter in network.parameters():  # last layers start at zero, and would hide those before them
        parameter.data += 0.05 * torch.randn_like(parameter)
    network.loss(torch.cat([as_tensor(picture(96, 96, seed)) for seed in (1, 2)])).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not idle


def test_a_few_steps_of_training_save_bits() -> None:
    torch.manual_seed(1)
    network, rgb = Lapped(), as_tensor(picture(64, 64))
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    before = network.rates(rgb)[1]
    for _ in range(15):
        optimiser.zero_grad()
        network.loss(rgb).backward()
        optimiser.step()
    assert network.rates(rgb)[1] < 0.8 * before


def test_the_estimate_is_what_the_bytes_are(photograph: Rgb) -> None:
    network = read_weights(SHIPPED / "lapped").load_into(build("lapped"))
    assert isinstance(network, Lapped)
    estimated, real = network.eval().rates(as_tensor(photograph))
    assert real == pytest.approx(estimated, rel=0.01)


def test_the_quantiser_chooses_the_cheaper_of_two() -> None:
    members = Members(torch.zeros(5), torch.full((5,), 10.0), torch.zeros(5))  # a sharp peak at 0
    y = torch.tensor([0.6, 0.95, -0.6, 2.4, 0.2])
    assert quantise(y, members, 0).tolist() == [1, 1, -1, 2, 0]
    found = quantise(y, members, 0.1)
    assert found.tolist() == [0, 1, 0, 2, 0]
    cost = lambda q: (y - q).square() + 0.1 * bits(q, members)  # noqa: E731
    assert (cost(found) <= cost(y.round())).all()


@pytest.mark.parametrize("index", [16, 60, 120])
def test_decoding_gives_the_integers_that_were_coded(index: int) -> None:
    network, rgb = seeded_network(), as_tensor(picture(33, 50))
    with torch.inference_mode():
        data, q = network.encode(rgb, index)
        found = network.decode(data, index, 33, 50)
    assert torch.equal(found.q, q)
    assert (found.height, found.width) == (5, 7)


def test_stored_weights_are_small_and_give_the_same_bytes() -> None:
    torch.manual_seed(3)
    trained = Lapped()
    weights = Weights.of("lapped", trained, {})
    assert len(weights.tensors) < 2_000_000
    dtypes = {value.dtype for name, value in weights.state().items() if name.endswith("weight")}
    assert dtypes == {torch.int8}
    loaded = weights.load_into(build("lapped"))
    assert isinstance(loaded, Lapped)
    rgb = as_tensor(picture(24, 24))
    with torch.inference_mode():
        assert loaded.encode(rgb, 50)[0] == trained.encode(rgb, 50)[0]
    assert Weights.of("lapped", loaded, {}).tensors == weights.tensors
