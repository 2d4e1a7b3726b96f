"""Child processes that misbehave in every way."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aebench.containment import ChildDeathError, ChildProcess, Limits
from aebench.containment.forkserver import Announce
from aebench.containment.limits import resident
from aebench.errors import ContainmentError

HELD: list[bytearray] = []
MEGABYTE = 10**6


def server(call: tuple[str, Any], announce: Announce) -> Iterator[Any]:
    """Do what a test asks for."""
    verb, value = call
    announce("thinking", f"what {verb} puts at stake")
    match verb:
        case "echo":
            yield value
        case "pid":
            yield os.getpid()
        case "die":
            yield "half"
            announce("dying")
            ctypes.string_at(0)
        case "signal":
            os.kill(os.getpid(), value)
        case "exit":
            os._exit(value)
        case "raise":
            raise ZeroDivisionError(value)
        case "sleep":
            ctypes.PyDLL(None).sleep(value)  # holds the interpreter's lock, as a hanging extension may
        case "stages":
            for number in range(4):
                announce(f"stage {number}")
                time.sleep(value)
            yield from range(4)
        case "start":
            yield [subprocess.Popen(["sleep", "1000"], start_new_session=own).pid for own in (False, True)]
            time.sleep(value)
        case "leak":
            HELD.append(bytearray(os.urandom(MEGABYTE)) * (value // MEGABYTE))
            yield len(HELD)
            announce("resting")
            time.sleep(1)
        case "print":
            os.write(1, b"\x00\x01 noise " * value)
            os.write(2, b"\x00\x01 noise " * value)
            yield "quiet"
        case "threads":
            yield threading.active_count()


@pytest.fixture(scope="module")
def child() -> Iterator[ChildProcess]:
    process = ChildProcess(pickle.dumps(server), Limits(seconds=120, memory=400 * MEGABYTE))
    yield process
    process.close()


def limited(limits: Limits) -> ChildProcess:
    return ChildProcess(pickle.dumps(server), limits)


def gone(pid: int) -> bool:
    """Wait until a process is gone, or nothing but an entry that its parent has not read."""
    for _ in range(600):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_results_come_back_and_the_child_stays(child: ChildProcess) -> None:
    for value in (1, "a", b"x" * 10**7, {"a": None}):
        assert list(child.run(("echo", value))) == [value]
    pids = {pid for _ in range(3) for pid in child.run(("pid", None))}
    assert len(pids) == 1
    assert pids != {os.getpid()}


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (("signal", signal.SIGSEGV), "crashed with SIGSEGV while thinking"),
        (("signal", signal.SIGABRT), "crashed with SIGABRT while thinking"),
        (("signal", signal.SIGKILL), "was killed with SIGKILL, perhaps .* while thinking"),
        (("signal", signal.SIGRTMIN + 3), "crashed with signal 37 while thinking"),
        (("exit", 0), "ended with exit code 0 while thinking"),
        (("exit", 7), "ended with exit code 7 while thinking"),
        (("raise", "x"), "ended with exit code 1 while thinking"),
    ],
)
def test_a_death_is_told_and_the_next_call_is_answered(child: ChildProcess, call: Any, cause: str) -> None:
    with pytest.raises(ChildDeathError, match=f"^{cause}$") as caught:
        list(child.run(call))
    assert caught.value.at_stake == f"what {call[0]} puts at stake"
    assert list(child.run(("echo", 1))) == [1]


def test_results_before_a_death_count(child: ChildProcess) -> None:
    answers = child.run(("die", None))
    assert next(answers) == "half"
    with pytest.raises(ChildDeathError, match=r"^crashed with SIGSEGV while dying$") as caught:
        next(answers)
    assert caught.value.at_stake == "what die puts at stake"


def test_a_call_that_is_given_up_half_way_disturbs_no_other(child: ChildProcess) -> None:
    assert next(child.run(("die", None))) == "half"
    assert list(child.run(("echo", 2))) == [2]


def test_the_time_limit_ends_a_hang() -> None:
    child = limited(Limits(seconds=1))
    assert list(child.run(("echo", 1))) == [1]
    with pytest.raises(ChildDeathError, match=r"^exceeded the time limit of 1 s \(time_limit\) while thinking$"):
        list(child.run(("sleep", 1000)))
    assert list(child.run(("echo", 1))) == [1]
    child.close()


def test_the_memory_limit_ends_a_leak(child: ChildProcess) -> None:
    (before,) = child.run(("pid", None))
    with pytest.raises(
        ChildDeathError, match=r"^exceeded the memory limit of 0\.4 GB \(memory_limit\) while (thinking|resting)$"
    ):
        list(child.run(("leak", 500 * MEGABYTE)))
    assert gone(before)
    assert list(child.run(("echo", 1))) == [1]


def test_a_leak_of_one_call_is_not_charged_to_another(child: ChildProcess) -> None:
    assert [list(child.run(("leak", 200 * MEGABYTE))) for _ in range(3)] == [[1]] * 3


def test_memory_of_what_a_child_starts_counts() -> None:
    code = "held = bytearray(150_000_000); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        assert resident(process.pid) > 150 * MEGABYTE
        process.communicate(b"\n")
    assert resident(process.pid) == 0


def test_what_a_child_has_started_dies_with_it() -> None:
    child = limited(Limits(seconds=1))
    for seconds in (1000, 0):
        answers = child.run(("start", seconds))
        started = next(answers)
        if seconds:
            with pytest.raises(ChildDeathError, match="time limit"):
                next(answers)
        else:
            assert list(answers) == []
            child.close()
        assert all(gone(pid) for pid in started)


def test_stray_output_does_not_break_the_protocol(child: ChildProcess, capfd: pytest.CaptureFixture[str]) -> None:
    assert list(child.run(("print", 100_000))) == ["quiet"]
    assert list(child.run(("echo", 1))) == [1]


def test_a_replacement_imports_nothing_again(child: ChildProcess) -> None:
    assert list(child.run(("threads", None))) == [1]
    (first,) = child.run(("pid", None))
    parents = set()
    for _ in range(3):
        (pid,) = child.run(("pid", None))
        parents.add(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        with pytest.raises(ChildDeathError):
            list(child.run(("exit", 1)))
    assert len(parents) == 1
    assert parents != {str(os.getpid())}
    assert gone(first)


def other_server(call: Any, announce: Announce) -> Iterator[Any]:
    """Answer otherwise."""
    yield "other", call, os.getppid()


def test_another_server_answers_from_the_same_fork_server(child: ChildProcess) -> None:
    (pid,) = child.run(("pid", None))
    fork_server = child._fork_server
    assert fork_server is not None
    child.load(pickle.dumps(other_server), Limits(seconds=120, memory=400 * MEGABYTE))
    assert gone(pid)
    assert list(child.run(1)) == [("other", 1, fork_server.pid)]
    child.load(pickle.dumps(server), Limits(seconds=120, memory=400 * MEGABYTE))
    assert list(child.run(("echo", 1))) == [1]


def test_a_server_that_cannot_take_anothers_place_is_told(child: ChildProcess) -> None:
    limits = Limits(seconds=120, memory=400 * MEGABYTE)
    with pytest.raises(ContainmentError, match="No module named"):
        child.load(pickle.dumps(server).replace(b"test_process", b"test_nothing"), limits)
    child.load(pickle.dumps(server), limits)
    assert list(child.run(("echo", 1))) == [1]


def test_the_time_limit_is_that_of_one_stage() -> None:
    child = limited(Limits(seconds=1))
    assert list(child.run(("stages", 0.4))) == list(range(4))
    child.close()


def test_closing_leaves_no_process(child: ChildProcess) -> None:
    (pid,) = child.run(("pid", None))
    child.close()
    assert gone(pid)
    child.close()
    assert list(child.run(("echo", 1))) == [1]


@pytest.mark.parametrize("call", [("echo", 1), ("sleep", 1000)])
def test_nothing_outlives_a_killed_parent(call: Any) -> None:
    code = (
        "import pickle, sys; from tests.containment.test_process import *\n"
        "child = ChildProcess(pickle.dumps(server), Limits())\n"
        "(pid,) = child.run(('pid', None)); print(pid, child._fork_server.pid, flush=True)\n"
        f"list(child.run({call!r})); print('idle', flush=True); time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        time.sleep(0.5)
        process.kill()
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_a_killed_fork_server_takes_its_child_along_and_is_replaced(child: ChildProcess) -> None:
    (pid,) = child.run(("pid", None))
    assert child._fork_server is not None
    child._fork_server.kill()
    assert gone(pid)
    with pytest.raises(ChildDeathError, match="was killed while starting"):
        list(child.run(("echo", 1)))
    assert list(child.run(("echo", 1))) == [1]


def test_a_server_that_cannot_be_loaded_is_told() -> None:
    broken = pickle.dumps(server).replace(b"test_process", b"test_nothing")
    with pytest.raises(ContainmentError, match="No module named"):
        list(ChildProcess(broken, Limits()).run(("echo", 1)))
