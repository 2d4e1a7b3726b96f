"""Pictures and weights that many tests share."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import skimage.data

from aebench.codecs import Rgb

if TYPE_CHECKING:
    from aebench.analysis.run import Run
    from aebench.cluster import Cluster

# a shell lets what it starts in the background ignore interrupts, and so would every command that a test interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)

# no test asserts times, and a failure found once is found again
hypothesis.settings.register_profile("aebench", deadline=None, derandomize=True)
hypothesis.settings.load_profile("aebench")


PPM_PROGRAM = shlex.join([sys.executable, "-I", "-S", str(Path(__file__).parent / "codecs" / "ppm_program.py")])
"""Start of a command line; without site-packages Python starts in a fraction of the time."""


@pytest.fixture(scope="session")
def photograph() -> Rgb:
    """A photograph of 512×512 pixels that lies inside the scikit-image wheel; read-only."""
    rgb: Rgb = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    rgb.flags.writeable = False
    return rgb


@pytest.fixture(scope="session")
def crop(photograph: Rgb) -> Rgb:
    """A face before a dark and a bright ground, 192×128 pixels of the photograph; read-only."""
    return photograph[40:168, 130:322]


@pytest.fixture(scope="session")
def ppm_encoder() -> str:
    """The command line of an encoder that every machine has; q is the step of its quantiser."""
    return f"{PPM_PROGRAM} encode {{q}} {{input}} {{output}}"


@pytest.fixture(scope="session")
def ppm_decoder() -> str:
    """The command line of its decoder."""
    return f"{PPM_PROGRAM} decode {{input}} {{output}}"


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four crops of photographs through three codecs, one of them in two variants; the smallest crop has no MS-SSIM."""
    from tests.measured import measure_small_run

    return measure_small_run(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def kodak() -> list[Path]:
    """The 24 Kodak images, from ``kodak/`` in one of the folders that AEBENCH_DATA lists."""
    for folder in filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep)):
        paths = [Path(folder) / "kodak" / f"kodim{number:02}.png" for number in range(1, 25)]
        if all(path.is_file() for path in paths):
            return paths
    pytest.skip("the 24 Kodak images are in none of the folders that AEBENCH_DATA lists")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Ray of our own on this machine, whatever else runs here."""
    from aebench.cluster import connected

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", "local")
        with connected() as found:
            yield found


@pytest.fixture(scope="session")
def paper_weights(tmp_path_factory: pytest.TempPathFactory, photograph: Rgb) -> Path:
    """A folder with weights of the paper's network, trained for some seconds on the photograph."""
    import torch

    from aebench.models.weights import Weights, build
    from aebench.training import Recipe, Trainer

    torch.manual_seed(1)
    network = build("paper")
    recipe = Recipe(crop=32, batch=4, epochs=1, steps=200)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # steps this small wait for each other longer than they compute
    Trainer(network, recipe, [photograph], [photograph[:64, :64]]).run(lambda epoch: None)
    torch.set_num_threads(threads)
    folder = tmp_path_factory.mktemp("paper")
    Weights.of("paper", network, {}).save(folder)
    return folder
