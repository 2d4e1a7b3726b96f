"""What is known of a coefficient before it is decoded: exact networks from decoded integers to members of the family.

`ContextModel.walk` visits the coefficients in coding order, phase by phase; at each it asks `choose` for the integers,
whether that quantises (in training and encoding) or decodes. All three therefore see the same numbers.

The 192 channels are in coding order: three means of blocks (luma and two chromas), then nine groups of coefficients of
similar frequency, luma first. The means are predicted from twelve neighbours on coarser lattices. A state of 64 numbers
a site starts from the means; after each group, a 3×3 convolution of that group's magnitudes (and signs, where they
help) is added to it, then one of the rectified state itself, which carries what is known further. Each group is coded
on two colours of a checkerboard: the second sees its neighbours of the first.

There are no convolutions in the sense of a library here, only matrix products of gathered neighbours: no algorithm that
transforms its input, such as Winograd's, can be chosen behind our back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aebench.models.lapped.distribution import (
    LARGEST_MEAN,
    MEAN_BITS,
    SCALES,
    SHAPES,
    UNIT_SCALE,
    Members,
)
from aebench.models.lapped.exact import FEATURE_BITS, HIDDEN_BITS, ExactLinear, FeatureTables, fix, hidden
from aebench.models.lapped.lattice import AROUND, NEIGHBOURS, Grid, grid
from aebench.models.lapped.transform import BLOCK

STATE = 64
"""Numbers a site that all phases share."""

_STATE_LIMIT = 32.0
_STATE_SHARE = 0.25
"""Sums of hundreds of features are scaled by this power of two before they join the state."""

_WEIGHT_OF_NEIGHBOUR_BITS = 6
_AT_A_TIME = 2048

Choose = Callable[[Tensor, slice, Members], Tensor]
"""Given sites (P,), a slice of channels and members (N, P, channels): the integers there, as floats, no gradient."""


@dataclass(frozen=True)
class Group:
    """Channels that are coded together, and whether their signs help what follows."""

    planes: tuple[int, ...]
    diagonals: tuple[int, int]
    signed: bool


GROUPS = (
    Group((0,), (1, 1), True),
    Group((0,), (2, 2), True),
    Group((0,), (3, 3), False),
    Group((0,), (4, 5), False),
    Group((0,), (6, 7), False),
    Group((0,), (8, 14), False),
    Group((1, 2), (1, 2), True),
    Group((1, 2), (3, 5), False),
    Group((1, 2), (6, 14), False),
)


def channels_of(group: Group) -> list[int]:
    """Return the transform's channels of a group."""
    first, last = group.diagonals
    return [
        plane * BLOCK**2 + v * BLOCK + u
        for plane in group.planes
        for diagonal in range(first, last + 1)
        for v in range(BLOCK)
        for u in range(BLOCK)
        if u + v == diagonal
    ]


MEANS = 3
ORDER = [plane * BLOCK**2 for plane in range(MEANS)] + [c for group in GROUPS for c in channels_of(group)]
"""The transform's channels in coding order."""


def _spans() -> Iterator[slice]:
    start = MEANS
    for group in GROUPS:
        stop = start + len(channels_of(group))
        yield slice(start, stop)
        start = stop


SPANS = tuple(_spans())
"""The channels of each group, in coding order."""


class MeanHead(nn.Module):
    """Predict the mean of blocks of one plane: a combination of neighbours, a scale and a shape."""

    WIDTH = 48

    def __init__(self, plane: int) -> None:
        super().__init__()
        largest = FeatureTables.LIMIT
        self.enter = ExactLinear(NEIGHBOURS + plane + 2, self.WIDTH, FEATURE_BITS + 1, largest)
        self.middle = ExactLinear(self.WIDTH, self.WIDTH, HIDDEN_BITS, 16)
        self.leave = ExactLinear(self.WIDTH, NEIGHBOURS + 3, HIDDEN_BITS, 16, zero=True)

    def forward(self, features: Tensor, pivot: Tensor, differences: Tensor, level: Tensor) -> Members:
        """Map features (N, P, inputs), pivots (N, P) and neighbours less pivots (N, P, 12) to members (N, P, 1).

        All else equal, scales are inversely proportional to the quantiser step, whose level is (N, 1).
        """
        out = self.leave(hidden(self.middle(hidden(self.enter(features)))))
        weights = fix(out[..., :NEIGHBOURS], _WEIGHT_OF_NEIGHBOUR_BITS, -1, 1)
        shift = fix(out[..., NEIGHBOURS], _WEIGHT_OF_NEIGHBOUR_BITS, -64, 64)
        mean = pivot + (weights * differences.clamp(-2047, 2047)).sum(-1) + shift
        scale = out[..., NEIGHBOURS + 1] - 2 * level
        return members(mean[..., None], scale[..., None], out[..., NEIGHBOURS + 2, None])

    def check(self) -> None:
        """Raise `WeightsError` unless all sums are exact."""
        for layer in (self.enter, self.middle, self.leave):
            layer.check(0)


class GroupHead(nn.Module):
    """Predict the channels of one group on one colour from the state."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = ExactLinear(STATE, STATE, HIDDEN_BITS, _STATE_LIMIT)
        self.middle = ExactLinear(STATE, STATE, HIDDEN_BITS, 16)
        self.leave = ExactLinear(STATE, 3 * channels, HIDDEN_BITS, 16, zero=True)

    def forward(self, state: Tensor) -> Members:
        """Map the state (N, P, 64) to members (N, P, channels)."""
        entered = fix(state, HIDDEN_BITS, -_STATE_LIMIT, _STATE_LIMIT)
        out = self.leave(hidden(self.middle(hidden(self.enter(entered)))))
        mean, scale, shape = out.chunk(3, -1)
        return members(mean * 2, scale, shape)

    def check(self) -> None:
        """Raise `WeightsError` unless all sums are exact."""
        for layer in (self.enter, self.middle, self.leave):
            layer.check(0)


class ContextModel(nn.Module):
    """Everything that the entropy coder asks."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = FeatureTables()
        # finest lattice, second finest, and all that are coarser; in the middle of four, between two; three planes
        self.means = nn.ModuleList(MeanHead(plane) for _ in range(3 * 2) for plane in range(MEANS))
        largest = FeatureTables.LIMIT
        self.begin = ExactLinear(len(AROUND) * (2 * MEANS + 1), STATE, FEATURE_BITS + 1, largest)
        self.spread = ExactLinear(len(AROUND) * STATE, STATE, FEATURE_BITS, largest, bias=False)
        sizes = [(span.stop - span.start, group.signed) for span, group in zip(SPANS, GROUPS, strict=True)]
        features = [channels * (2 if signed else 1) for channels, signed in sizes]
        self.update = nn.ModuleList(
            ExactLinear(len(AROUND) * inputs, STATE, FEATURE_BITS, largest, bias=False) for inputs in features[:-1]
        )
        self.beside = nn.ModuleList(
            ExactLinear(NEIGHBOURS * inputs, STATE, FEATURE_BITS, largest, bias=False) for inputs in features
        )
        self.mix = nn.ModuleList(
            ExactLinear(len(AROUND) * STATE, STATE, HIDDEN_BITS, 16, bias=False, zero=True) for _ in self.update
        )
        self.heads = nn.ModuleList(GroupHead(channels) for channels, _ in sizes for _ in range(2))

    def check(self) -> None:
        """Raise `WeightsError` unless every sum is exact in float32."""
        for head in (*self.means, *self.heads):
            head.check()
        self.begin.check(0)
        for layer in (self.spread, *self.update, *self.beside, *self.mix):
            layer.check(0)

    def walk(self, log_step: Tensor, height: int, width: int, choose: Choose) -> Tensor:
        """Visit all coefficients of a batch in coding order.

        Parameters
        ----------
        log_step : Tensor, shape (N,)
            log2 of the quantiser step, in sixteenths.
        height, width : int
            Of the grid, in sites.
        choose : callable
            See `Choose`.

        Returns
        -------
        q : Tensor, shape (N, height · width, 192)
            The integers chosen, channels in coding order.
        """
        layout = grid(height, width, log_step.device)
        level = ((log_step - 5) / 2)[:, None, None]
        q = log_step.new_zeros(len(log_step), height * width, len(ORDER))
        self._walk_means(q, level, layout, choose)
        state = self._first_state(q[..., :MEANS], level, layout)
        for index, span in enumerate(SPANS):
            for colour, phase in enumerate(layout.colours):
                if not len(phase.sites):
                    continue
                known = state[:, phase.sites]
                if colour == 1:
                    features = _outside(self._features(q[..., span], index))
                    known = known + _STATE_SHARE * _apply(self.beside[index], features, phase.neighbours)
                found = self.heads[2 * index + colour](known)
                q[:, phase.sites, span] = choose(phase.sites, span, found)
            if index < len(self.mix):  # after the last group nobody asks any more
                features = _outside(self._features(q[..., span], index))
                state = _join(state, _apply(self.update[index], features, layout.around))
                state = _join(state, _apply(self.mix[index], _outside(hidden(state)), layout.around))
        return q

    def _walk_means(self, q: Tensor, level: Tensor, layout: Grid, choose: Choose) -> None:
        first = q.new_zeros(1, dtype=torch.int64)
        # nothing is known of the first site: three deviations of ± 600, more than any image's
        scale = (UNIT_SCALE + 36 - 4 * (2 * level + 5)).round().clamp(0, SCALES - 1)
        for plane in range(MEANS):
            nothing = torch.zeros_like(scale)
            q[:, first, plane : plane + 1] = choose(
                first, slice(plane, plane + 1), Members(nothing, scale, nothing + SHAPES - 2)
            )
        for phase in layout.means:
            which = 2 * min(phase.stride.bit_length() - 1, 2) + phase.diagonal
            residuals: list[Tensor] = []
            for plane in range(MEANS):
                values = q[..., plane]
                around = values[:, phase.neighbours]
                pivot = around[..., :4].mean(-1)
                differences = around - pivot[..., None]
                coarse = level.new_full((), min(phase.stride.bit_length() - 1, 5) / 2)
                features = torch.cat(
                    [
                        self.tables.signed(differences),
                        *residuals,
                        level.expand(-1, len(phase.sites), 1),
                        coarse.expand(len(q), len(phase.sites), 1),
                    ],
                    -1,
                )
                found = self.means[MEANS * which + plane](features, pivot, differences, level[..., 0])
                chosen = choose(phase.sites, slice(plane, plane + 1), found)
                q[:, phase.sites, plane : plane + 1] = chosen
                residuals.append(self.tables.signed(chosen - pivot[..., None]))

    def _first_state(self, means: Tensor, level: Tensor, layout: Grid) -> Tensor:
        features = torch.cat([*self.slopes(means, layout), level.expand(-1, means.shape[1], 1)], -1)
        begun = _apply(self.begin, _outside(features), layout.around)
        begun = fix(begun, FEATURE_BITS, 0, FeatureTables.LIMIT)
        spread = _apply(self.spread, _outside(begun), layout.around)
        return _join(torch.zeros_like(spread), spread)

    def slopes(self, means: Tensor, layout: Grid) -> tuple[Tensor, Tensor]:
        """Differences of means (N, P, 3) to the right and downwards, as features."""
        return self.tables.signed(means[:, layout.right] - means), self.tables.signed(means[:, layout.below] - means)

    def _features(self, q: Tensor, group: int) -> Tensor:
        magnitudes = self.tables.log_magnitude(q)
        return torch.cat([magnitudes, self.tables.signed(q)], -1) if GROUPS[group].signed else magnitudes


def members(mean: Tensor, scale: Tensor, shape: Tensor) -> Members:
    """Round what a head says to members of the family."""
    return Members(
        fix(mean, MEAN_BITS, -LARGEST_MEAN, LARGEST_MEAN),
        fix(scale * 4 + UNIT_SCALE - 4, 0, 0, SCALES - 1, "back"),
        fix(shape * 2 + (SHAPES - 2), 0, 0, SHAPES - 1, "back"),
    )


def _join(state: Tensor, added: Tensor) -> Tensor:
    """Add what a layer says to the state."""
    return fix(state + _STATE_SHARE * added, HIDDEN_BITS, -_STATE_LIMIT, _STATE_LIMIT)


def _outside(features: Tensor) -> Tensor:
    """Append a site of zeros, which stands for all outside the grid."""
    return torch.cat([features, features.new_zeros(len(features), 1, features.shape[-1])], 1)


def _apply(layer: nn.Module, features: Tensor, neighbours: Tensor) -> Tensor:
    """Apply a layer to the features (N, sites + 1, C) of the neighbours (P, K) of each site; return (N, P, outputs).

    Outside of training a few thousand sites at a time, so that the copies stay in the cache.
    """
    parts = (neighbours,) if torch.is_grad_enabled() else torch.split(neighbours, _AT_A_TIME)
    gathered = (features.index_select(1, part.flatten()).view(len(features), len(part), -1) for part in parts)
    return torch.cat([layer(part) for part in gathered], 1)
