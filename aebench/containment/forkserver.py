"""The fork server and its children: what runs outside the process that asked for it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from enum import IntEnum
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import Any, NoReturn

from aebench.containment.cell import Cell
from aebench.containment.limits import children

Announce = Callable[[str, Any], None]
"""Says which stage begins, and what is at stake in it; None means what was at stake before."""

Server = Callable[[Any, Announce], Iterator[Any]]
"""Answers a call with results, announcing the stages that it enters."""


class Sent(IntEnum):
    """What a message from a child is."""

    RESULT, END = range(2)


LOAD, FORK, REAP = b"load", b"fork", b"reap"
"""What a fork server is told: to load the server that follows, to make a child, to kill and bury it."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main() -> NoReturn:
    """Load servers, and fork children that answer for the last, as told through a socket.

    The arguments are the descriptors of that socket, and of the cell in which a child says what it is doing.
    """
    commands, cell = Connection(int(sys.argv[1])), Cell(int(sys.argv[2]))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of the child become children of this process
    child = 0
    try:
        while True:
            told = commands.recv_bytes()
            if told == LOAD:
                server = _load(commands)
            elif told == FORK:
                child = _fork(server, commands, cell)
                commands.send(child)
            else:
                commands.send(_end(child))
                child = 0
    except (EOFError, OSError):  # nobody is there any more
        if child:
            _end(child)
        os._exit(0)


def _load(commands: Connection) -> Server:
    """Load a server, which comes from the process that made it and from no file, and say whether that worked."""
    data = commands.recv_bytes()
    try:
        server: Server = pickle.loads(data)
    except BaseException:
        commands.send(traceback.format_exc(limit=-1).strip())
        os._exit(1)
    commands.send(None)
    gc.collect()
    gc.freeze()  # or the first collection of every child would copy what it shares with this process
    return server


def _fork(server: Server, commands: Connection, cell: Cell) -> int:
    channel = Connection(recv_handle(commands))
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            commands.close()
            _isolate(parent)
            _serve(server, channel, cell)
        finally:
            os._exit(1)
    channel.close()
    with contextlib.suppress(OSError):  # the child does the same, whoever comes first
        os.setpgid(child, child)
    return child


def _end(child: int) -> int:
    """Kill a child, if it still runs, and all that it has started; return its wait status."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    while orphans := children(os.getpid()):  # those of other process groups; their own children come after them
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)
    return status


def _isolate(parent: int) -> None:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not cost a file of gigabytes
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # an end of file is noticed only between calls, and perhaps never
    if os.getppid() != parent:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _serve(server: Server, channel: Connection, cell: Cell) -> NoReturn:
    try:
        while True:
            call = channel.recv()
            cell.clear()
            for result in server(call, cell.announce):
                channel.send((Sent.RESULT, result))
            channel.send((Sent.END, None))
    except (EOFError, BrokenPipeError):
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
