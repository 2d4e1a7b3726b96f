"""The process that asks: it sends calls to a child, watches it, and replaces it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import Any

from aebench.containment.cell import STARTING, Cell
from aebench.containment.forkserver import FORK, LOAD, REAP, Sent
from aebench.containment.limits import Limits, resident
from aebench.errors import ContainmentError

_SECONDS_TO_LOOK = 0.05
"""How often memory and time are looked at."""

_SECONDS_TO_START = 300.0
"""What a fork server may take for its imports, and a child until it announces its first stage."""


class ChildDeathError(Exception):
    """A child died, or was killed, before its call was answered.

    Attributes
    ----------
    cause : str
        ``crashed with SIGSEGV while decoding``.
    at_stake : object
        What was last announced to be at stake; None if nothing was.
    """

    def __init__(self, cause: str, at_stake: Any) -> None:
        super().__init__(cause)
        self.cause, self.at_stake = cause, at_stake


class ChildProcess:
    """A child process that answers calls, and is replaced when it dies.

    Parameters
    ----------
    server : bytes
        A pickled `aebench.containment.forkserver.Server`, which is loaded once. What it is made of is imported as in
        this process.
    limits : Limits
    """

    def __init__(self, server: bytes, limits: Limits) -> None:
        self._server, self._limits = server, limits
        self._commands: Connection | None = None
        self._fork_server: subprocess.Popen[bytes] | None = None
        self._cell = Cell()
        self._channel: Connection | None = None
        self._pid = 0
        self._looked = 0.0

    def run(self, call: Any) -> Iterator[Any]:
        """Yield the results of a call as they are made.

        Raises
        ------
        ChildDeathError
            The next call goes to a new child.
        ContainmentError
            If no child can be started.
        """
        channel = self._channel or self._start()
        self._channel = None  # a child whose call is given up half-way is not called again
        self._cell.clear()
        try:
            channel.send(call)
            while True:
                kind, value = self._receive(channel)
                if kind == Sent.END:
                    break
                yield value
        except _LimitError as limit:
            self._reap()
            raise self._death(str(limit)) from None
        except (EOFError, OSError):
            raise self._death(_cause(self._reap())) from None
        if resident(self._pid) < self._limits.memory / 2:  # else what one call has leaked would be charged to another
            self._channel = channel

    def load(self, server: bytes, limits: Limits) -> None:
        """Answer with another server from now on; what both are made of is imported once.

        Raises
        ------
        ContainmentError
            If it cannot be loaded.
        """
        self._server, self._limits = server, limits
        self.stop()
        if self._commands is not None:
            self._load(self._commands)

    def start(self) -> None:
        """Start a child, if none waits for a call.

        Raises
        ------
        ContainmentError
            If none can be started.
        """
        self._channel = self._channel or self._start()

    def stop(self) -> None:
        """End the child; the next call, or `start`, starts another."""
        self._channel = None
        self._reap()

    def close(self) -> None:
        """End the child and the fork server."""
        if self._commands is not None:
            self._commands.close()
        if self._fork_server is not None:
            self._fork_server.wait()
        self._commands = self._fork_server = self._channel = None
        self._pid = 0

    def _start(self) -> Connection:
        """Start a child in place of the last, and the fork server if there is none."""
        self._reap()
        if self._commands is None:
            self._commands = self._start_fork_server()
        ours, theirs = socket.socketpair()
        try:
            self._commands.send_bytes(FORK)
            send_handle(self._commands, theirs.fileno(), None)
            self._pid = self._commands.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise ContainmentError(f"no child process can be started to measure in: {error!r}") from error
        finally:
            theirs.close()
        return Connection(ours.detach())

    def _start_fork_server(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            self._fork_server = subprocess.Popen(
                [sys.executable, "-P", "-c", "from aebench.containment.forkserver import main; main()",
                 str(theirs.fileno()), str(self._cell.descriptor)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
                stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno(), self._cell.descriptor], start_new_session=True,
            )  # fmt: skip
        commands = Connection(ours.detach())
        self._load(commands)
        return commands

    def _load(self, commands: Connection) -> None:
        """Let the fork server load `_server`."""
        try:
            commands.send_bytes(LOAD)
            commands.send_bytes(self._server)
            problem = commands.recv() if commands.poll(_SECONDS_TO_START) else "it takes too long"
        except (EOFError, OSError) as error:
            problem = repr(error)
        if problem is not None:
            assert self._fork_server is not None
            self._fork_server.kill()
            commands.close()
            self.close()
            raise ContainmentError(f"the process to measure in does not start: {problem}")

    def _reap(self) -> int | None:
        """Kill the child, if it still runs; return its wait status, None where nobody knows it any more."""
        if not self._pid or self._commands is None:
            return None
        try:
            self._commands.send_bytes(REAP)
            status = self._commands.recv()
        except (EOFError, OSError):  # the fork server is dead, and the child with it
            self.close()
            return None
        self._pid = 0
        return int(status)

    def _receive(self, channel: Connection) -> tuple[Sent, Any]:
        """Wait for a message; `_LimitError` beyond a limit, `EOFError` or `OSError` when the child is dead."""
        waiting = select.poll()  # as `Connection.poll` does, which makes one at every look
        waiting.register(channel, select.POLLIN)
        since = time.monotonic()
        while True:
            here = waiting.poll(1000 * _SECONDS_TO_LOOK)
            now = time.monotonic()
            if now >= self._looked + _SECONDS_TO_LOOK:
                self._looked = now
                if resident(self._pid) > self._limits.memory:
                    raise _LimitError(f"exceeded the memory limit of {self._limits.memory / 1e9:g} GB (memory_limit)")
            if here:
                return channel.recv()  # type: ignore[no-any-return]
            stage, began = self._cell.began()
            seconds = max(_SECONDS_TO_START, self._limits.seconds) if stage == STARTING else self._limits.seconds
            if now >= max(began, since) + seconds:
                raise _LimitError(f"exceeded the time limit of {seconds:g} s (time_limit)")

    def _death(self, cause: str) -> ChildDeathError:
        """Say of what a child died, and doing what."""
        stage = self._cell.read()
        return ChildDeathError(f"{cause} while {stage.name}", stage.at_stake)


class _LimitError(Exception):
    """A child exceeds a limit and must go."""


def _cause(status: int | None) -> str:
    """Say of what a child died."""
    if status is None:
        return "was killed"
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        return "was killed with SIGKILL, perhaps because the machine had no memory left,"
    return f"ended with exit code {code}" if code >= 0 else f"crashed with {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
