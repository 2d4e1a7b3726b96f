"""What the entropy coder asks: causal, and the same to the bit however it is summed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from aebench.models.lapped.context import ORDER, ContextModel
from aebench.models.lapped.distribution import Members
from tests.models.lapped.helpers import seeded_network

Told = list[tuple[Tensor, slice, Members]]


@torch.no_grad()
def told(model: ContextModel, q: Tensor, height: int, width: int) -> Told:
    """Walk over given integers (N, sites, 192); return what the model said before each was known."""
    found: Told = []

    def choose(sites: Tensor, span: slice, members: Members) -> Tensor:
        found.append((sites, span, members))
        return q[:, sites, span]

    walked = model.walk(torch.full((len(q),), 5.25).to(q), height, width, choose)
    assert torch.equal(walked, q)
    return found


def integers(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.randint(-9, 10, (1, height * width, 192), generator=torch.Generator().manual_seed(seed)).float()


def test_every_channel_is_coded_once() -> None:
    assert sorted(ORDER) == list(range(192))


@pytest.mark.parametrize(("height", "width"), [(2, 3), (3, 3)])
def test_nothing_decoded_earlier_moves_when_a_coefficient_does(height: int, width: int) -> None:
    model, q = seeded_network().context, integers(height, width)
    plain = told(model, q, height, width)
    turn = torch.full(q.shape[1:], -1)
    for number, (sites, span, _) in enumerate(plain):
        turn[sites, span] = number
    assert (turn >= 0).all()
    heard = 0
    for site in range(height * width):  # every coefficient in turn, a site's together as a batch
        perturbed = q.repeat(192, 1, 1)
        perturbed[torch.arange(192), site, torch.arange(192)] += 5
        changed = told(model, perturbed, height, width)
        moved = torch.stack(
            [
                ((a.mean != b.mean) | (a.scale != b.scale) | (a.shape != b.shape)).flatten(1).any(1)
                for (_, _, a), (_, _, b) in zip(changed, plain, strict=True)
            ],
            1,
        )
        before = torch.arange(len(plain))[None] <= turn[site][:, None]
        assert not (moved & before).any()
        heard += int(moved.any(1).sum())
    assert heard > height * width * 192 / 2, "a model that hears nothing passes for causal"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (5, 6)])
def test_float64_says_the_same_to_the_bit(height: int, width: int) -> None:
    q = integers(height, width) * 50
    single = told(seeded_network().context, q, height, width)
    double = told(seeded_network().context.double(), q.double(), height, width)
    for (_, _, a), (_, _, b) in zip(single, double, strict=True):
        for x, y in ((a.mean, b.mean), (a.scale, b.scale), (a.shape, b.shape)):
            assert torch.equal(x.double(), y)


def test_a_batch_and_its_images_say_the_same() -> None:
    model = seeded_network().context
    batch = torch.cat([integers(4, 5, seed) for seed in (1, 2, 3)])
    together = told(model, batch, 4, 5)
    for index in range(3):
        alone = told(model, batch[index : index + 1], 4, 5)
        for (_, _, a), (_, _, b) in zip(together, alone, strict=True):
            assert torch.equal(a.mean[index], b.mean[0])
            assert torch.equal(a.scale[index], b.scale[0])


def test_mirroring_at_the_border_and_the_order_of_neighbours_are_part_of_the_format() -> None:
    """A change here breaks every stream there is: the digest of what the model says must not move."""
    found = told(seeded_network().context, integers(5, 4), 5, 4)
    sums = [
        int((members.mean * 8).sum() + (members.scale * 3).sum() + (members.shape * 7).sum()) for *_, members in found
    ]
    assert (len(found), sum(sums)) == DIGEST


DIGEST = (36, 221959)
