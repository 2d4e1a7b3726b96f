"""What is done again and again, and no longer than it should be."""

from __future__ import annotations

import queue
import threading

import pytest

from aebench.repeating import repeating


def test_it_is_done_again_until_the_context_ends() -> None:
    done: queue.Queue[str] = queue.Queue()
    with repeating(lambda: done.put(threading.current_thread().name), 0.001, "again"):
        assert [done.get(timeout=60) for _ in range(3)] == ["again"] * 3
    assert "again" not in {thread.name for thread in threading.enumerate()}


def test_it_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), repeating(lambda: None, 0.001, "again"):
        raise ZeroDivisionError
    assert "again" not in {thread.name for thread in threading.enumerate()}
