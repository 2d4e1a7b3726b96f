"""What a process imports: nothing large before it is needed, and torch only where there is a network."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from aebench.cluster import Cluster
from aebench.codecs import Rgb, codecs
from aebench.codecs.jpeg import Jpeg
from aebench.evaluate import evaluate, plan
from aebench.images import ImageRef, resolve
from aebench.results import RunFolder

LARGE = ("numpy", "pyarrow", "matplotlib", "PIL", "ray", "torch")


@dataclass(frozen=True)
class Telltale(Jpeg):
    """JPEG whose version says whether its process has imported torch."""

    name = "telltale"

    def version(self) -> str:
        return f"torch is {'' if 'torch' in sys.modules else 'not '}there"


def imported(code: str) -> set[str]:
    """Run code in a process of its own; return which of the large packages it has imported."""
    tell = f"import json, sys; print(json.dumps([name for name in {LARGE} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{tell}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--help"], ["evaluate", "--help"], ["report", "--help"]])
def test_help_imports_nothing_large(arguments: list[str]) -> None:
    assert imported(f"from aebench.cli import cli; cli.main({arguments}, standalone_mode=False)") == set()


def test_a_report_needs_neither_ray_nor_torch_nor_matplotlib(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    from aebench.measure import Request, measure

    run.append_rows(list(measure(resolve("samples[6]"), codecs("jpeg"), Request())))
    code = f"from aebench.cli import cli; cli.main(['report', {str(run.path)!r}], standalone_mode=False)"
    assert imported(code) == {"numpy", "pyarrow", "PIL"}


def test_planning_a_run_without_a_network_imports_no_torch() -> None:
    code = (
        "import aebench.perform, aebench.cluster, aebench.evaluate, aebench.provenance as p\n"
        "from aebench.job import command_job\n"
        "job = command_job('evaluate', (), evaluate={'images': 'samples', 'codecs': ['jpeg,jpeg2000,bpg']})\n"
        "assert job.evaluate.settings() and p.provenance()"
    )
    assert "torch" not in imported(code)


@pytest.mark.slow
def test_no_process_of_a_run_without_a_network_imports_torch(tmp_path: Path, photograph: Rgb, cluster: Cluster) -> None:
    image: ImageRef = resolve("samples[6]")[0]
    run = RunFolder(tmp_path / "run")
    evaluate(plan([image], [Telltale(50)], run), run, cluster)
    assert run.rows()["codec_version"].to_pylist() == ["torch is not there"]
