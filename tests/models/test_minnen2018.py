from __future__ import annotations

import torch
from torch import Tensor

from aebench.models.entropy.coders import Coder, Estimator
from aebench.models.entropy.gaussian import GaussianConditional
from aebench.models.minnen2018 import Checkerboard, anchors


class Listener(Estimator):
    """Keeps the parameters of each pass."""

    def __init__(self) -> None:
        super().__init__(training=False)
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def gaussian(
        self, conditional: GaussianConditional, values: Tensor, mean: Tensor, scale: Tensor, where: Tensor
    ) -> Tensor:
        self.seen.append((mean, scale, where))
        return super().gaussian(conditional, values, mean, scale, where)


def parameters(entropy: Checkerboard, y: Tensor, features: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    coder = Listener()
    assert isinstance(coder, Coder)
    with torch.inference_mode():
        entropy.latent(y, features, coder)
    return coder.seen


def test_parameters_depend_on_anchors_nearby_and_on_nothing_that_is_not_decoded() -> None:
    torch.manual_seed(1)
    entropy = Checkerboard(8, 12).eval()
    for parameter in entropy.parameters():
        parameter.data.normal_(std=0.2)
    y, features = torch.randn(1, 12, 6, 7) * 5, torch.randn(1, 24, 6, 7)
    first, second = parameters(entropy, y, features)
    assert torch.equal(first[2], ~second[2])
    reached = torch.zeros(6, 7, dtype=torch.bool)
    for row in range(6):
        for column in range(7):
            changed = y.clone()
            changed[..., row, column] += 40
            anchors_again, rest_again = parameters(entropy, changed, features)
            for before, after in zip(first[:2], anchors_again[:2], strict=True):
                assert torch.equal(before, after), "an anchor's parameters come from the hyper-latent alone"
            moved = ((second[0] != rest_again[0]) | (second[1] != rest_again[1])).any(1)[0] & second[2]
            if second[2][row, column]:
                assert not moved.any(), "what is coded in the second pass is not seen in it"
            else:
                rows, columns = moved.nonzero().T
                assert len(rows) and (rows - row).abs().max() <= 2 and (columns - column).abs().max() <= 2
                reached |= moved
    assert torch.equal(reached, second[2]), "every other site sees anchors"


def test_half_of_the_sites_are_anchors_and_no_two_are_neighbours() -> None:
    board = anchors(6, 7, torch.device("cpu"))
    assert int(board.sum()) == 21
    assert not (board[1:] & board[:-1]).any() and not (board[:, 1:] & board[:, :-1]).any()


def test_taps_that_see_no_anchor_are_zero() -> None:
    weight = Checkerboard(8, 12).context.weight
    assert int((weight[0, 0] != 0).sum()) == 12
