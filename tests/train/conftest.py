"""Pictures to train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench.images import ImageRef


@pytest.fixture
def images(tmp_path: Path) -> list[ImageRef]:
    random = np.random.default_rng(7)
    found = []
    for index in range(4):
        rgb = random.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        path = tmp_path / f"{index}.png"
        Image.fromarray(rgb).save(path)
        found.append(ImageRef(path.name, str(path)))
    return found
