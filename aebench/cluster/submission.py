"""Submitting a job file to a Ray.

The exit code is that of ``aebench run`` on the cluster: see `aebench.cli`.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from aebench.cluster.following import how_to_go_on, watch
from aebench.cluster.parcel import Parcel, in_place, packed
from aebench.cluster.target import ATTEMPTS, UNREACHABLE, Target, reached, sentence
from aebench.errors import ClusterError, JobError
from aebench.images.uris import has_secrets, is_uri, redacted
from aebench.job import Job, read_job


@dataclass(frozen=True)
class Order:
    """What is to be run, and how.

    Attributes
    ----------
    job_file : path
    overrides : tuple of str
        ``section.key=value``, as `aebench.job.read_job` takes them.
    output : str, optional
        Folder of the run, or its URI. A relative folder is in the current folder.
    fresh : bool
        First remove what the folder holds of an earlier run.
    install : bool
        Install what aebench depends on where the job runs.
    retry_errors : bool
        Measure anew what failed in an earlier run.
    """

    job_file: Path
    overrides: tuple[str, ...] = ()
    output: str | None = None
    fresh: bool = False
    install: bool = False
    retry_errors: bool = False

    def options(self, output: str) -> list[str]:
        """Return the options of ``aebench run``."""
        overrides = [text for override in self.overrides for text in ("--set", override)]
        flags = [("--fresh", self.fresh), ("--retry-errors", self.retry_errors)]
        return ["--output", output, *overrides, *(flag for flag, given in flags if given)]


def submit(order: Order, address: str | None = None, wait: bool = True) -> int:
    """Submit a job, follow its log to the end, and return its exit code.

    Parameters
    ----------
    order : Order
    address : str, optional
        Of a dashboard, or of a Ray on this machine; by default what ``RAY_ADDRESS`` says, else the Ray that
        ``ray start --head`` started on this machine, else one that is started for the while.
    wait : bool
        If false, return 0 as soon as the job is submitted.

    Raises
    ------
    JobError
        If the job is not valid, its output would not stay, or its options hold credentials.
    ClusterError
        If no Ray can be reached or started, or the job cannot be started on it.
    """
    job = read_job(order.job_file, order.overrides)
    if any(map(has_secrets, order.options(order.output or ""))):
        raise JobError(
            "the command line of a submitted job is stored and shown by Ray: leave credentials out of addresses, and "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the nodes are started"
        )
    for section in job.train:
        from aebench.models.weights import build

        build(section.model)  # an unknown network is found out here, not on the cluster
    with reached(address, start=wait) as target:
        output = destination(job, order.output, target)
        with tempfile.TemporaryDirectory() as folder:
            if target.elsewhere or order.install:
                parcel = packed(order.job_file, job, order.options(output), Path(folder), order.install)
            else:
                parcel = in_place(order.job_file, order.options(output))
            job_id = send(parcel, target)
        click.echo(f"job {job_id} on {target.address}, results to {redacted(output)}")
        if order.install:
            click.echo(
                "installing what aebench depends on: that takes minutes where it is not kept from an earlier job"
            )
        if not wait:
            click.echo(how_to_go_on(job_id, target))
            return 0
        return watch(job_id, target)


def destination(job: Job, output: str | None, target: Target) -> str:
    """Return the absolute folder of the run; refuse a relative one that other machines would take for another."""
    if output is not None and is_uri(output):
        return output
    folder = Path(output or f"results/{job.name}")
    if target.elsewhere and not folder.is_absolute():
        raise JobError(
            f"the output {folder} is relative to a folder of this machine, and the Ray at {target.address} has nodes "
            f"elsewhere ({', '.join(target.elsewhere[:3])}): give an absolute --output on storage that they all share"
        )
    return str(folder.absolute())


def send(parcel: Parcel, target: Target) -> str:
    """Submit a parcel; return the job's id."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return str(target.client.submit_job(entrypoint=parcel.entrypoint, runtime_env=parcel.runtime_env))
        except UNREACHABLE as error:
            # a head that has just started takes a few seconds until it can start jobs
            if "No available agent" not in str(error) or attempt == ATTEMPTS:
                raise ClusterError(f"the Ray at {target.address} does not take the job: {sentence(error)}") from error
        time.sleep(1)
    raise AssertionError("unreachable")
