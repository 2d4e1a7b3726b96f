"""The Ray that takes a job: the one that is named, the one that runs on this machine, or one started for the while."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import click
import requests
from ray.dashboard.modules.job.utils import redact_url_password
from ray.exceptions import RayError
from ray.job_submission import JobSubmissionClient

from aebench.cluster import has_token, running
from aebench.cluster.head import started_head
from aebench.errors import ClusterError

UNREACHABLE = (requests.RequestException, aiohttp.ClientError, RayError, ValueError, RuntimeError, OSError)
"""What the client raises where the dashboard does not answer, or answers that it cannot."""

ATTEMPTS = 30
"""So often, a second apart, something is tried that a head cannot do yet, or a connection that was lost."""

_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


@dataclass(frozen=True)
class Target:
    """A Ray that takes jobs.

    Attributes
    ----------
    client : JobSubmissionClient
    elsewhere : tuple of str
        Addresses of its nodes that are not this machine.
    borrowed : bool
        Whether it ends when this process does.
    """

    client: JobSubmissionClient
    elsewhere: tuple[str, ...]
    borrowed: bool

    @property
    def address(self) -> str:
        """The address of its dashboard, without a password that may stand in it."""
        return str(redact_url_password(self.client.get_address()))


@contextlib.contextmanager
def reached(address: str | None, start: bool) -> Iterator[Target]:
    """Find the Ray to submit to, or start one.

    Raises
    ------
    ClusterError
        If it does not answer, or there is none and `start` is false.
    """
    named = address or next(filter(None, map(os.environ.get, _ADDRESSES)), None) or running()
    if named not in ("", "local"):
        client = _client(named)
        yield Target(client, _nodes_elsewhere(client), borrowed=False)
        return
    if not start:
        raise ClusterError(
            "there is no Ray that would go on with the job: "
            "start one with 'ray start --head', or name one with --address"
        )
    click.echo("starting a Ray head on this machine")
    with started_head() as started:
        yield Target(_client(started, ATTEMPTS), (), borrowed=True)


def sentence(error: BaseException) -> str:
    """Return what an error of the client says, in a line, without a password that may stand in an address."""
    said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__).strip()
    return str(redact_url_password(said))


def _client(address: str, attempts: int = 1) -> JobSubmissionClient:
    """Connect to a dashboard, with this user's token if there is one."""
    if "RAY_AUTH_MODE" not in os.environ and has_token():
        from ray._raylet import Config  # type: ignore[attr-defined]

        os.environ["RAY_AUTH_MODE"] = "token"
        Config.initialize("")  # Ray has read its environment when it was imported
    for name in ("dashboard.modules.job.sdk", "dashboard.modules.dashboard_sdk", "_private.runtime_env.packaging"):
        logging.getLogger(f"ray.{name}").setLevel(logging.ERROR)
    for attempt in range(1, attempts + 1):
        try:
            with _environment_without_addresses():
                return JobSubmissionClient(address)
        except UNREACHABLE as error:
            if attempt == attempts:
                named = redact_url_password(address)
                raise ClusterError(f"cannot reach the Ray dashboard at {named}: {sentence(error)}") from error
        time.sleep(1)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def _environment_without_addresses() -> Iterator[None]:
    """Hide the variables that Ray would obey before an argument."""
    kept = {name: os.environ.pop(name) for name in _ADDRESSES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _nodes_elsewhere(client: JobSubmissionClient) -> tuple[str, ...]:
    from ray.util.state import list_nodes

    try:
        with _environment_without_addresses():
            nodes = list_nodes(client.get_address(), limit=10_000)
    except UNREACHABLE as error:
        raise ClusterError(f"the Ray at {client.get_address()} does not tell its nodes: {sentence(error)}") from error
    alive = {str(node.node_ip) for node in nodes if node.state == "ALIVE"}
    return tuple(sorted(address for address in alive if not _is_here(address)))


def _is_here(address: str) -> bool:
    """Say whether an address is one of this machine: only those can be bound."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
