"""Going on with a training that lost a worker, on the nodes that are left.

Ray Train itself would start as many workers again as there were, and without the node that is gone wait for ever. So it
is told to fail, and started anew with workers planned for what the cluster has by then; it finds its last checkpoint.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from ray.exceptions import RayTaskError
from ray.train import ControllerError, TrainingFailedError
from ray.train.v2._internal.exceptions import (
    WorkerGroupStartupTimeoutError,
    WorkerHealthCheckFailedError,
    WorkerHealthCheckTimeoutError,
)

from aebench.cluster import describe
from aebench.cluster.watching import find_the_lost
from aebench.errors import ClusterError
from aebench.job import TrainSection
from aebench.results import RunFolder
from aebench.train.planning import Workers, plan_again

MOST_FAILURES = 3
"""A training that fails so often with no new epoch in between is given up: the fault is its own."""

WAIT_SECONDS = 600.0
"""How long a training with no node left waits for one to join."""

_SILENCE = (WorkerHealthCheckFailedError, WorkerHealthCheckTimeoutError)

T = TypeVar("T")


def recover(
    fit: Callable[[Workers], T], section: TrainSection, run: RunFolder, workers: Workers, say: Callable[[str], None]
) -> tuple[T, Workers]:
    """Call `fit` until it does not fail; return its result and the workers that it was called with last.

    Parameters
    ----------
    fit : callable
        Trains on from the last checkpoint.
    section : TrainSection
    run : RunFolder
    workers : Workers
        Those to begin with.
    say : callable
        Called with a sentence when the training is interrupted, and when it goes on.

    Raises
    ------
    ClusterError
        If it fails `MOST_FAILURES` times at the same epoch, or otherwise than by its workers, or if no node is left and
        none joins in `WAIT_SECONDS`.
    """
    failures, reached = 0, 0
    while True:
        try:
            return fit(workers), workers
        except Exception as error:
            epochs = len(run.epochs_of(section.model))
            if _found_no_room(error):
                say(f"training: found no room for {workers}")
            else:
                failures, reached = 1 if epochs > reached else failures + 1, epochs
                if failures == MOST_FAILURES or not isinstance(error, TrainingFailedError):
                    raise ClusterError(
                        f"the training failed after epoch {epochs}: {cause(error)}; "
                        f"running again goes on from the last epoch in {run.training_of(section.model)}"
                    ) from error
                say(f"training: interrupted after epoch {epochs}: {cause(error)}")
        workers = _wait_for_workers(section, workers.gpu, run, say)
        say(f"training: goes on after epoch {epochs} with {workers}")


def cause(error: BaseException) -> str:
    """Say in a line what really went wrong, under Ray's wrappers."""
    failures = getattr(error, "worker_failures", {})
    if any(isinstance(failure, _SILENCE) for failure in failures.values()):  # what befalls the others follows from it
        return "a worker does not answer any more"
    error = next(iter(failures.values()), error)
    while isinstance(error, RayTaskError):
        error = error.cause
    said = f"{type(error).__name__}: {error}".strip().splitlines()[-1]
    return "a worker lost its connection to another" if re.search(r"Connection (closed|reset) by peer", said) else said


def _found_no_room(error: Exception) -> bool:
    """Tell whether workers found no room in time: a node went between plan and start, or others use the cluster."""
    return isinstance(error, ControllerError) and isinstance(error.controller_failure, WorkerGroupStartupTimeoutError)


def _wait_for_workers(section: TrainSection, gpu: bool, run: RunFolder, say: Callable[[str], None]) -> Workers:
    find_the_lost()
    kind, end = "GPUs" if gpu else "CPUs", time.monotonic() + WAIT_SECONDS
    if (workers := plan_again(section, gpu, describe())) is None:
        say(f"training: no node with {kind} is left; waits {WAIT_SECONDS:g} s for one to join")
    while workers is None:
        if time.monotonic() > end:
            raise ClusterError(
                f"no node with {kind} is left to train on, and none joined in {WAIT_SECONDS:g} s; "
                f"running again goes on from the last epoch in {run.training_of(section.model)}"
            )
        time.sleep(1)
        workers = plan_again(section, gpu, describe())
    return workers
