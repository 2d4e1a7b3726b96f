"""What a submitted job takes along: nothing to a Ray on this machine, aebench itself to any other.

On this machine the job runs in the user's folder, on the user's Python, as `aebench run` would. Elsewhere it runs in a
folder that Ray makes for it from what is packed here: the job file, aebench's source (the versions cannot differ), and
the modules of the user's folder that the job's codecs and network come from. What aebench depends on is there already,
or is installed on request.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import aebench
from aebench.cluster import import_paths
from aebench.job import Job
from aebench.provenance import COMMIT, commit


@dataclass(frozen=True)
class Parcel:
    """A command line, and the runtime environment in which Ray gives it to a shell."""

    entrypoint: str
    runtime_env: dict[str, Any]


def in_place(job_file: Path, options: list[str]) -> Parcel:
    """Run in the current folder, with this Python and what it imports."""
    command = [sys.executable, "-m", "aebench", "run", str(job_file.absolute()), *options]
    variables = {"PYTHONPATH": os.pathsep.join(import_paths()), **_width()}
    if folders := os.environ.get("AEBENCH_DATA"):
        variables["AEBENCH_DATA"] = os.pathsep.join(str(Path(one).absolute()) for one in folders.split(os.pathsep))
    return Parcel(f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(command)}", {"env_vars": variables})


def packed(job_file: Path, job: Job, options: list[str], folder: Path, install: bool) -> Parcel:
    """Pack a folder that travels.

    Parameters
    ----------
    job_file : path
    job : Job
        What it holds; its own codecs have been imported to read it.
    options : list of str
        For ``aebench run``.
    folder : path
        Empty; it must stay until the job is submitted.
    install : bool
        Install what aebench depends on, in the versions that it has here. Ray is the cluster's own.
    """
    package = Path(aebench.__file__).resolve().parent
    shutil.copytree(package, folder / "aebench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(job_file, folder / job_file.name)
    for module in own_modules(job):
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, folder / module)
    environment: dict[str, Any] = {"working_dir": str(folder), "env_vars": {COMMIT: commit() or "", **_width()}}
    if install:
        environment["pip"] = requirements()
    return Parcel(shlex.join(["python", "-m", "aebench", "run", job_file.name, *options]), environment)


def requirements() -> list[str]:
    """List what aebench needs as pip takes it, pinned to the versions installed here, Ray not pinned."""
    needed = [Requirement(text) for text in importlib.metadata.requires("aebench") or []]
    return [_pinned(need) for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})]


def own_modules(job: Job) -> list[Path]:
    """List the files of imported modules in and below the current folder, relative to it."""
    for section in job.train:
        if ":" in section.model:
            importlib.import_module(section.model.partition(":")[0])
    elsewhere = [Path(aebench.__file__).parent, Path(sys.prefix)]
    files = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    return sorted(
        file.relative_to(Path.cwd())
        for file in set(files)
        if file.is_relative_to(Path.cwd())
        and not any(file.is_relative_to(folder) for folder in elsewhere)
        and "site-packages" not in file.parts
    )


def _pinned(need: Requirement) -> str:
    if need.name == "ray":  # Ray refuses an environment with another Ray than the cluster's
        return str(need)
    public = importlib.metadata.version(need.name).partition("+")[0]  # 2.13.0+cpu is what an index calls 2.13.0
    return f"{need.name}=={public}"


def _width() -> dict[str, str]:
    """Tell the job how wide the terminal is in which its log is followed."""
    return {"COLUMNS": str(shutil.get_terminal_size().columns)}
