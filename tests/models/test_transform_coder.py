"""What every reference network does, at its small width."""

from __future__ import annotations

import pytest
import torch

from aebench.codecs.base import Rgb
from aebench.codecs.neural import SHIPPED
from aebench.models.transform_coder import LAMBDAS, RATES, VALIDATED
from aebench.models.weights import Weights, build, read_weights
from tests.models.lapped.helpers import as_tensor, check_draws, picture
from tests.models.references import FAMILIES, loaded, seeded, seeded_weights

SMALL = [f"{family}-small" for family in FAMILIES]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [(1, 1), (17, 33), (64, 40)], ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_any_size_is_coded_and_decoded(name: str, shape: tuple[int, int]) -> None:
    network, rgb = loaded(name), as_tensor(picture(*shape))
    for rate in (0, RATES - 1):
        data, check = network.encode(rgb, rate)
        latent, found = network.decode(data, rate, *shape)
        assert found == check
        decoded = network.pixels(latent, rate)[..., : shape[0], : shape[1]]
        assert torch.equal(decoded, network.reconstruct(rgb, rate))
        assert decoded.shape == rgb.shape


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_learns(name: str) -> None:
    network, rgb = seeded(name), torch.cat([as_tensor(picture(64, 80, seed)) for seed in range(6)])
    torch.manual_seed(3)
    network.loss(rgb).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not idle


@pytest.mark.parametrize("name", SMALL)
def test_a_few_steps_of_training_make_it_better(name: str) -> None:
    network, rgb = seeded(name), torch.cat([as_tensor(picture(32, 48, seed)) for seed in (1, 2, 3, 4)])
    optimiser, losses = torch.optim.Adam(network.parameters(), lr=5e-4), []
    for _ in range(15):
        torch.manual_seed(1)
        optimiser.zero_grad()
        loss = network.loss(rgb)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", SMALL)
def test_bytes_agree_with_bits(name: str, photograph: Rgb) -> None:
    shipped = (SHIPPED / name).is_dir()
    network = read_weights(SHIPPED / name).load_into(build(name)).eval() if shipped else loaded(name)
    estimated, real = network.rates(as_tensor(photograph[:256, :256]))  # type: ignore[operator]
    # untrained, a network wonders at much of what it sees, and what escapes from tables costs less than it expects
    assert real == pytest.approx(estimated, rel=0.01 if shipped else 0.05)


@pytest.mark.parametrize("name", SMALL)
def test_stored_weights_are_small_and_give_the_same_bytes(name: str) -> None:
    trained, weights, rgb = seeded(name).eval(), seeded_weights(name), as_tensor(picture(40, 40))
    assert len(weights.tensors) < 3_500_000
    with torch.inference_mode():
        again = weights.load_into(build(name)).eval()
        assert Weights.of(name, again, {}).tensors == weights.tensors
        stored = again.encode(rgb, 2)[0]  # type: ignore[operator]
        assert len(stored) == pytest.approx(len(trained.encode(rgb, 2)[0]), rel=0.1)
        again.train().eval()
        assert len(again.encode(rgb, 2)[0]) == pytest.approx(len(stored), rel=0.01)  # type: ignore[operator]


@pytest.mark.parametrize("name", SMALL)
def test_the_number_of_threads_changes_no_integer(name: str) -> None:
    network, threads = loaded(name), torch.get_num_threads()
    rgb = as_tensor(picture(130, 170))
    try:
        torch.set_num_threads(1)
        data, check = network.encode(rgb, 4)
        torch.set_num_threads(2)
        assert network.decode(data, 4, 130, 170)[1] == check
    finally:
        torch.set_num_threads(threads)


def test_training_draws_rates_from_torch_and_validation_has_its_own() -> None:
    network, rgb = seeded(SMALL[0]), torch.cat([as_tensor(picture(32, 32, seed)) for seed in (1, 2, 3)])
    check_draws(network, rgb)


def test_rates_go_from_coarse_to_fine() -> None:
    assert list(LAMBDAS) == sorted(LAMBDAS) and max(VALIDATED) < RATES
    network, rgb = loaded("balle2018-factorised-small"), as_tensor(picture(96, 96))
    sizes = [len(network.encode(rgb, rate)[0]) for rate in range(RATES)]
    assert sizes == sorted(sizes)
