"""A submitted job and a local run are the same experiment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aebench.results import RunFolder
from tests.test_cli import ROOT, aebench

SUBMIT = ROOT / "jobs" / "submit.sh"
MEASURED = (
    "image",
    "image_digest",
    "setting",
    "codec_version",
    "bytes",
    "bpp",
    "mse",
    "psnr_rgb",
    "psnr_y",
    "ms_ssim",
    "error",
)


def submit(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        [SUBMIT, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=500, check=False
    )  # fmt: skip


@pytest.mark.slow
def test_a_submitted_job_leaves_the_rows_of_a_local_run(tmp_path: Path) -> None:
    done = submit(ROOT / "jobs" / "smoke.toml", "--output", "submitted", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    aebench("run", ROOT / "jobs" / "smoke.toml", "--output", "local", cwd=tmp_path)
    rows = []
    for name in ("submitted", "local"):
        table = (
            RunFolder(tmp_path / name)
            .rows()
            .select(MEASURED)
            .sort_by([("image", "ascending"), ("setting", "ascending")])
        )
        rows.append(table.to_pylist())
    assert len(rows[0]) == 14
    assert rows[0] == rows[1]
    epochs = [RunFolder(tmp_path / name).epochs()["train_loss"].to_pylist() for name in ("submitted", "local")]
    assert epochs[0] == epochs[1]


def test_submit_says_how_it_is_used_and_what_is_wrong(tmp_path: Path) -> None:
    helped = submit("--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert "jobs/submit.sh jobs/paper.toml" in helped.stdout
    assert submit(cwd=tmp_path).returncode == 2
    missing = submit(ROOT / "jobs" / "nothing.toml", cwd=tmp_path)
    assert missing.returncode == 2
    assert "there is no job file" in missing.stderr
    (tmp_path / "elsewhere.toml").write_text("")
    outside = submit("elsewhere.toml", cwd=tmp_path)
    assert outside.returncode == 2
    assert "lies outside" in outside.stderr


def test_a_submitted_job_refuses_an_output_that_would_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    arguments = ["evaluate", "--images", "samples[:1]", "--codecs", "jpeg[quality=50]", "-o", "relative"]
    assert "give an absolute --output" in aebench(*arguments, cwd=tmp_path, code=2)
