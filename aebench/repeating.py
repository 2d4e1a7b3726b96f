"""Doing something again and again beside the rest of a process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def repeating(do: Callable[[], None], seconds: float, name: str) -> Iterator[None]:
    """Call a function every so many seconds from a thread of that name, which has ended when the context has."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            do()

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
