"""What the parts of `lapped` bring: python -m benchmarks.lapped [IMAGES]

Codes a set (kodak[::3] unless another is named) with the weights that come with it, whole and with one part left out at
a time, and prints BD-rates against the whole: real bytes, mean curve, PSNR of 8-bit RGB. The network was trained with
all parts, so that without one it is at a disadvantage.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import torch

from aebench.bdrate import Curve, bd_rate
from aebench.codecs.lapped import LappedCodec
from aebench.images import open_rgb, resolve
from aebench.metrics import mse, psnr
from aebench.models.lapped import Lapped, network
from aebench.models.lapped.shaping import Shaper

STEPS = (6, 11, 22, 45, 90, 160)

LEFT_OUT: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
    "nothing": contextlib.nullcontext,
    "rate–distortion optimised rounding": lambda: patch.object(network, "TRADEOFF", 0),
    "noise shaping": lambda: patch.object(Shaper, "target", lambda self, sites, span: self._y[:, sites, span]),
    "post-filter": lambda: patch.object(Lapped, "dequantise", lambda self, found: found.q),
}


def curve(images: list[np.ndarray]) -> Curve:
    """Mean bits per pixel and PSNR over the images, at each step."""
    points = []
    for step in STEPS:
        codec = LappedCodec(step=step)
        streams = [codec.encode(rgb) for rgb in images]
        pairs = list(zip(images, streams, strict=True))
        bpp = np.mean([8 * len(data) / rgb[..., 0].size for rgb, data in pairs])
        points.append((bpp, np.mean([psnr(mse(codec.decode(data), rgb)) for rgb, data in pairs])))
    rates, qualities = zip(*points, strict=True)
    return Curve(rates, qualities)


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    images = [open_rgb(image.uri) for image in resolve(sys.argv[1] if len(sys.argv) > 1 else "kodak[::3]")]
    whole: Curve | None = None
    for name, left_out in LEFT_OUT.items():
        with left_out():
            found = curve(images)
        whole = whole or found
        print(f"without {name:36} {bd_rate(whole, found):+6.2f} %", flush=True)


if __name__ == "__main__":
    main()
