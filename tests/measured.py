"""A small run, really measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from aebench.analysis.run import Run, read
from aebench.codecs.registry import codecs
from aebench.images import resolve
from aebench.measure import Request, measure
from aebench.results import RunFolder

CODECS = (
    "jpeg[quality=5..95:15],jpeg[quality=5..95:15,chroma=444],jpeg2000[bpp=0.1|0.2|0.4|0.8|1.6|3],heif[qp=17..47:6]"
)

SMALL = "small.png"
"""An image that has no MS-SSIM."""


def measure_small_run(folder: Path) -> Run:
    """Send four crops of photographs through three codecs, one of them in two variants."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for name in ("astronaut.png", "chelsea.png", "coffee.png"):
        uri = next(image.uri for image in resolve("samples") if image.name == name)
        pixels = np.asarray(Image.open(uri).convert("RGB"))
        Image.fromarray(pixels[60:252, 100:292]).save(pictures / name)
        if name == "astronaut.png":
            Image.fromarray(pixels[:96, 200:328]).save(pictures / SMALL)
    run = RunFolder(folder / "measured")
    for image in resolve(str(pictures)):
        run.append_rows(list(measure([image], codecs(CODECS), Request())))
    run.update_info(default_settings={"jpeg": "jpeg[quality=75]", "jpeg2000": "jpeg2000[bpp=1]", "heif": "heif[qp=26]"})
    return read(run.path)
