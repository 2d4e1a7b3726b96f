"""The snippets of README.md, run as they are printed."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aebench.job import read_job
from aebench.results import RunFolder

ROOT = Path(__file__).parent.parent
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_jobs_of_the_readme_are_valid(tmp_path: Path) -> None:
    jobs = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for text in jobs:
        (tmp_path / "job.toml").write_text(text)
        assert read_job(tmp_path / "job.toml").evaluate
    assert jobs


def test_the_readme_has_its_snippets() -> None:
    assert [word for word in ("pandas", "polars", "duckdb", "aebench") if any(word in s for s in SNIPPETS)] == [
        "pandas", "polars", "duckdb", "aebench",
    ]  # fmt: skip


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda text: text.split()[1])
def test_snippet(snippet: str, tmp_path: Path) -> None:
    row = {"image": "a.png", "image_digest": "d", "codec": "jpeg", "codec_version": "1", "time": datetime.now(UTC)}
    known = {**row, "setting": "jpeg[quality=50]", "bpp": 0.53125}
    run = RunFolder(tmp_path / "results" / "quickstart")
    run.path.parent.mkdir()
    (run.path.parent / "kodak").symlink_to(ROOT / "results" / "kodak")
    run.append_rows([{**known, "psnr_rgb": 30.0}, {**known, "image": "b.png", "psnr_rgb": 31.5}])
    run.append_rows([{**row, "image": "c.png", "setting": "jpeg[quality=50]", "error": "damaged"}])
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if "results/quickstart" in snippet:
        assert "30.75" in done.stdout
        assert "0.53125" in done.stdout or "0.531" in done.stdout
    elif "results/kodak" in snippet:
        assert "jpeg2000: -51.5 % on the mean curve, -49.4 % (-51.6 to -47.4) by image" in done.stdout
        assert (tmp_path / "rd.png").stat().st_size > 10_000
    else:
        assert "jpeg[quality=50]" in done.stdout
        assert "(64, 64, 3)" in done.stdout
