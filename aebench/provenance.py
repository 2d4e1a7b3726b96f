"""What a run must tell about itself: versions, commit, hardware."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import aebench
from aebench.images.uris import redacted_text

PACKAGES = (
    "ray", "torch", "numpy", "pyarrow", "pillow", "glymur", "pillow-heif", "constriction",
)  # fmt: skip

COMMIT = "AEBENCH_COMMIT"
"""Environment variable that names the commit of a copy of aebench which a job took along."""


def provenance() -> dict[str, object]:
    """Describe this process: command without secrets, folder, versions, commit of its checkout, machine."""
    return {
        "command": [Path(sys.argv[0]).name, *map(redacted_text, sys.argv[1:])],
        "folder": str(Path.cwd()),
        "versions": {
            "python": platform.python_version(),
            "aebench": aebench.__version__,
            **{name: _version(name) for name in PACKAGES},
        },
        "commit": commit(),
        "hardware": {
            "node": platform.node(),
            "system": platform.platform(),
            "cpu": cpu_model(),
            "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """Return the commit of the checkout that aebench runs from, or was packed from, marked where files differ."""
    if packed := os.environ.get(COMMIT):
        return packed
    command = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def cpu_model() -> str:
    """Name the model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
