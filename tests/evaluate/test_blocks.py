"""Work cut into blocks, and cut again when it turns out otherwise."""

from __future__ import annotations

import pytest

from aebench.codecs import codecs
from aebench.evaluate.blocks import BLOCKS_A_WORKER, LEAST_BLOCKS_A_WORKER, SECONDS, SECONDS_A_WORKER, Block, Work

JPEG, BPG = codecs("jpeg[quality=50]"), codecs("bpg")


def covered(blocks: list[Block], family: int) -> list[int]:
    return [image for block in blocks if block.family == family for image in range(block.start, block.stop)]


@pytest.mark.parametrize("images", [0, 1, 7, 1000])
def test_every_image_is_handed_out_once_and_the_slowest_codec_first(images: int) -> None:
    work = Work({3: JPEG, 5: BPG}, images, workers=2)
    blocks = work.hand_out()
    assert [covered(blocks, family) for family in (3, 5)] == [list(range(images))] * 2
    assert [block.family for block in blocks] == sorted((block.family for block in blocks), reverse=True)
    assert work.hand_out() == []


def test_fast_codecs_get_more_images_a_block_but_every_worker_its_share() -> None:
    (jpeg,) = {block.images for block in Work({0: JPEG}, 1000, workers=2).hand_out()[:-1]}
    (bpg,) = {block.images for block in Work({0: BPG}, 20, workers=2).hand_out()}
    assert (jpeg, bpg) == (max(16, int(SECONDS / Work({0: JPEG}, 1)._shares[0].pace)), 1)
    assert len(Work({0: JPEG}, 16, workers=2).hand_out()) == 2 * LEAST_BLOCKS_A_WORKER


def test_blocks_grow_where_one_process_has_many_workers_to_serve() -> None:
    images = {}
    for workers in (2, 50, 1000):
        work = Work({0: BPG}, 10**7, workers=workers)
        for block in work.hand_out():
            work.take_back(block, 10, 10 * 0.0625)
        images[workers] = max(block.images for block in work.hand_out())
    assert images[2] == images[50] == int(SECONDS / 0.0625)
    assert images[1000] == int(1000 * SECONDS_A_WORKER / 0.0625) > 10 * images[2]


def test_a_guess_makes_no_more_blocks_than_a_round_should_have() -> None:
    assert len(Work({0: BPG}, 10_000, workers=2).hand_out()) <= 2 * BLOCKS_A_WORKER


def test_what_is_given_back_is_cut_by_what_images_have_taken() -> None:
    work = Work({0: BPG}, 10_000, workers=2)
    first, *others = work.hand_out()
    work.take_back(first, 1, 5.0)
    for block in others:
        work.take_back(block, block.images, 5.0 * block.images)
    left = work.hand_out()
    assert covered(left, 0) == list(range(first.start + 1, first.stop))
    assert {block.images for block in left} == {1}

    work = Work({0: BPG}, 100_000, workers=2)
    for block in work.hand_out():
        work.take_back(block, 100, 0.5)
    assert max(block.images for block in work.hand_out()) == int(SECONDS / 0.005)


def test_images_that_are_coded_together_stay_together() -> None:
    blocks = Work({0: BPG}, 20, workers=1, together=8).hand_out()
    assert [(block.start, block.stop) for block in blocks] == [(0, 8), (8, 16), (16, 20)]
