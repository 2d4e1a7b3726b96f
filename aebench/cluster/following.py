"""Following a submitted job: its log, its end, and what Ctrl-C means."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
import time

import click
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from aebench.cluster.target import ATTEMPTS, UNREACHABLE, Target, sentence
from aebench.errors import ClusterError

EXIT_INTERRUPTED = 130


def watch(job_id: str, target: Target) -> int:
    """Print a job's log as it grows; return the job's exit code, or what an interruption came to."""
    log = JobLog(target.client, job_id)
    while True:
        try:
            return exit_code(job_id, log.follow(), target)
        except KeyboardInterrupt:
            if not _goes_on(job_id, target):
                return EXIT_INTERRUPTED


class JobLog:
    """A job's log, printed once, however often the connection is lost and followed anew."""

    def __init__(self, client: JobSubmissionClient, job_id: str) -> None:
        self._client, self._job_id = client, job_id
        self._printed = 0

    def follow(self) -> JobDetails:
        """Print what comes until the job is over.

        Raises
        ------
        ClusterError
            If the dashboard answers no more.
        """
        lost = 0
        while True:
            printed = self._printed
            try:
                asyncio.run(self._tail())
                details = self._client.get_job_info(self._job_id)
                if details.status.is_terminal():
                    return details
            except UNREACHABLE as error:
                lost = lost + 1 if self._printed == printed else 1
                if lost == ATTEMPTS:
                    address = self._client.get_address()
                    raise ClusterError(f"lost job {self._job_id} on {address}: {sentence(error)}") from error
            time.sleep(1)

    async def _tail(self) -> None:
        position = 0
        async for text in self._client.tail_job_logs(self._job_id):
            new = text[max(0, self._printed - position) :]  # it always comes from the beginning
            position += len(text)
            self._printed = max(self._printed, position)
            click.echo(new, nl=False)


def exit_code(job_id: str, details: JobDetails, target: Target) -> int:
    """Return the exit code of a job that is over, and say what its log does not.

    Raises
    ------
    ClusterError
        If the job was never started.
    """
    if details.status == JobStatus.SUCCEEDED:
        return 0
    if details.status == JobStatus.STOPPED:
        click.echo(f"job {job_id} was stopped; what was measured is kept, and running again goes on", err=True)
        return EXIT_INTERRUPTED
    code = details.driver_exit_code
    said = details.message or ""
    if code is None:
        raise ClusterError(f"job {job_id} was not started by the Ray at {target.address}: {said.strip()[-2000:]}")
    if code not in (2, 3):  # of these the log has a sentence
        hint = ": the cluster lacks a package, which --install takes along" if "No module named" in said else ""
        click.echo(f"job {job_id} failed with exit code {code}{hint}; its log is above", err=True)
    return code if code >= 0 else 128 - code


def how_to_go_on(job_id: str, target: Target) -> str:
    """Say which commands follow and stop a job."""
    token = "RAY_AUTH_MODE=token " if os.environ.get("RAY_AUTH_MODE") == "token" else ""
    at = f"--address {shlex.quote(target.address)} {job_id}"
    return f"follow it:  {token}ray job logs --follow {at}\nstop it:    {token}ray job stop {at}"


def _goes_on(job_id: str, target: Target) -> bool:
    """Ask whether to follow a job further after Ctrl-C; stop it, or leave it running, if not."""
    choices = {"s": "stop it", "l": "leave it running", "f": "follow it further"}
    if target.borrowed:  # its Ray ends with us
        del choices["l"]
    answer = "s" if target.borrowed else "l"
    if sys.stdin.isatty() and sys.stderr.isatty():
        asked = ", ".join(f"[{key}] {choice}" for key, choice in choices.items())
        with contextlib.suppress(click.Abort):  # Ctrl-C again: as where nobody can be asked
            answer = click.prompt(
                f"\njob {job_id}: {asked}", type=click.Choice(list(choices)), show_choices=False, err=True
            )
    if answer == "s":
        click.echo(f"stopping job {job_id}; what was measured is kept, and running again goes on", err=True)
        with contextlib.suppress(*UNREACHABLE):  # it has ended, or its Ray has
            target.client.stop_job(job_id)
            _await_end(job_id, target)
    elif answer == "l":
        click.echo(f"job {job_id} goes on\n{how_to_go_on(job_id, target)}", err=True)
    return answer == "f"


def _await_end(job_id: str, target: Target) -> None:
    for _ in range(ATTEMPTS):
        if target.client.get_job_status(job_id).is_terminal():
            return
        time.sleep(0.5)
