"""The benchmarks run, on little, and give their ratios; what these are is for `make perf` to show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

import benchmarks.__main__ as every
from aebench.cluster import Cluster
from aebench.codecs import Rgb
from benchmarks import (
    bpg_arithmetic,
    containment,
    efficiency,
    jpeg_metrics,
    memory,
    overhead,
    scale,
    showing,
    startup,
    training,
)  # fmt: skip

pytestmark = pytest.mark.slow

Output = pytest.CaptureFixture[str]


@pytest.fixture
def pictures(tmp_path: Path, photograph: Rgb) -> str:
    """A folder of two small images that have MS-SSIM."""
    for number in range(2):
        Image.fromarray(photograph[: 176 + 16 * number, :176]).save(tmp_path / f"{number}.png")
    return str(tmp_path)


def ratio(output: str, before: str) -> float:
    """Find the number that follows some words."""
    found = re.search(re.escape(before) + r"\s*×?([0-9.]*[0-9])", " ".join(output.split()))
    assert found is not None, f"{before!r} is not in {output}"
    return float(found[1])


def test_efficiency(pictures: str, cluster: Cluster, capsys: Output) -> None:
    efficiency.main(pictures, f"{pictures}/0.png")
    output = re.sub(r" \([0-9.–]+\)", "", capsys.readouterr().out)  # without spreads
    lines = [line.split() for line in output.splitlines() if line.startswith(("jpeg", "bpg", "all"))]
    assert [line[0] for line in lines] == ["jpeg:", "jpeg2000:", "bpg:", "all", "all"]
    assert all(0 < float(share) <= 1.1 for line in lines for share in line[-7:-3])
    assert all(float(line[-1]) > 0 for line in lines)


def test_jpeg_metrics(pictures: str, cluster: Cluster, capsys: Output) -> None:
    jpeg_metrics.main(pictures, repeats=1)
    output = capsys.readouterr().out
    assert ratio(output, "aebench over pytorch-msssim:") > 0
    assert ratio(output, "aebench over bare loop:") > 0
    assert float(re.findall(r"difference in MS-SSIM: (\S+)\.", output)[0]) < 1e-4


def test_overhead(pictures: str, cluster: Cluster, capsys: Output) -> None:
    overhead.main(pictures, repeats=1)
    output = capsys.readouterr().out
    assert ratio(output, "All but the codec:") > 0
    assert ratio(output, "MS-SSIM") > 0


def test_startup(capsys: Output) -> None:
    startup.main(repeats=1)
    output = capsys.readouterr().out
    assert re.search(r"^--help .* none$", output, re.MULTILINE)
    assert not re.search(r"^report .*(ray|torch)", output, re.MULTILINE)
    assert ratio(output, "in all") > ratio(output, "starting Ray") > 0


def test_scale(cluster: Cluster, capsys: Output) -> None:
    scale.main([20, 40])
    output = capsys.readouterr().out
    assert ratio(output, "wall a row") > 0
    assert ratio(output, "driver's memory") > 0


def test_training(capsys: Output) -> None:
    training.main(steps=1, rounds=1)
    output = capsys.readouterr().out
    assert ratio(output, "aebench over the bare loop:") > 0
    assert ratio(output, "over the Keras-like network:") > 0
    assert "gradients exchanged by gloo" in output


def test_memory(pictures: str, cluster: Cluster, capsys: Output) -> None:
    memory.main(pictures)
    output = capsys.readouterr().out
    assert [line.split()[0] for line in output.splitlines() if " driver " in line] == ["jpeg", "jpeg,", "jpeg,"]
    assert ratio(output, "driver 1") > 10


def test_containment(capsys: Output) -> None:
    containment.main(2)
    assert ratio(capsys.readouterr().out, "another child") > 0


def test_bpg_arithmetic(pictures: str, capsys: Output) -> None:
    bpg_arithmetic.main(f"{pictures}/0.png", repeats=1)
    assert ratio(capsys.readouterr().out, "grey, qp 47") > 0


def test_a_set_that_cannot_be_had_is_said(capsys: Output) -> None:
    assert len(showing.images("no-such-set")) == 9
    assert "measuring on samples instead" in capsys.readouterr().out


def test_all_of_them_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {path.stem for path in Path(every.__file__).parent.glob("*.py")}
    helpers = {"__init__", "__main__", "codecs", "measuring", "processes", "showing"}
    assert modules - helpers == {*every.ALL}
