from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aebench.codecs.base import Rgb
from aebench.models.weights import build
from aebench.training import Epoch, Recipe, Trainer, learning_rate, network_tensors

RECIPE = Recipe(seed=5, crop=16, batch=4, epochs=3, steps=2)


def pictures(count: int = 3, side: int = 40) -> list[Rgb]:
    random = np.random.default_rng(1)
    small = random.integers(0, 256, (count, side // 8, side // 8, 3), dtype=np.uint8)
    return list(small.repeat(8, axis=1).repeat(8, axis=2))


def trainer(recipe: Recipe = RECIPE) -> Trainer:
    torch.manual_seed(recipe.seed)
    return Trainer(build("paper"), recipe, pictures(), pictures(2, 24))


def finish(subject: Trainer) -> list[Epoch]:
    epochs: list[Epoch] = []
    subject.run(epochs.append)
    return epochs


def test_training_repeats_to_the_bit() -> None:
    first, second = trainer(), trainer()
    losses = [[(e.train_loss, e.validation_loss, e.validation_psnr) for e in finish(t)] for t in (first, second)]
    assert losses[0] == losses[1]
    for name, tensor in first.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])


def test_another_seed_is_another_training() -> None:
    other = Recipe(**{**RECIPE.__dict__, "seed": 6})
    assert finish(trainer())[-1].train_loss != finish(trainer(other))[-1].train_loss


def test_a_resumed_training_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    whole, first, second = trainer(), trainer(), trainer()
    expected = finish(whole)
    assert first.epoch().epoch == 1
    first.save(tmp_path)
    second.load(tmp_path)
    assert [e.epoch for e in finish(second)] == [2, 3]
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])
    assert expected[-1].crops == RECIPE.total_steps * RECIPE.batch
    assert network_tensors(tmp_path).keys() == whole.network.state_dict().keys()


def test_training_learns() -> None:
    recipe = Recipe(seed=1, crop=16, batch=8, epochs=4, steps=20)
    epochs = finish(trainer(recipe))
    assert epochs[-1].train_loss < epochs[0].train_loss / 2
    assert epochs[-1].validation_psnr > epochs[0].validation_psnr


@pytest.mark.parametrize("epochs", [1, 7])
def test_learning_rate_is_that_of_pytorch(epochs: int) -> None:
    recipe = Recipe(epochs=epochs, steps=20, learning_rate=2e-3, warmup=0.15)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=2e-3, total_steps=recipe.total_steps, pct_start=0.15
    )
    for step in range(recipe.total_steps):
        assert learning_rate(recipe, step) == pytest.approx(reference.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        if step + 1 < recipe.total_steps:
            reference.step()


def test_mixed_precision_and_compilation_are_the_same_loop() -> None:
    recipe = Recipe(seed=5, crop=16, batch=4, epochs=1, steps=3, precision="bfloat16")
    plain = Recipe(seed=5, crop=16, batch=4, epochs=1, steps=3)
    mixed, full = finish(trainer(recipe))[0], finish(trainer(plain))[0]
    assert mixed.train_loss != full.train_loss
    assert mixed.train_loss == pytest.approx(full.train_loss, rel=0.05)


class Drawing(nn.Module):
    """A network whose loss draws from torch's generator, and that tells rates."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.offset = nn.Parameter(torch.tensor(0.5))
        self.drawn: list[float] = []

    def parameter_groups(self) -> list[dict[str, object]]:
        return [{"params": [self.gain]}, {"params": [self.offset], "slower": 0.25}]

    def loss(self, rgb: Tensor) -> Tensor:
        self.drawn.append(float(torch.rand(())))
        return (rgb * self.gain + self.offset - self.drawn[-1]).square().mean()

    def reconstruct(self, rgb: Tensor) -> Tensor:
        return rgb

    def rates(self, rgb: Tensor) -> tuple[float, float]:
        return 2.0, float(self.gain)


def drawing(recipe: Recipe, rank: int = 0, world: int = 1) -> Trainer:
    return Trainer(Drawing(), recipe, pictures(), pictures(2, 24), rank=rank, world=world)


def test_what_a_network_draws_depends_on_seed_step_and_rank_alone(tmp_path: Path) -> None:
    def drawn(subject: Trainer, steps: int) -> list[float]:
        torch.rand(7)  # whatever else has drawn before
        for _ in range(steps):
            subject.train_step()
        network = subject.network
        assert isinstance(network, Drawing)
        return network.drawn

    whole, first = drawn(drawing(RECIPE), 4), drawing(RECIPE)
    assert drawn(first, 2) == whole[:2]
    first.save(tmp_path)
    resumed = drawing(RECIPE)
    resumed.load(tmp_path)
    assert drawn(resumed, 2) == whole[2:]
    assert len(set(whole)) == 4
    assert drawn(drawing(RECIPE, rank=1, world=2), 2)[0] not in whole


def test_rates_are_logged_where_a_network_tells_them() -> None:
    epoch = finish(drawing(RECIPE))[-1]
    assert epoch.estimated_bpp == 2
    assert epoch.real_bpp is not None and epoch.real_bpp != 0.5
    assert finish(trainer())[-1].real_bpp is None


def test_some_parameters_may_learn_more_slowly() -> None:
    subject = drawing(RECIPE)
    subject.train_step()
    moved = [
        abs(float(p.detach()) - 0.5) for p in subject.network.parameters()
    ]  # Adam's first step is the learning rate
    assert moved[1] == pytest.approx(moved[0] / 4, rel=1e-2)


def test_an_average_of_the_weights_is_validated_and_kept(tmp_path: Path) -> None:
    recipe = Recipe(seed=5, crop=16, batch=4, epochs=2, steps=3, ema=0.9)
    torch.manual_seed(1)
    subject = Trainer(build("paper"), recipe, pictures(), pictures(2, 24))
    mean = {name: value.clone() for name, value in subject.network.named_parameters()}
    for step in range(3):
        subject.train_step()
        decay = min(0.9, (1 + step) / (10 + step))
        for name, value in subject.network.named_parameters():
            mean[name] = decay * mean[name] + (1 - decay) * value.detach()
    subject.save(tmp_path)
    kept = network_tensors(tmp_path)
    for name, value in mean.items():
        torch.testing.assert_close(kept[name], value)
    assert any(not torch.equal(kept[name], value) for name, value in subject.network.state_dict().items())

    again = Trainer(build("paper"), recipe, pictures(), pictures(2, 24))
    again.load(tmp_path)
    for name, value in subject.average.state_dict().items():
        assert torch.equal(again.average.state_dict()[name], value)
    assert finish(again) and finish(subject)
    for name, value in subject.average.state_dict().items():
        assert torch.equal(again.average.state_dict()[name], value)
    moving = again.network
    again.average, kept_loss = moving, again.history[-1].validation_loss
    assert again.validate()[0] != kept_loss


class _Counting(nn.Module):
    """A network with a buffer that follows what it sees."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.register_buffer("seen", torch.zeros(()))

    def loss(self, rgb: Tensor) -> Tensor:
        self.seen += 1
        return (self.gain * rgb).square().mean()


def test_an_average_of_the_weights_has_the_buffers_of_the_network() -> None:
    trainer = Trainer(_Counting(), Recipe(crop=8, batch=1, ema=0.9), [np.zeros((8, 8, 3), np.uint8)], [])
    for _ in range(3):
        trainer.train_step()
    assert float(trainer.average.seen) == 3.0
