"""RGB ↔ YCbCr. Every function says which matrix and which range it uses."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

KR_BT601: Final = 0.299
KG_BT601: Final = 0.587
KB_BT601: Final = 0.114

RGB_TO_YCBCR_BT601: Final[npt.NDArray[np.float64]] = np.array(
    [
        [KR_BT601, KG_BT601, KB_BT601],
        [-KR_BT601 / (2 - 2 * KB_BT601), -KG_BT601 / (2 - 2 * KB_BT601), 0.5],
        [0.5, -KG_BT601 / (2 - 2 * KR_BT601), -KB_BT601 / (2 - 2 * KR_BT601)],
    ]
)
"""Matrix of ITU-R BT.601 (and of JFIF), full range, without the offset of chroma: rows Y, Cb, Cr; columns R, G, B."""

YCBCR_BT601_TO_RGB: Final = np.linalg.inv(RGB_TO_YCBCR_BT601)
"""Inverse of `RGB_TO_YCBCR_BT601`."""


def rgb_to_ycbcr_bt601(rgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert full-range RGB to full-range YCbCr (ITU-R BT.601, as in JFIF), without offset or rounding.

    Parameters
    ----------
    rgb : array, shape (..., 3)
        In any unit, such as 0–255 or 0–1.

    Returns
    -------
    float64 array, shape (..., 3)
        Y in the unit of the input; Cb and Cr centred on zero.
    """
    return np.asarray(rgb, dtype=np.float64) @ RGB_TO_YCBCR_BT601.T
