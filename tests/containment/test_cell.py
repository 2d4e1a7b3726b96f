"""What a child says of itself, and what is read of it from another process."""

from __future__ import annotations

import os
import time

from aebench.containment.cell import STARTING, Cell


def test_another_process_reads_the_last_stage_and_what_was_at_stake() -> None:
    cell = Cell()
    before = time.monotonic()
    if (child := os.fork()) == 0:
        own = Cell(cell.descriptor)
        own.clear()
        own.announce("reading", [{"image": "ä.png"}] * 1000)
        own.announce("encoding", ["less"])
        own.announce("scoring")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    stage = cell.read()
    assert (stage.name, stage.at_stake) == ("scoring", ["less"])
    assert before <= stage.began <= time.monotonic()
    assert cell.began() == (stage.name, stage.began)


def test_a_cleared_cell_has_nothing_at_stake() -> None:
    cell = Cell()
    cell.announce("encoding", ["much"])
    cell.clear()
    assert cell.read()[::2] == (STARTING, None)


def test_a_stake_half_written_leaves_the_last_one_whole() -> None:
    cell = Cell()
    cell.announce("encoding", ["first"])
    header = os.pread(cell.descriptor, 4096, 0)
    cell.announce("decoding", ["second"])
    os.pwrite(cell.descriptor, header, 0)  # as if it had died before the header followed
    assert cell.read()[::2] == ("encoding", ["first"])


def test_a_cell_gives_its_memory_back() -> None:
    cell = Cell()
    descriptor = cell.descriptor
    del cell
    try:
        os.fstat(descriptor)
    except OSError:
        return
    raise AssertionError("the descriptor is open")
