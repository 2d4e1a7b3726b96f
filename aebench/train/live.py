"""Epochs on their way from Ray Train's controller to the driver, while the training goes on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray.train import Checkpoint, UserCallback
from ray.util.queue import Empty, Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aebench.results import RunFolder
from aebench.training import Epoch


class Reporter(UserCallback):
    """Runs beside Ray Train's controller and sends every epoch to the driver."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Checkpoint | None) -> None:
        self.queue.put(metrics[0]["history"])


@contextlib.contextmanager
def live(run: RunFolder, network: str, on_epoch: Callable[[Epoch], None]) -> Iterator[Reporter]:
    """Write every epoch of a network's training to Parquet, and hand it on, as it is reported.

    A report holds all epochs so far: one that an earlier driver did not live to write is written now.
    """
    written = set(run.epochs_of(network)["epoch"].to_pylist())
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    queue = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})  # elsewhere it would die with its node
    over = threading.Event()

    def listen() -> None:
        while True:
            try:
                history = queue.get(timeout=0.5)
            except Empty:
                if over.is_set():
                    return
                continue
            for values in [past for past in history[:-1] if past["epoch"] not in written] + history[-1:]:
                run.append_epoch({"network": network, **values})
                written.add(values["epoch"])
            on_epoch(Epoch(**history[-1]))

    listener = threading.Thread(target=listen, name="epochs", daemon=True)
    listener.start()
    try:
        yield Reporter(queue)
    finally:
        over.set()
        listener.join()
        queue.shutdown()
