"""A Ray head of our own on this machine, with the dashboard that takes jobs, for as long as a job needs it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aebench.cluster import ATTEMPTS, LOCAL_OBJECT_STORE, has_token
from aebench.errors import ClusterError

_RAY = (sys.executable, "-m", "ray.scripts.scripts")

PATIENCE = 180.0
"""Seconds after which a head that does not answer is given up; on a busy machine it has taken 40."""

_PORTS = (20_000, 32_768)

_STARTED = b"Ray runtime started"

GRACE = 5.0
"""Seconds that a head has to end in an orderly way. Nothing of value is left in it then."""


@contextlib.contextmanager
def started_head() -> Iterator[str]:
    """Start a head on ports of its own, and in a folder of its own, where no other Ray finds it; stop it afterwards.

    Yields
    ------
    str
        The address of its dashboard, on the loopback interface.

    Raises
    ------
    ClusterError
        If it does not start, or has ended by itself when what it was started for fails.
    """
    environment = {"RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0", **os.environ}
    environment.pop("RAY_ADDRESS", None)
    if environment["RAY_AUTH_MODE"] == "token" and not has_token():
        # it prints the token
        subprocess.run([*_RAY, "get-auth-token", "--generate"], env=environment, capture_output=True, check=False)
    given_up = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as stack:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                address = stack.enter_context(_head(environment, given_up))
                break
            except ClusterError:
                if attempt == ATTEMPTS or time.monotonic() > given_up:
                    raise
        yield address


@contextlib.contextmanager
def _head(environment: dict[str, str], given_up: float) -> Iterator[str]:
    dashboard, client = _free_ports(2)
    with tempfile.TemporaryDirectory(prefix="aebench-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "head.log"
        command = [
            *_RAY, "start", "--head", "--block", "--disable-usage-stats", "--port", "0", "--temp-dir", folder,
            "--object-store-memory", str(LOCAL_OBJECT_STORE), "--dashboard-host", "127.0.0.1",
            "--dashboard-port", str(dashboard), "--dashboard-agent-listen-port", "0",
            "--ray-client-server-port", str(client),
        ]  # fmt: skip
        with log.open("wb") as file:
            # in a session of its own, it does not hear the Ctrl-C that is meant for us
            head = subprocess.Popen(
                command, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            with _ended_by_signals():
                _await(head, dashboard, log, given_up)
                try:
                    yield f"http://127.0.0.1:{dashboard}"
                except ClusterError as error:
                    if head.poll() is None:
                        raise
                    raise ClusterError(
                        f"{error}; the Ray head on this machine has ended: {_last_words(log)}"
                    ) from error
        finally:
            _stop(head)


def _stop(head: subprocess.Popen[bytes]) -> None:
    """End a head; not with `ray stop`, which would end every Ray on this machine."""
    head.terminate()
    try:
        head.wait(GRACE)
    except subprocess.TimeoutExpired:  # it waits half a minute for a raylet that has run a job
        os.killpg(head.pid, signal.SIGKILL)  # workers end when their raylet has
        head.wait()


def _await(head: subprocess.Popen[bytes], port: int, log: Path, given_up: float) -> None:
    """Wait until the whole head is there: the dashboard takes jobs before there is a node that runs them."""
    while _STARTED not in log.read_bytes() or not _answers(port):
        if head.poll() is not None or time.monotonic() > given_up:
            raise ClusterError(f"cannot start a Ray head on this machine: {_last_words(log)}")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _last_words(log: Path) -> str:
    said = log.read_text(errors="replace").strip().splitlines()
    return said[-1] if said else "it said nothing"


def _free_ports(number: int) -> list[int]:
    """Choose ports that are free, below those which systems hand out by themselves: between now and the head's start
    one of these could have been given to anybody."""
    free: set[int] = set()
    while len(free) < number:
        port = random.randrange(*_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            free.add(port)
    return list(free)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Leave by way of every `finally` when this process is told to end, so that the head does not outlive it."""

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    earlier = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
