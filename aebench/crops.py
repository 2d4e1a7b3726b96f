"""Crops for training, cut from image sets of any size.

Every worker draws the same global batch from (seed, step) and keeps its own share of it, so that the number of workers
changes the speed and not what is learned. Images are opened when one of their crops is first drawn, and kept while
there is room for them; the crops of the next step are cut while this one computes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, overload

import numpy as np
import torch
from torch import Tensor, nn

from aebench.codecs.base import Rgb
from aebench.images import ImageRef, open_rgb

if TYPE_CHECKING:
    from aebench.training import Recipe

MEMORY = 1 << 30
"""Bytes of decoded images that a worker keeps."""


class Files(Sequence[Rgb]):
    """Images that are opened whenever they are asked for.

    Parameters
    ----------
    images : sequence of ImageRef
    """

    def __init__(self, images: Sequence[ImageRef]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> Rgb: ...
    @overload
    def __getitem__(self, index: slice) -> Files: ...
    def __getitem__(self, index: int | slice) -> Rgb | Files:
        """Open an image, or take some of them unopened."""
        if isinstance(index, slice):
            return Files(self._images[index])
        return open_rgb(self._images[index].uri)


class Crops:
    """The crops of one worker.

    Parameters
    ----------
    images : sequence of uint8 arrays, shape (H, W, 3)
        RGB; such as `Files`.
    recipe : Recipe
        Of it count `seed`, `crop` and `batch`.
    device : torch.device
        Where images are kept and crops are cut.
    rank, world : int
        Which worker of how many.
    memory : int
        Bytes of images that are kept.
    """

    def __init__(
        self,
        images: Sequence[Rgb],
        recipe: Recipe,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        memory: int = MEMORY,
    ) -> None:
        self._images, self._recipe, self._device = images, recipe, torch.device(device)
        self._rank, self._world, self._memory = rank, world, memory
        self._shapes: dict[int, tuple[int, int]] = {}
        self._kept: OrderedDict[int, Tensor] = OrderedDict()  # the latest used at the end
        self._size = 0
        self._pool = ThreadPoolExecutor(1)  # one, so that nothing else touches the above
        self._ahead: tuple[int, Future[list[Tensor]]] | None = None

    def batch(self, step: int) -> Tensor:
        """Cut the crops of a step, counted over the whole training.

        Returns
        -------
        float32 Tensor, shape (batch of this worker, 3, crop, crop)
            RGB in [0, 1], each flipped left to right with probability ½.

        Raises
        ------
        ImageError
            If an image cannot be read.
        """
        ready = self._ahead[1] if self._ahead and self._ahead[0] == step else self._pool.submit(self._cut, step)
        crops = ready.result()
        self._ahead = step + 1, self._pool.submit(self._cut, step + 1)
        return torch.stack(crops).float().div_(255).contiguous(memory_format=torch.channels_last)

    def _cut(self, step: int) -> list[Tensor]:
        side = self._recipe.crop
        random = np.random.default_rng([self._recipe.seed, step])
        crops = []
        for position in range(self._recipe.batch):
            index = int(random.integers(len(self._images)))
            y, x = (int(random.integers(max(length - side, 0) + 1)) for length in self._shape(index))
            flipped = bool(random.integers(2))
            if position % self._world == self._rank:
                crop = _at_least(self._planes(index)[:, y : y + side, x : x + side], side)
                crops.append(crop.flip(2) if flipped else crop)
        return crops

    def _shape(self, index: int) -> tuple[int, int]:
        """Return the height and width of an image, which is opened for it only once."""
        if index not in self._shapes:
            height, width = self._planes(index).shape[1:]
            self._shapes[index] = height, width
        return self._shapes[index]

    def _planes(self, index: int) -> Tensor:
        """Return an image as uint8 (3, H, W) on the device, opening it if it is not kept."""
        if index not in self._kept:
            self._kept[index] = planes(self._images[index]).to(self._device)
            self._size += self._kept[index].nbytes
            while self._size > self._memory and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1].nbytes
        self._kept.move_to_end(index)
        return self._kept[index]


def planes(rgb: Rgb) -> Tensor:
    """Turn uint8 (H, W, 3) into a uint8 Tensor (3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))


def _at_least(crop: Tensor, side: int) -> Tensor:
    """Repeat the last row and column of an image that is smaller than a crop."""
    missing_rows, missing_columns = side - crop.shape[1], side - crop.shape[2]
    if missing_rows or missing_columns:
        padding = (0, missing_columns, 0, missing_rows)
        crop = nn.functional.pad(crop[None].float(), padding, mode="replicate")[0].to(crop.dtype)
    return crop
