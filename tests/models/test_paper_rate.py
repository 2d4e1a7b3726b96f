"""The paper's network, trained for rate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from aebench.codecs.base import Rgb
from aebench.codecs.neural import SHIPPED
from aebench.errors import WeightsError
from aebench.models.paper import PaperAutoencoder, pad, rgb_to_ycbcr, ycbcr_to_rgb
from aebench.models.paper_rate import LAMBDAS, RATES, VALIDATED, PaperRate
from aebench.models.weights import Weights, build, read_weights
from aebench.training import Recipe, Trainer
from tests.models.lapped.helpers import as_tensor, picture


@pytest.fixture(scope="module")
def trained() -> PaperRate:
    """A network after some seconds of training on a picture."""
    torch.manual_seed(1)
    network = PaperRate()
    recipe = Recipe(crop=32, batch=4, epochs=1, steps=60, learning_rate=1e-2)
    Trainer(network, recipe, [picture(96, 96)], [picture(32, 32, 5)]).run(lambda epoch: None)
    network.eval().after_training([picture(96, 96), picture(64, 80, 4)])
    return network


def test_the_transforms_are_those_of_the_paper_and_take_its_weights() -> None:
    torch.manual_seed(2)
    paper, network = PaperAutoencoder(), PaperRate()
    transforms = [p for name, p in network.named_parameters() if name.startswith("conv2d_")]
    assert sum(p.numel() for p in transforms) == 316_355
    Weights.of("paper", paper, {}).start(network)
    rgb = as_tensor(picture(22, 35))
    with torch.no_grad():
        assert torch.equal(network.analysis(rgb_to_ycbcr(pad(rgb))), paper.analysis(rgb_to_ycbcr(pad(rgb))))
        network.log_gain.fill_(12.0)  # steps so small that rounding does nothing
        network.log_inverse_gain.fill_(-12.0)
        torch.testing.assert_close(network.eval().reconstruct(rgb), paper.reconstruct(rgb), rtol=0, atol=1e-3)


def test_training_has_noise_from_torch_and_all_rates_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    network, rgb = PaperRate(), as_tensor(picture(16, 16)).repeat(RATES + 2, 1, 1, 1)
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(float(network.loss(rgb).detach()))
    assert losses[0] == losses[1] != losses[2]
    drawn: list[Tensor] = []
    monkeypatch.setattr(network, "_loss", lambda rgb, y, rate: drawn.append(rate) or rgb.new_zeros(()))
    network.loss(rgb)
    assert sorted(drawn[0][:RATES].tolist()) == list(range(RATES))
    network.eval().loss(rgb)
    assert [rate.unique().tolist() for rate in drawn[1:]] == [[rate] for rate in VALIDATED]


@torch.no_grad()
def test_the_loss_is_squared_error_in_rgb_times_lambda_plus_bits_a_pixel(trained: PaperRate) -> None:
    rgb = as_tensor(picture(20, 28))
    expected = []
    for rate in VALIDATED:
        q = torch.from_numpy(trained.quantise(rgb, rate)[0])[None].float()
        decoded = ycbcr_to_rgb(trained.dequantise(q, torch.tensor([rate])))
        mse = float((decoded - rgb).mul(255).square().mean())
        bits = float(trained.prior.bits(q, trained._widths(torch.tensor([rate]))).sum())
        expected.append((LAMBDAS[rate] * mse + bits / (20 * 28)) / LAMBDAS[rate] ** 0.5)
    assert float(trained.loss(rgb)) == pytest.approx(np.mean(expected), rel=1e-4)


def test_every_weight_learns() -> None:
    torch.manual_seed(1)
    network = PaperRate()
    network.loss(as_tensor(picture(32, 32)).repeat(RATES, 1, 1, 1)).backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()]


def test_a_few_steps_of_training_save_bits(trained: PaperRate) -> None:
    torch.manual_seed(1)
    rgb = as_tensor(picture(96, 96))
    assert trained.rates(rgb)[1] < 0.5 * PaperRate().eval().rates(rgb)[1]


@pytest.mark.parametrize("context", ["none", "neighbours"])
@pytest.mark.parametrize("shape", [(1, 1), (4, 9), (37, 50)])
def test_latents_come_back_from_their_bytes(trained: PaperRate, context: str, shape: tuple[int, int]) -> None:
    for rate in (0, RATES - 1):
        (q,) = trained.quantise(as_tensor(picture(*shape)), rate)
        data = trained.encode(q, rate, context)
        assert np.array_equal(trained.decode(data, rate, context, *shape), q)


@torch.no_grad()
def test_the_estimate_is_what_the_bytes_are(photograph: Rgb) -> None:
    network = read_weights(SHIPPED / "paper-rate").load_into(build("paper-rate")).eval()
    assert isinstance(network, PaperRate)
    estimated, real = network.rates(as_tensor(photograph))
    assert real == pytest.approx(estimated, rel=0.01)


def test_channels_without_a_value_cost_a_bit(trained: PaperRate) -> None:
    q = np.zeros((128, 30, 40), np.int32)
    assert len(trained.encode(q, 3, "none")) == len(trained.encode(q, 3, "neighbours")) == 16
    q[7, 3, 4] = 1
    assert len(trained.encode(q, 3, "none")) > 16


def test_weights_come_back_with_the_same_tables(trained: PaperRate) -> None:
    weights = Weights.of("paper-rate", trained, {})
    assert len(weights.tensors) < 1.5e6
    again = weights.load_into(build("paper-rate")).eval()
    assert isinstance(again, PaperRate)
    assert Weights.of("paper-rate", again, {}).digest == weights.digest
    (q,) = trained.quantise(as_tensor(picture(40, 40)), 5)
    for context in ("none", "neighbours"):
        assert again.encode(q, 5, context) == trained.encode(q, 5, context)


def test_training_on_needs_new_contexts(trained: PaperRate) -> None:
    weights = Weights.of("paper-rate", trained, {})
    network = weights.start(build("paper-rate"))
    assert isinstance(network, PaperRate)
    q = np.ones((128, 2, 2), np.int32)
    network.encode(q, 1, "neighbours")
    network.train().eval()
    network.encode(q, 1, "none")
    with pytest.raises(WeightsError, match="no context model"):
        network.encode(q, 1, "neighbours")


def test_contexts_save_bits(trained: PaperRate, photograph: Rgb) -> None:
    (q,) = trained.quantise(as_tensor(picture(96, 96, 8)), 6)
    assert len(trained.encode(q, 6, "neighbours")) < 0.9 * len(trained.encode(q, 6, "none"))
