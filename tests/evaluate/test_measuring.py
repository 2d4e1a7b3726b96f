"""Ray Data on real workers, with real codecs and hostile ones."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aebench.cluster import Cluster, Node
from aebench.codecs import Codec, Rgb, codecs, parameter
from aebench.evaluate import evaluate, plan
from aebench.evaluate.blocks import Block, Work
from aebench.evaluate.measuring import _actors
from aebench.images import ImageRef, pixel_digest
from aebench.kept import image_path, original_path, stream_path
from aebench.measure import Row
from aebench.results import RunFolder


@dataclass(frozen=True)
class Fussy(Codec):
    """Stores pixels as they are, and fails on images of chosen widths."""

    name = "fussy"
    sweep = "level=1|2"
    level: int = parameter(1)

    def encode(self, rgb: Rgb) -> bytes:
        if rgb.shape[1] == 20:
            raise ZeroDivisionError("encoder")
        return bytes(rgb.shape[:2]) + rgb.tobytes()

    def decode(self, data: bytes) -> Rgb:
        if data[1] == 21:
            raise MemoryError("decoder")
        rgb = np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)
        return rgb[:, 1:] if data[1] == 22 else rgb

    def version(self) -> str:
        return "1"


@dataclass(frozen=True)
class Slower(Fussy):
    """Takes longer than it says."""

    name = "slower"
    sweep = ""
    cost = 0.001

    def decode(self, data: bytes) -> Rgb:
        time.sleep(0.3)
        return super().decode(data)


@pytest.fixture
def images(tmp_path: Path) -> list[ImageRef]:
    found = []
    for width in (16, 20, 21, 22):
        path = tmp_path / f"{width}.png"
        Image.fromarray(np.full((9, width, 3), width, np.uint8)).save(path)
        found.append(ImageRef(path.name, str(path)))
    (tmp_path / "damaged.png").write_bytes((tmp_path / "16.png").read_bytes()[:40])
    return [*found, ImageRef("damaged.png", str(tmp_path / "damaged.png"))]


@pytest.mark.slow
def test_every_image_codec_and_setting_has_its_row(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    run, seen = RunFolder(tmp_path / "run"), list[Row]()
    settings = [Fussy(1), Fussy(2), *codecs("jpeg[quality=50|90]")]
    evaluate(plan(images, settings, run), run, cluster, seen.extend)
    rows = {(row["image"], row["setting"]): row for row in run.rows().to_pylist()}
    assert len(rows) == len(seen) == len(images) * len(settings)
    for level in (1, 2):
        found = {image.name: rows[image.name, f"fussy[level={level}]"] for image in images}
        good = found["16.png"]
        assert (good["bytes"], good["bpp"]) == (2 + 9 * 16 * 3, 8 * (2 + 9 * 16 * 3) / (9 * 16))
        assert (good["psnr_rgb"], good["mse"], good["error"]) == (float("inf"), 0.0, None)
        assert (good["width"], good["height"], good["codec"], good["codec_version"]) == (16, 9, "fussy", "1")
        assert good["parameters"] == f'{{"level": {level}}}'
        assert found["20.png"]["error"] == "ZeroDivisionError: encoder"
        assert found["21.png"]["error"] == "MemoryError: decoder"
        assert "9×21" in found["22.png"]["error"] or "21×9" in found["22.png"]["error"]
        assert "damaged.png" in found["damaged.png"]["error"]
    assert all(rows[image.name, "jpeg[quality=50]"]["error"] is None for image in images[:-1])
    assert all(row["bytes"] is None for row in rows.values() if row["error"])
    assert all(row["run"] == "run" and row["node"] for row in rows.values())


@pytest.mark.slow
def test_what_a_worker_gives_back_is_handed_out_again(
    tmp_path: Path, images: list[ImageRef], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[list[Block]] = []
    hand_out = Work.hand_out
    monkeypatch.setattr(Work, "hand_out", lambda work: rounds.append(hand_out(work)) or rounds[-1])
    many = [ImageRef(f"{number}.png", images[0].uri) for number in range(24 * cluster.cpus)]
    run, seen = RunFolder(tmp_path / "run"), list[Row]()
    evaluate(plan(many, [Slower()], run), run, cluster, seen.extend)
    assert sorted(row["image"] for row in seen) == sorted(image.name for image in many)
    assert len(run.rows()) == len(many)
    first, *later, last = rounds
    assert first[0].images > 4
    assert later
    assert last == []


@pytest.mark.slow
def test_what_is_measured_already_is_left_out(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    run, seen = RunFolder(tmp_path / "run"), list[Row]()
    evaluate(plan(images[:1], [Fussy(1)], run), run, cluster)
    first = run.rows().to_pylist()
    evaluate(plan(images[:2], [Fussy(1), Fussy(2)], run), run, cluster, seen.extend)
    assert sorted((row["image"], row["setting"]) for row in seen) == [
        ("16.png", "fussy[level=2]"), ("20.png", "fussy[level=1]"), ("20.png", "fussy[level=2]"),
    ]  # fmt: skip
    assert first[0] in run.rows().to_pylist()
    assert len(run.rows()) == 4


@pytest.mark.slow
def test_what_lacks_a_metric_is_measured_anew_and_counts_once(
    tmp_path: Path, photograph: Rgb, cluster: Cluster
) -> None:
    for name, size in (("large", 170), ("small", 120)):
        Image.fromarray(photograph[:size, :size]).save(tmp_path / f"{name}.png")
    images = [ImageRef(f"{name}.png", str(tmp_path / f"{name}.png")) for name in ("large", "small")]
    run, settings, seen = RunFolder(tmp_path / "run"), codecs("jpeg[quality=50]"), list[Row]()
    evaluate(plan(images, settings, run, ["psnr", "ms-ssim"]), run, cluster)
    (first,) = (row for row in run.rows().to_pylist() if row["image"] == "large.png")
    assert first["ssimulacra2"] is None

    evaluate(plan(images, settings, run, ["ssimulacra2"]), run, cluster, seen.extend)
    rows = {row["image"]: row for row in run.rows().to_pylist()}
    assert len(seen) == len(run.rows()) == 2
    assert rows["large.png"]["ssimulacra2"] > 30
    assert rows["large.png"]["ms_ssim"] == first["ms_ssim"]
    assert rows["small.png"]["ssimulacra2"] > 30
    assert rows["small.png"]["ms_ssim"] is None  # undefined there, and no reason to measure again

    work = plan(images, settings, run, ["psnr", "ms-ssim", "ssimulacra2"])
    assert len(work.request.done) == 2
    evaluate(work, run, cluster, seen.extend)
    assert len(seen) == 2


@pytest.mark.slow
def test_kept_files_are_what_was_counted_and_scored(tmp_path: Path, images: list[ImageRef], cluster: Cluster) -> None:
    run, seen = RunFolder(tmp_path / "run"), list[Row]()
    settings = [*codecs("jpeg[quality=50|90]"), Fussy(1)]
    evaluate(plan(images, settings, run, keep="images"), run, cluster)
    rows = run.rows().to_pylist()
    assert len(rows) == len(images) * len(settings)
    for row in rows:
        stream = stream_path(run, row["image"], row["setting"])
        decoded = image_path(run, row["image"], row["setting"])
        assert stream.is_file() == decoded.is_file() == (row["error"] is None)
        if row["error"] is None:
            rgb = np.asarray(Image.open(decoded))
            original = np.asarray(Image.open(original_path(run, row["image"])))
            (subject,) = (setting for setting in settings if setting.setting == row["setting"])
            assert row["bytes"] == stream.stat().st_size
            assert np.array_equal(subject.decode(stream.read_bytes()), rgb)
            assert row["image_digest"] == pixel_digest(original)
            assert row["mse"] == ((rgb.astype(float) - original) ** 2).mean()
    assert not list(run.path.rglob("*.tmp"))
    assert all(b"\x89PNG" not in path.read_bytes() for path in (run.path / "rows").iterdir())

    lost = stream_path(run, "16.png", "jpeg[quality=90]")
    lost.unlink()
    evaluate(plan(images[:1], settings, run, keep="images"), run, cluster, seen.extend)
    assert [(row["image"], row["setting"]) for row in seen] == [("16.png", "jpeg[quality=90]")]
    assert lost.is_file()
    assert len(run.rows()) == len(rows)


@pytest.mark.slow
def test_networks_and_cpu_codecs_run_in_one_plan(
    tmp_path: Path, images: list[ImageRef], cluster: Cluster, paper_weights: Path
) -> None:
    from aebench.codecs.paper import Paper

    network = Paper(bits=4, weights=str(paper_weights)).loaded()
    run = RunFolder(tmp_path / "run")
    work = plan(images, [network, *codecs("jpeg[quality=50]")], run, keep="images")
    assert (list(work.branch(batched=True)), list(work.branch(batched=False))) == ([0], [1])
    evaluate(work, run, cluster)
    rows = {(row["image"], row["codec"]): row for row in run.rows().to_pylist()}
    assert len(rows) == 2 * len(images)
    assert rows["damaged.png", "paper"]["error"]
    rgb = np.asarray(Image.open(images[0].uri))
    assert rows["16.png", "paper"]["bytes"] == len(network.encode(rgb))
    assert network.version() == rows["16.png", "paper"]["codec_version"]
    assert len(stream_path(run, "16.png", network.setting).read_bytes()) == rows["16.png", "paper"]["bytes"]
    assert np.array_equal(np.asarray(Image.open(original_path(run, "16.png"))), rgb)


@pytest.mark.slow
def test_ray_takes_the_work_of_gpus(
    tmp_path: Path, images: list[ImageRef], cluster: Cluster, paper_weights: Path
) -> None:
    """No GPU is needed to hear what Ray refuses: it does so before anything runs."""
    import ray

    from aebench.codecs.paper import Paper

    network = Paper(bits=4, weights=str(paper_weights)).loaded()
    branch = _actors(plan(images, [network], RunFolder(tmp_path / "run")), Cluster((Node(2, gpus=1),)))
    assert branch is not None
    branch.measure(ray.data.from_items([{"block": 0}]))
