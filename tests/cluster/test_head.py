"""A head that does not come up is started again; one that ends is not asked in vain."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from aebench.cluster import ATTEMPTS, head
from aebench.errors import ClusterError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[dict[str, str]]]:
    """Let so many heads not start; return the environments of all that were tried."""

    def fail(times: int) -> list[dict[str, str]]:
        tried: list[dict[str, str]] = []

        @contextlib.contextmanager
        def start(environment: dict[str, str], given_up: float) -> Iterator[str]:
            tried.append(environment)
            if len(tried) <= times:
                raise ClusterError("its agents were slow")
            yield "http://127.0.0.1:1"

        monkeypatch.setattr(head, "_head", start)
        return tried

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    return fail


def test_a_head_that_does_not_come_up_is_started_again(failing: Callable[[int], list[dict[str, str]]]) -> None:
    tried = failing(ATTEMPTS - 1)
    with head.started_head() as address:
        assert address == "http://127.0.0.1:1"
    assert len(tried) == ATTEMPTS


def test_but_not_for_ever(failing: Callable[[int], list[dict[str, str]]]) -> None:
    tried = failing(ATTEMPTS)
    with pytest.raises(ClusterError, match="its agents were slow"), head.started_head():
        pytest.fail("no head has started")
    assert len(tried) == ATTEMPTS


def test_what_fails_with_a_head_that_runs_is_not_tried_again(failing: Callable[[int], list[dict[str, str]]]) -> None:
    tried = failing(0)
    with pytest.raises(ClusterError, match="the job"), head.started_head():
        raise ClusterError("the job is not valid")
    assert len(tried) == 1


def test_the_last_words_of_a_head_that_ended_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    started = (
        "import sys, time; print('Ray runtime started.', flush=True); time.sleep({}); sys.exit('a raylet is gone')"
    )
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setattr(head, "_answers", lambda port: True)
    monkeypatch.setattr(head, "_RAY", (sys.executable, "-c", started.format(1)))
    said = "lost job 7; the Ray head on this machine has ended: a raylet is gone"
    with pytest.raises(ClusterError, match=said), head.started_head() as address:
        assert address.startswith("http://127.0.0.1:")
        time.sleep(3)
        raise ClusterError("lost job 7")
    monkeypatch.setattr(head, "_RAY", (sys.executable, "-c", "raise SystemExit('no ports')"))
    with pytest.raises(ClusterError, match="cannot start a Ray head on this machine: no ports"), head.started_head():
        pytest.fail("no head has started")


def test_ports_are_free_and_none_that_a_system_hands_out() -> None:
    ports = head._free_ports(20)
    assert len(set(ports)) == 20
    assert all(20_000 <= port < 32_768 for port in ports)
