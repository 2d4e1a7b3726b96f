from __future__ import annotations

import importlib.metadata
import os
import shlex
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from aebench.cluster.parcel import in_place, packed, requirements
from aebench.job import read_job

CODEC = """
import struct
from dataclasses import dataclass

import numpy as np
from parcel_helpers.pixels import raw

from aebench import Codec

@dataclass(frozen=True)
class Raw(Codec):
    name = "raw"
    sweep = ""

    def encode(self, rgb):
        return struct.pack("<HH", *rgb.shape[:2]) + raw(rgb)

    def decode(self, data):
        return np.frombuffer(data[4:], np.uint8).reshape(*struct.unpack("<HH", data[:4]), 3)

    def version(self):
        return "1"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a job with a codec of its own, which needs a package of its own, and a module of no use."""
    (tmp_path / "parcel_codec.py").write_text(CODEC)
    (tmp_path / "parcel_helpers").mkdir()
    (tmp_path / "parcel_helpers" / "__init__.py").write_text("")
    (tmp_path / "parcel_helpers" / "pixels.py").write_text("def raw(rgb):\n    return rgb.tobytes()\n")
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "own.toml").write_text('[evaluate]\nimages = "samples"\ncodecs = ["parcel_codec:Raw"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.startswith("parcel_")]:
        monkeypatch.delitem(sys.modules, module)
    return tmp_path


def test_a_packed_folder_holds_the_job_aebench_and_the_modules_that_the_job_imports(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("there")
    job_file = Path("jobs") / "own.toml"
    parcel = packed(job_file, read_job(job_file), ["--output", "/data/my run"], there, install=False)
    assert shlex.split(parcel.entrypoint) == ["python", "-m", "aebench", "run", "own.toml", "--output", "/data/my run"]
    assert parcel.runtime_env["working_dir"] == str(there)
    assert "pip" not in parcel.runtime_env
    travelling = {str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()}
    assert {path for path in travelling if not path.startswith("aebench/")} == {
        "own.toml", "parcel_codec.py", "parcel_helpers/__init__.py", "parcel_helpers/pixels.py",
    }  # fmt: skip
    assert {"aebench/__main__.py", "aebench/images/kodak.sha256", "aebench/cluster/parcel.py"} <= travelling
    assert not [path for path in travelling if path.endswith(".pyc")]


def test_on_this_machine_nothing_travels_and_paths_keep_their_meaning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEBENCH_DATA", os.pathsep.join(["sets", "/more sets"]))
    parcel = in_place(Path("jobs") / "own.toml", ["--set", "train.model='x y'"])
    assert "working_dir" not in parcel.runtime_env
    assert parcel.entrypoint.startswith(f"cd {shlex.quote(str(folder))} && exec {sys.executable} -m aebench run ")
    assert shlex.split(parcel.entrypoint)[-3:] == [str(folder / "jobs" / "own.toml"), "--set", "train.model='x y'"]
    variables = parcel.runtime_env["env_vars"]
    assert str(folder) in variables["PYTHONPATH"].split(os.pathsep)
    assert variables["AEBENCH_DATA"] == os.pathsep.join([str(folder / "sets"), "/more sets"])


def test_what_is_installed_are_the_versions_that_are_here() -> None:
    wanted = {requirement.name: requirement for requirement in map(Requirement, requirements())}
    assert {"torch", "numpy", "pillow-heif", "constriction", "ray"} <= set(wanted)
    assert "pytest" not in wanted
    for name, requirement in wanted.items():
        assert requirement.specifier.contains(importlib.metadata.version(name)), requirement
        assert name == "ray" or str(requirement.specifier).startswith("=="), requirement


def test_a_parcel_carries_no_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a secret of sixty-four characters")
    parcel = in_place(Path("jobs") / "own.toml", [])
    assert "secret" not in repr(parcel)
