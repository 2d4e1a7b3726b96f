"""Secrets in the address of an image set reach whoever opens the images, and nobody else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from aebench.images.uris import redacted_text
from aebench.provenance import provenance
from aebench.results import RunFolder
from tests.test_cli import aebench


def test_the_command_is_stored_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "s3://KEY:SECRET@bucket/photos?token=SECRET"
    monkeypatch.setattr(sys, "argv", ["aebench", "evaluate", f"--images={uri}", "--images", uri, "-o", "r"])
    assert provenance()["command"] == [
        "aebench", "evaluate", "--images=s3://bucket/photos", "--images", "s3://bucket/photos", "-o", "r",
    ]  # fmt: skip
    assert redacted_text(f"read {uri} and '{uri}'") == "read s3://bucket/photos and 's3://bucket/photos'"


@pytest.mark.slow
def test_a_run_neither_prints_nor_stores_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (32, 32), "red").save(folder / "good.png")
    (folder / "bad.png").write_bytes(b"nothing")
    uri = f"{folder.as_uri()}?token=SECRET"
    said = aebench("-v", "evaluate", "--images", uri, "--codecs", "jpeg[quality=50]", "-o", "r", cwd=tmp_path, code=3)
    assert "SECRET" not in said
    assert len(RunFolder(tmp_path / "r").rows()) == 2
    for path in (tmp_path / "r").rglob("*"):
        assert path.is_dir() or b"SECRET" not in path.read_bytes(), path
