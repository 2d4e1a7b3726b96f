"""Weighted means in a sliding window, separable: what SSIM and its descendants spend their time on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Samples = npt.NDArray[np.float32]
"""An image or what is computed of it: shape (height, width, 3)."""


def window_means(samples: Samples, window: npt.NDArray[np.float32]) -> Samples:
    """Weighted mean in every window that fits inside, per channel.

    With einsum the inner loop runs along a row. That is three times as quick as SciPy's filter and, with all that
    surrounds it, no slower than OpenCV's; and it takes one thread, where a matrix product would wake those of BLAS.

    Parameters
    ----------
    samples : float32 array, shape (height, width, 3)
    window : float32 array, shape (taps,)
        Weights along either axis.

    Returns
    -------
    float32 array, shape (height - taps + 1, width - taps + 1, 3)
    """
    height, width, channels = samples.shape
    taps = len(window)
    rows = np.einsum("rnk,k->rn", sliding_window_view(samples.reshape(height, -1), taps, axis=0), window)
    spans = sliding_window_view(rows, (taps - 1) * channels + 1, axis=1)
    means: Samples = np.einsum("rnk,k->rn", spans[..., ::channels], window)
    return means.reshape(-1, width - taps + 1, channels)
