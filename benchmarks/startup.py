"""From a command to its first row, stage by stage, and what the other commands take: python -m benchmarks.startup

Every command runs in a process of its own, with Python's files in the page cache. Beside its times stands which of the
large packages it imports: torch only where there is a network.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import wall
from benchmarks.showing import console, images, show_machine, show_table, spread

LARGE = ("numpy", "pyarrow", "matplotlib", "scipy", "pandas", "ray", "torch")
REPEATS = 5
ROOT = Path(__file__).resolve().parent.parent

_COMMAND = """
import atexit, json, sys, time
def say(): print("IMPORTED", json.dumps([name for name in {large} if name in sys.modules]), time.process_time())
atexit.register(say)
from aebench.cli import main
sys.argv = ["aebench", *{arguments}]
main()
"""


def main(published: str = "results/kodak", repeats: int = REPEATS) -> None:
    show_machine()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "kodak"
        shutil.copytree(ROOT / published, run, ignore=shutil.ignore_patterns("figures"))  # a report writes its page
        commands = {
            "--help": ["--help"],
            "evaluate --help": ["evaluate", "--help"],
            "codecs": ["codecs"],
            f"report {published}": ["report", str(run)],
            f"status {published}": ["status", str(run)],
        }
        rows = [[label, *_command(arguments, repeats)] for label, arguments in commands.items()]
    show_table(
        "aebench …, warm; medians, smallest and largest", ["command", "wall, s", "CPU, s", "imports of the large"], rows
    )
    spec = images("kodak[:1]")[0].uri
    found = [_first_row(spec) for _ in range(max(1, repeats // 2))]
    show_table(
        "aebench evaluate --images IMAGE --codecs jpeg, from the command to its end",
        ["stage", "wall, s"],
        [[stage, spread([one[stage] for one in found])] for stage in found[0]],
    )


def _command(arguments: Sequence[str], repeats: int) -> list[str]:
    """Run a command; return its wall and CPU time, and what it imports."""
    code = _COMMAND.format(large=LARGE, arguments=list(arguments))
    walls, cpus = [], []
    said = ""
    for _ in range(repeats + 1):
        start = wall()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        walls.append(wall() - start)
        if done.returncode:
            raise SystemExit(done.stderr)
        said, _, cpu = done.stdout.rpartition("IMPORTED ")[2].strip().rpartition(" ")
        cpus.append(float(cpu))
    return [spread(walls[1:]), spread(cpus[1:]), ", ".join(json.loads(said)) or "none"]


def _first_row(image: str) -> dict[str, float]:
    """Run an evaluation; return its stages and the seconds that each takes."""
    done = subprocess.run(
        [sys.executable, "-c", f"from benchmarks.startup import stages; stages({time.time()}, {image!r})"],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    stages: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return stages


def stages(began: float, image: str) -> None:
    """Do what ``aebench evaluate`` does, and print as JSON the seconds of its stages; `began` is a Unix time."""
    taken: dict[str, float] = {}
    marks = [began]

    def mark(stage: str) -> None:
        marks.append(time.time())
        taken[stage] = marks[-1] - marks[-2]

    import aebench.cli  # noqa: F401

    mark("Python, command line")
    from aebench.images import resolve
    from aebench.job import command_job
    from aebench.measure import Row
    from aebench.provenance import provenance
    from aebench.results import RunFolder

    command_job("evaluate", (), evaluate={"images": image, "codecs": ["jpeg"]})
    chosen = resolve(image)
    provenance()
    mark("job, images, versions")
    from benchmarks.measuring import parse, ray

    mark("importing Ray")
    with tempfile.TemporaryDirectory() as folder, ray() as cluster:
        mark("starting Ray")
        from aebench.evaluate import evaluate, plan

        run = RunFolder(Path(folder) / "run")
        work = plan(chosen, parse("jpeg"), run)
        mark("planning")

        def first(rows: list[Row]) -> None:
            if "first row" not in taken:
                mark("first row")

        evaluate(work, run, cluster, first)
        mark("the other rows, compaction")
    mark("stopping Ray")
    console.print(json.dumps({**taken, "in all": marks[-1] - began}), soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()
