"""RGB to YCbCr against the equations of JFIF and against libjpeg's conversion in Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from aebench.color import RGB_TO_YCBCR_BT601, YCBCR_BT601_TO_RGB, rgb_to_ycbcr_bt601


def test_the_matrix_is_that_of_jfif() -> None:
    """JFIF 1.02 prints these coefficients, rounded to four digits."""
    printed = [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]]
    np.testing.assert_allclose(RGB_TO_YCBCR_BT601, printed, atol=5e-5)


def test_the_inverse_is_that_of_jfif() -> None:
    printed = [[1, 0, 1.402], [1, -0.34414, -0.71414], [1, 1.772, 0]]
    np.testing.assert_allclose(YCBCR_BT601_TO_RGB, printed, atol=5e-6)


@pytest.mark.parametrize(
    ("rgb", "ycbcr"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (255, 0, 0)),
        ((77, 77, 77), (77, 0, 0)),
        ((0, 0, 255), (0.114 * 255, 127.5, -0.114 / 1.402 * 255)),
        ((255, 0, 0), (0.299 * 255, -0.299 / 1.772 * 255, 127.5)),
    ],
)
def test_known_colours(rgb: tuple[int, int, int], ycbcr: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(rgb_to_ycbcr_bt601(rgb), ycbcr, atol=1e-12)


def test_agrees_with_pillow_which_rounds_down() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(rgb).convert("YCbCr"), dtype=float) - [0, 128, 128]
    assert np.abs(rgb_to_ycbcr_bt601(rgb) - theirs).max() < 1.01


def test_uint8_does_not_wrap_and_the_shape_is_kept() -> None:
    rgb = np.full((2, 5, 3), 255, np.uint8)
    ycbcr = rgb_to_ycbcr_bt601(rgb)
    assert ycbcr.shape == (2, 5, 3)
    assert ycbcr.dtype == np.float64
    np.testing.assert_allclose(ycbcr @ YCBCR_BT601_TO_RGB.T, rgb, atol=1e-10)
