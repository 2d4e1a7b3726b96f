"""The command line, as a user meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from aebench.analysis.run import Run
from aebench.models.weights import read_weights
from aebench.results import RunFolder

ROOT = Path(__file__).parent.parent


def aebench(*arguments: str | Path, cwd: Path, code: int = 0, timeout: float = 300) -> str:
    """Run a command; return what it printed; no traceback, ever."""
    environment = {**os.environ, "RAY_ADDRESS": "local", "COLUMNS": "160", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "aebench", *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode == code, printed
    assert "Traceback" not in printed
    return printed


@pytest.fixture
def photograph_file(tmp_path: Path, crop: object) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(crop).save(path)  # type: ignore[arg-type]
    return path


def test_help_teaches(tmp_path: Path) -> None:
    text = aebench("--help", cwd=tmp_path)
    for word in ("jpeg[quality=10|30|50]", "aebench run jobs/quickstart.toml", "kodak[:17]", "evaluate", "report"):
        assert word in text
    for command in (
        "run",
        "train",
        "evaluate",
        "time",
        "report",
        "compare",
        "export",
        "submit",
        "status",
        "codecs",
        "images",
        "encode",
        "decode",
    ):
        assert f"Usage: aebench {command}" in aebench(command, "--help", cwd=tmp_path).replace("python -m ", "")


def test_the_help_of_evaluate_teaches(tmp_path: Path) -> None:
    text = aebench("evaluate", "--help", cwd=tmp_path)
    for word in (
        "psnr",
        "ms-ssim",
        "ssimulacra2",
        "RUN/images/IMAGE/SETTING.png",
        "--keep images",
        "measures only what",
    ):
        assert word in " ".join(text.split())


def test_help_imports_neither_ray_nor_torch() -> None:
    code = (
        "import aebench.cli, sys; print([m for m in ('ray', 'torch', 'rich', 'numpy.linalg') if m in sys.modules][:2])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "ray" not in done.stdout
    assert "torch" not in done.stdout


def test_codecs_are_listed_with_settings_and_versions(tmp_path: Path) -> None:
    text = aebench("codecs", cwd=tmp_path)
    for word in (
        "jpeg",
        "jpeg2000",
        "heif",
        "bpg",
        "paper",
        "quality=75",
        "openjpeg",
        "libjpeg",
        "written jpeg[quality=50];",
    ):
        assert word in text


def test_images_are_listed_with_their_place(tmp_path: Path, photograph_file: Path) -> None:
    text = aebench("images", tmp_path, cwd=tmp_path)
    assert "1 image" in text
    assert "face.png" in text
    assert "192×128" in text


def test_a_single_file_goes_there_and_back(tmp_path: Path, photograph_file: Path) -> None:
    said = aebench("encode", photograph_file, "-o", "face.jpg", "--codec", "jpeg[quality=90]", cwd=tmp_path)
    size = (tmp_path / "face.jpg").stat().st_size
    assert f"{size} bytes" in said
    assert f"{8 * size / (192 * 128):.4f} bpp" in said
    aebench("decode", "face.jpg", "-o", "back.png", "--codec", "jpeg", cwd=tmp_path)
    assert Image.open(tmp_path / "back.png").size == (192, 128)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "there is no run nowhere"),
        (["run", "nowhere.toml"], r"cannot read the job file nowhere\.toml"),
        (["evaluate", "--images", "kodac", "--codecs", "jpeg"], "kodac"),
        (["evaluate", "--images", "samples", "--codecs", "jpg"], r"no codec 'jpg' \(did you mean 'jpeg'"),
        (["evaluate", "--images", "samples", "--codecs", "jpeg[quality=10"], "expected ',' or ']'"),
        (
            ["evaluate", "--images", "samples", "--codecs", "jpeg", "--metrics", "psnr, vmaf"],
            "there is no metric 'vmaf'.*known: psnr, ms-ssim, ssimulacra2",
        ),
        (
            ["evaluate", "--images", "samples", "--codecs", "jpeg", "--keep", "all"],
            "'all' is not one of 'streams', 'images'",
        ),
        (["time", "--images", "samples", "--codecs", "jpeg", "--repeats", "0"], r"time\.repeats: .* not 0"),
        (["encode", "nowhere.png", "-o", "x", "--codec", "jpeg"], r"nowhere\.png"),
        (["encode", "face.png", "-o", "x", "--codec", "jpeg[quality=1|2]"], "names 2 settings where one is wanted"),
        (["encode", "face.png", "-o", "no/where", "--codec", "jpeg"], "cannot write no/where: No such file"),
        (["decode", "face.png", "-o", "x.png", "--codec", "jpeg"], "JPEG"),
        (["decode", "face.png", "-o", "x.docx", "--codec", "jpeg"], r"suffix '\.docx'"),
        (["train", "--images", "samples[:2]", "--output", "t"], "nothing is left to train on"),
        (["evaluate", "--images", "samples", "--codecs", "jpeg", "--output", "face.png"], "is a file; name a folder"),
        (["evaluate", "--images", "samples", "--codecs", "jpeg", "--output", "."], "holds no run"),
        (["frobnicate"], "No such command"),
        (["run"], "Missing argument"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    tmp_path: Path, photograph_file: Path, arguments: list[str], message: str
) -> None:
    assert re.search(message, aebench(*arguments, cwd=tmp_path, code=2))


def test_a_network_without_weights_says_how_to_get_them(tmp_path: Path) -> None:
    said = aebench("evaluate", "--images", "samples[:1]", "--codecs", "paper", "-o", "r", cwd=tmp_path, code=2)
    assert "train them" in said


def test_training_on_a_test_image_is_refused(tmp_path: Path) -> None:
    job = tmp_path / "leak.toml"
    job.write_text('[train]\nimages = "samples[:4]"\n[evaluate]\nimages = "samples[3:5]"\ncodecs = ["jpeg"]\n')
    said = aebench("run", job, cwd=tmp_path, code=2)
    assert "share images" in said
    assert not (tmp_path / "results").exists()


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing(tmp_path: Path) -> None:
    timing = ["--set", "time.images=samples[7:]", "--set", "time.codecs=['jpeg[quality=75]']"]
    said = aebench("run", ROOT / "jobs" / "smoke.toml", *timing, "--output", "r", "--dry-run", cwd=tmp_path)
    assert "would train paper on 2 images and validate on 1: 2 epochs of 3 steps" in said
    assert "would measure 7 settings of paper, jpeg, jpeg2000, bpg on 2 images: 14 rows" in said
    assert "would time 1 settings of jpeg on 2 images: 6 rows" in said
    assert "would leave results in r" in said
    assert not list(tmp_path.iterdir())


def test_a_dry_run_finds_what_would_stop_the_job(tmp_path: Path) -> None:
    job = tmp_path / "untrained.toml"
    job.write_text('[evaluate]\nimages = "samples[:1]"\ncodecs = ["paper"]\n')
    assert "has no weights yet" in aebench("run", job, "--dry-run", cwd=tmp_path, code=2)
    start = ["--set", f"train.start={ROOT / 'aebench' / 'weights' / 'lapped'}"]
    said = aebench("run", ROOT / "jobs" / "smoke.toml", *start, "--output", "r", "--dry-run", cwd=tmp_path, code=2)
    assert "cannot start from the weights of 'lapped'" in said
    leak = ["--set", "evaluate.images=samples[2:4]"]
    said = aebench("run", ROOT / "jobs" / "smoke.toml", *leak, "--dry-run", cwd=tmp_path, code=2)
    assert "share images" in said


def test_a_job_falls_back_in_one_line(tmp_path: Path) -> None:
    job = tmp_path / "fall.toml"
    job.write_text('[evaluate]\nimages = "no/such/folder"\nfallback = "samples[:1]"\ncodecs = ["jpeg[quality=50]"]\n')
    said = aebench("run", job, cwd=tmp_path)
    assert [line for line in said.splitlines() if "going on with samples[:1]" in line]
    assert pq.read_table(tmp_path / "results" / "fall" / "rows").num_rows == 1
    assert "1 of samples[:1]" in said

    page = Path("results") / "fall" / "report.html"
    assert f"page: {page}" in said
    (tmp_path / page).unlink()
    curve = tmp_path / "curve.json"
    curve.write_text('{"name": "a published curve", "results": {"bpp": [0.5, 1], "psnr-rgb": [30, 33]}}')
    assert f"page: {page}" in aebench("report", page.parent, "--reference", curve, cwd=tmp_path)
    assert "a published curve" in (tmp_path / page).read_text()
    curve.write_text("{}")
    assert "CompressAI" in aebench("report", page.parent, "--reference", curve, cwd=tmp_path, code=2)


FAMILY = """
[[train]]
model = "paper"
images = "samples[:3]"

[[train]]
model = "theis2017-small"
images = "samples[:3]"

[evaluate]
images = "samples[5:6]"
codecs = ["paper[bits=4]", "theis2017[rate=2]"]
"""


@pytest.mark.slow
def test_a_job_trains_several_networks_and_measures_them(tmp_path: Path) -> None:
    job = tmp_path / "family.toml"
    job.write_text(FAMILY)
    small = [f"--set=train.{option}" for option in ("crop=32", "batch=2", "epochs=1", "steps=1", "validation=1")]
    said = aebench("run", job, *small, cwd=tmp_path)
    assert said.count("training images: 3 of samples[:3]") == 1
    for network in ("paper", "theis2017-small"):
        assert f"training {network}: 1/1" in said
        assert f"Training of {network}" in said
    run = RunFolder(tmp_path / "results" / "family")
    assert run.epochs()["network"].to_pylist() == ["paper", "theis2017-small"]
    versions = {row["codec"]: row["codec_version"] for row in run.rows().to_pylist()}
    for codec, network in (("paper", "paper"), ("theis2017", "theis2017-small")):
        assert read_weights(run.path, network).digest[:12] in versions[codec]
    again = aebench("run", job, *small, cwd=tmp_path)
    assert "training theis2017-small: results/family/model/theis2017-small is there already" in again


@pytest.mark.slow
def test_the_smoke_job_end_to_end(tmp_path: Path) -> None:
    said = aebench("run", ROOT / "jobs" / "smoke.toml", cwd=tmp_path)
    run = tmp_path / "results" / "smoke"
    rows = pq.read_table(run / "rows").to_pylist()
    assert len(rows) == len({(row["image"], row["setting"]) for row in rows})
    assert {row["codec"] for row in rows} == {"paper", "jpeg", "jpeg2000", "bpg"}
    assert not any(row["error"] for row in rows)
    assert all(row["bpp"] == 8 * row["bytes"] / (row["width"] * row["height"]) for row in rows)
    assert pq.read_table(run / "epochs").num_rows == 2
    assert "jpeg" in said
    assert f"results: {Path('results') / 'smoke'}" in said

    again = aebench("run", ROOT / "jobs" / "smoke.toml", cwd=tmp_path)
    assert f"{len(rows)} of {len(rows)} measurements" in again
    assert pq.read_table(run / "rows").num_rows == len(rows)
    assert "jpeg" in aebench("report", run, cwd=tmp_path)


@pytest.mark.slow
def test_a_job_measures_keeps_and_times(tmp_path: Path, photograph_file: Path) -> None:
    job = tmp_path / "all.toml"
    job.write_text(
        '[evaluate]\nimages = "face.png"\ncodecs = ["jpeg[quality=50]"]\nmetrics = ["ssimulacra2"]\nkeep = "images"\n'
        '[time]\nimages = "face.png"\ncodecs = ["jpeg[quality=50|90]"]\nrepeats = 2\n'
    )
    said = aebench("run", job, cwd=tmp_path)
    assert re.search(r"Speed\n.*encode +encode", said)
    assert "one thread" in said
    run = tmp_path / "results" / "all"
    (row,) = pq.read_table(run / "rows").to_pylist()
    assert row["ssimulacra2"] > 0
    assert row["ms_ssim"] is None
    assert (run / "streams" / "face.png" / "jpeg,quality=50.jpg").stat().st_size == row["bytes"]
    assert Image.open(run / "images" / "face.png" / "original.png").size == (192, 128)
    assert Image.open(run / "images" / "face.png" / "jpeg,quality=50.png").size == (192, 128)
    assert pq.read_table(run / "times").num_rows == 4

    said = aebench("time", "--images", "face.png", "--codecs", "jpeg[quality=50]", "-o", run, cwd=tmp_path)
    assert "Summary" not in said
    assert pq.read_table(run / "times").num_rows == 7
    recorded = json.loads((run / "run.json").read_text())["job"]
    assert recorded["evaluate"]["metrics"] == ["ssimulacra2"]
    assert recorded["time"]["repeats"] == 3
    aebench("evaluate", "--images", "face.png", "--codecs", "jpeg[quality=50]", "-o", run, "--fresh", cwd=tmp_path)
    assert not [part for part in ("times", "streams", "images") if (run / part).exists()]


@pytest.mark.slow
def test_times_that_fail_give_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    said = aebench("time", "--images", "bad.png", "--codecs", "jpeg[quality=50]", "-o", "r", cwd=tmp_path, code=3)
    assert "1 measurement failed" in said
    assert "bad.png" in said


@pytest.mark.slow
def test_failed_rows_give_exit_code_3(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (32, 32), "red").save(folder / "good.png")
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    said = aebench("evaluate", "--images", folder, "--codecs", "jpeg[quality=50]", "-o", "r", cwd=tmp_path, code=3)
    assert "1 measurement failed" in said
    assert "bad.png" in said


def test_two_runs_are_compared_with_an_exit_code(tmp_path: Path, measured: Run) -> None:
    rows = [{**row, "bpp": row["bpp"] * (1.02 if row["codec"] == "heif" else 1)} for row in measured.rows.to_pylist()]
    RunFolder(tmp_path / "worse").append_rows(rows)
    a = measured.folder.path
    assert "No regression above 0.5 %." in aebench("compare", a, a, cwd=tmp_path)
    assert "Regression above 0.5 %: heif: BD-rate +2.00 %." in aebench("compare", a, "worse", cwd=tmp_path, code=1)
    aebench("compare", a, "worse", "--threshold", "3", cwd=tmp_path)
    aebench("compare", "worse", a, "--metric", "ms_ssim", cwd=tmp_path)
    assert "there is no run nowhere" in aebench("compare", a, "nowhere", cwd=tmp_path, code=2)
    assert "did you mean 'ms_ssim'" in aebench("compare", a, a, "--metric", "msssim", cwd=tmp_path, code=2)


def test_a_run_is_exported_and_reported_with_its_own_curves(tmp_path: Path, measured: Run) -> None:
    run = measured.folder.path
    assert aebench("export", run, "--format", "csv", cwd=tmp_path).startswith('"run","image"')
    assert "name a folder with -o" in aebench("export", run, "--format", "compressai", cwd=tmp_path, code=2)
    said = aebench("export", run, "--format", "compressai", "-o", "curves", cwd=tmp_path)
    assert "curves/jpeg2000.json" in said and "MS-SSIM is left out" in said
    reference = ["--reference", "curves/jpeg2000.json", "--anchor", "heif", "--psnr", "30", "--bpp", "0.5"]
    text = aebench("report", run, *reference, cwd=tmp_path)
    for part in ("BD-rate against heif", "jpeg2000 (published)", "exactly 0.5 bpp", "exactly 30 dB"):
        assert part in text
    assert "is not JSON" in aebench("report", run, "--reference", Path(__file__), cwd=tmp_path, code=2)
    assert "no 'heic' (did you mean 'heif'" in aebench("report", run, "--anchor", "heic", cwd=tmp_path, code=2)
