"""SSIMULACRA 2.1 against scores of the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from aebench.codecs import Rgb
from aebench.metrics import Reference
from aebench.metrics.ssimulacra2 import is_defined


def distort(rgb: Rgb, kind: str) -> Rgb:
    """Distort an image in whole numbers, the same on every machine."""
    wide = rgb.astype(np.int64)
    match kind:
        case "levels":  # banding
            wide = wide // 24 * 24 + 12
        case "blocks":  # means of 4×4 pixels
            height, width = (side // 4 * 4 for side in rgb.shape[:2])
            means = wide[:height, :width].reshape(height // 4, 4, width // 4, 4, 3).sum(axis=(1, 3)) // 16
            wide[:height, :width] = means.repeat(4, axis=0).repeat(4, axis=1)
        case "noise":
            noise = (np.arange(wide.size, dtype=np.int64) * 2654435761 % 2**32 >> 16) % 17 - 8
            wide += noise.reshape(wide.shape)
        case "darker":
            wide = wide * 7 // 8
        case "shifted":
            wide = np.roll(wide, 1, axis=1)
    return wide.clip(0, 255).astype(np.uint8)


REFERENCE = {
    ((512, 512), "levels"): 29.518144,
    ((512, 512), "blocks"): 36.2874859,
    ((512, 512), "noise"): 83.08420094,
    ((512, 512), "darker"): 56.23939879,
    ((512, 512), "shifted"): 16.36720238,
    ((300, 451), "levels"): 36.38138743,
    ((300, 451), "blocks"): 46.42208215,
    ((300, 451), "noise"): 79.74444643,
    ((300, 451), "darker"): 54.93524629,
    ((300, 451), "shifted"): 21.30863483,
    ((113, 200), "levels"): 37.22271281,
    ((113, 200), "blocks"): 56.68879377,
    ((113, 200), "noise"): 83.89869387,
    ((113, 200), "darker"): 55.57114902,
    ((113, 200), "shifted"): 19.08830182,
}
"""Scores by the program ``ssimulacra2`` 2.1 of cloudinary/ssimulacra2, on crops (height, width) of a photograph."""


@pytest.mark.parametrize(("size", "kind"), REFERENCE)
def test_scores_are_those_of_the_reference(size: tuple[int, int], kind: str, photograph: Rgb) -> None:
    original = photograph[: size[0], : size[1]]
    score = Reference(original).score(distort(original, kind), ["ssimulacra2"]).ssimulacra2
    # near the top of the scale the rounding of the reference's recursive filter shows
    assert score == pytest.approx(REFERENCE[size, kind], abs=0.15 if kind == "noise" else 0.03)


def test_equal_images_score_100(photograph: Rgb) -> None:
    original = photograph[:130, :140]
    assert Reference(original).score(original.copy(), ["ssimulacra2"]).ssimulacra2 == 100


def test_scores_do_not_depend_on_what_was_scored_before(photograph: Rgb) -> None:
    original = photograph[:130, :140]
    reference = Reference(original)
    scores = [reference.score(distort(original, kind), ["ssimulacra2"]) for kind in ("levels", "noise", "levels")]
    assert scores[0] == scores[2] != scores[1]


@pytest.mark.parametrize(("height", "width", "defined"), [(112, 400, False), (400, 112, False), (113, 113, True)])
def test_it_is_none_where_not_all_six_scales_exist(height: int, width: int, defined: bool) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    assert is_defined(height, width) == defined
    assert (Reference(image).score(image + np.uint8(1), ["ssimulacra2"]).ssimulacra2 is not None) == defined


def test_it_is_none_where_it_is_not_asked_for(photograph: Rgb) -> None:
    original = photograph[:130, :140]
    assert Reference(original).score(original // 2).ssimulacra2 is None
