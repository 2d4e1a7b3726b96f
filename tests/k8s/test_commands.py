"""Every command in k8s/ against the program that it starts."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from aebench.cli import cli
from aebench.job import read_job
from tests.k8s.manifests import APPLIED, K8S, ROOT, manifests, name_of, ray_cluster
from tests.k8s.test_kustomize import operations
from tests.test_cli import aebench

README = (K8S / "README.md").read_text()
DOCKERFILE = (K8S / "Dockerfile").read_text()
IN_IMAGE = Path("/opt/aebench")


def entrypoints() -> list[str]:
    """Collect the commands of all RayJobs, those in manifests and those that patches put there."""
    found = [document["spec"]["entrypoint"] for _, document in manifests() if document["kind"] == "RayJob"]
    for folder in APPLIED:
        found += [
            operation["value"]
            for _, patch in operations(folder)
            for operation in patch
            if operation["path"] == "/spec/entrypoint"
        ]
    return found


ENTRYPOINTS = [shlex.split(entrypoint) for entrypoint in entrypoints()]


def here(argument: str) -> str:
    """Translate a path in the image to the checkout that it was copied from."""
    path = Path(argument)
    return str(ROOT / path.relative_to(IN_IMAGE)) if path.is_relative_to(IN_IMAGE) else argument


def options(arguments: list[str], name: str) -> list[str]:
    """Return the values of an option that is written with a blank."""
    return [value for key, value in itertools.pairwise(arguments) if key == name]


def test_the_image_has_the_job_files() -> None:
    assert f"WORKDIR {IN_IMAGE}" in DOCKERFILE
    assert "COPY jobs jobs" in DOCKERFILE
    assert len(ENTRYPOINTS) == 3


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS, ids=" ".join)
def test_an_entry_point_names_a_sound_job_and_an_output_that_stays(entrypoint: list[str]) -> None:
    program, command, job, *rest = entrypoint
    assert (program, command) == ("aebench", "run")
    assert read_job(here(job), options(rest, "--set")).train
    (output,) = options(rest, "--output")
    assert output.startswith(("/storage/results/", "s3://my-bucket/runs/"))


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS, ids=" ".join)
def test_an_entry_point_runs_dry(entrypoint: list[str], tmp_path: Path, kodak: list[Path]) -> None:
    arguments = [here(argument) for argument in entrypoint[1:]]
    arguments[arguments.index("--output") + 1] = str(tmp_path / "run")
    for position, argument in enumerate(arguments):
        if "s3://" in argument:  # no bucket here: the photographs of the wheels stand for it
            stand_in = "samples[:5]" if argument.startswith("train") else "samples[5:]"
            arguments[position] = f"{argument.partition('=')[0]}={stand_in}"
    said = aebench(*arguments, "--dry-run", cwd=tmp_path)
    assert "would train paper" in said
    assert f"would leave results in {tmp_path / 'run'}" in said
    assert not (tmp_path / "run").exists()


def test_ray_takes_the_start_parameters() -> None:
    known = subprocess.run(
        [sys.executable, "-m", "ray.scripts.scripts", "start", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for _, document in manifests():
        cluster = ray_cluster(document)
        for group in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]] if cluster else []:
            for name, value in group["rayStartParams"].items():
                assert re.search(rf"--{name}\b", known)
                assert isinstance(value, str)


def test_the_readme_names_what_there_is() -> None:
    applied = set(re.findall(r"kubectl \w+ -k ([\w/-]+)|^\| `(k8s/[\w/-]+)`", README, re.MULTILINE))
    assert {first or second for first, second in applied} == {f"k8s/{name_of(folder)}" for folder in APPLIED}
    for path in re.findall(r"`((?:k8s|jobs|benchmarks|aebench)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path
    for build in re.findall(r"docker build .*", DOCKERFILE):
        assert build in README
    (report,) = re.findall(r"-- aebench (\w+) /storage/results/quickstart$", README, re.MULTILINE)
    assert report in cli.commands
