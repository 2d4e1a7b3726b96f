"""Work cut into blocks: images in a row that one worker measures with one codec, at all its settings.

A block costs Ray tens of milliseconds, an image anything from half a millisecond to minutes, and which it is shows only
when some are measured. So the first blocks are cut by a guess; after a second a worker gives back the images that it
has not begun; and the next round is cut by what images have taken. Blocks of the slowest codec go first, so that at the
end no worker waits long for another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aebench.codecs.base import Codec

SECONDS = 1.0
"""What a block should take: rows reach the run's folder no sooner than their block ends …"""

SECONDS_A_WORKER = 0.015
"""… but more where workers are many, for a single process hands out all blocks, at some 7 ms of CPU time each."""

BLOCKS_A_WORKER = 32
"""A round begins with no more blocks than this for each worker, however slow a codec seems."""

LEAST_BLOCKS_A_WORKER = 4
"""So many blocks at least, where there are images enough, share the work evenly."""

_USUAL_MEGAPIXELS, _SCORING = 0.4, 0.06
"""What is guessed before an image is seen: its size, and the CPU seconds of scoring a megapixel."""


@dataclass(frozen=True)
class Block:
    """Images from `start` to before `stop`, positions in `Plan.images`, to be measured with the codec `family`."""

    family: int
    start: int
    stop: int

    @property
    def images(self) -> int:
        """How many they are."""
        return self.stop - self.start


@dataclass
class _Share:
    """What is left of one codec, and what it has taken so far."""

    guess: float
    left: list[Block] = field(default_factory=list)
    measured: int = 0
    seconds: float = 0.0

    @property
    def pace(self) -> float:
        """Seconds an image."""
        return self.seconds / self.measured if self.measured else self.guess

    @property
    def images(self) -> int:
        return sum(block.images for block in self.left)


class Work:
    """What of a plan is left to hand out to some equal workers.

    Parameters
    ----------
    families : mapping of int to sequence of Codec
        Settings of every codec, by its number in the plan.
    images : int
        Of the plan.
    workers : int
    together : int
        Images that a worker codes at once.

    Attributes
    ----------
    seconds : float
        What a block should take, and after which a worker gives back the rest of it.
    """

    def __init__(
        self, families: Mapping[int, Sequence[Codec]], images: int, workers: int = 1, together: int = 1
    ) -> None:
        self._workers, self._together = max(workers, 1), together
        self.seconds = max(SECONDS, SECONDS_A_WORKER * workers)
        self._shares = {
            family: _Share(
                _USUAL_MEGAPIXELS * sum(codec.cost + _SCORING for codec in codecs),
                [Block(family, 0, images)] if images else [],
            )
            for family, codecs in families.items()
        }

    def hand_out(self) -> list[Block]:
        """Cut all that is left into blocks, the slowest first; empty when nothing is."""
        total = sum(share.images * share.pace for share in self._shares.values())
        seconds = min(self.seconds, total / (self._workers * LEAST_BLOCKS_A_WORKER))
        blocks = []
        for share in sorted(self._shares.values(), key=lambda share: -share.pace):
            size = self._size(share, seconds)
            blocks += [
                Block(block.family, start, min(start + size, block.stop))
                for block in share.left
                for start in range(block.start, block.stop, size)
            ]
            share.left = []
        return blocks

    def take_back(self, block: Block, measured: int, seconds: float) -> None:
        """Note how many images of a block were measured, in what time; the others are left."""
        share = self._shares[block.family]
        share.measured += measured
        share.seconds += seconds
        if measured < block.images:
            share.left.append(Block(block.family, block.start + measured, block.stop))

    def _size(self, share: _Share, seconds: float) -> int:
        """Choose how many images of a codec make a block of some seconds."""
        wanted = int(seconds / share.pace) if share.pace > 0 else share.images
        if not share.measured:
            wanted = max(wanted, math.ceil(share.images / (BLOCKS_A_WORKER * self._workers)))
        return max(1, math.ceil(wanted / self._together)) * self._together
