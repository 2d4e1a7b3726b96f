"""Crops: the same whatever is kept and however many workers share them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aebench.codecs.base import Rgb
from aebench.crops import Crops, Files
from aebench.errors import ImageError
from aebench.images import ImageRef
from aebench.training import Recipe
from tests.test_training import pictures

RECIPE = Recipe(seed=5, crop=16, batch=4)


class Counting(list[Rgb]):
    """Images, and how often each is opened."""

    def __init__(self, images: list[Rgb]) -> None:
        super().__init__(images)
        self.opened = [0] * len(images)

    def __getitem__(self, index: int) -> Rgb:  # type: ignore[override]
        self.opened[index] += 1
        return super().__getitem__(index)


def test_workers_share_the_crops_of_one_global_batch() -> None:
    whole = Crops(pictures(), RECIPE).batch(7)
    shares = [Crops(pictures(), RECIPE, rank=rank, world=2).batch(7) for rank in (0, 1)]
    assert torch.equal(torch.stack(shares, dim=1).flatten(0, 1), whole)
    assert whole.shape == (4, 3, 16, 16)
    assert 0 <= whole.min() <= whole.max() <= 1
    assert not torch.equal(whole, Crops(pictures(), RECIPE).batch(8))


def test_crops_do_not_depend_on_what_is_kept_or_was_cut_before() -> None:
    roomy, narrow = Crops(pictures(), RECIPE), Crops(pictures(), RECIPE, memory=1)
    for step in (0, 1, 2, 9, 3):
        assert torch.equal(roomy.batch(step), narrow.batch(step))


def test_an_image_is_opened_once_where_there_is_room_and_not_before_it_is_drawn() -> None:
    images = Counting(pictures(50))
    crops = Crops(images, RECIPE)
    crops.batch(0).sum()
    assert sum(images.opened) <= 2 * RECIPE.batch  # this step's and the next one's
    for step in range(100):
        crops.batch(step)
    assert set(images.opened) == {1}
    narrow = Counting(pictures(50))
    crops = Crops(narrow, RECIPE, memory=10 * pictures()[0].nbytes)
    for step in range(100):
        crops.batch(step)
    assert 150 < sum(narrow.opened) <= 101 * RECIPE.batch


def test_images_smaller_than_a_crop_are_padded_by_repetition() -> None:
    crops = Crops([np.full((5, 30, 3), 200, np.uint8)], RECIPE).batch(0)
    assert crops.shape == (4, 3, 16, 16)
    assert torch.all(crops == 200 / 255)


def test_files_are_read_as_they_are_needed(tmp_path: Path) -> None:
    refs = []
    for index, rgb in enumerate(pictures()):
        Image.fromarray(rgb).save(tmp_path / f"{index}.png")
        refs.append(ImageRef(f"{index}.png", str(tmp_path / f"{index}.png")))
    files = Files(refs)
    assert len(files[1:]) == 2
    assert np.array_equal(files[1:][0], pictures()[1])
    assert torch.equal(Crops(files, RECIPE).batch(3), Crops(pictures(), RECIPE).batch(3))
    (tmp_path / "1.png").unlink()
    with pytest.raises(ImageError, match=r"1\.png cannot be read"):
        [Crops(files, RECIPE).batch(step) for step in range(20)]
