"""Connecting to Ray, or starting it, quietly."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ray

import aebench
from aebench.errors import ClusterError, ResultsError
from aebench.storage import Place, RemotePath, write_file

log = logging.getLogger(__name__)

LOCAL_OBJECT_STORE = 512 * 2**20
"""Bytes of shared memory for a Ray of our own: only paths, weights and rows travel, never pixels."""

ATTEMPTS = 3
"""So often Ray is started: on a busy machine a node gives up when its agents take more than 15 seconds."""

_QUIET = {
    "RAY_worker_niceness": "0",  # Ray runs workers at nice 15, which makes their times noise on a busy machine
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_ENABLE_STATE_TRACKING": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@dataclass(frozen=True)
class Node:
    """What one node of a cluster offers to tasks and actors."""

    cpus: int
    gpus: int = 0


@dataclass(frozen=True)
class Cluster:
    """What a connected Ray offers."""

    nodes: tuple[Node, ...]
    address: str = ""

    @property
    def cpus(self) -> int:
        """CPUs of all nodes."""
        return sum(node.cpus for node in self.nodes)

    @property
    def gpus(self) -> int:
        """GPUs of all nodes."""
        return sum(node.gpus for node in self.nodes)

    def __str__(self) -> str:
        nodes = len(self.nodes)
        gpus = f", {self.gpus} GPU{'s' * (self.gpus != 1)}" if self.gpus else ", no GPU"
        return f"{nodes} node{'s' * (nodes != 1)}, {self.cpus} CPU{'s' * (self.cpus != 1)}{gpus}"


@contextlib.contextmanager
def connected() -> Iterator[Cluster]:
    """Connect to the Ray that ``RAY_ADDRESS`` names or that runs on this machine, else start one for the while.

    Raises
    ------
    ClusterError
        If the named Ray does not answer, or none can be started.
    """
    if ray.is_initialized():
        yield describe()
        return
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    address = os.environ.get("RAY_ADDRESS") or running()
    local = address in ("", "local")
    submitted = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ  # a submitted job inherits the mode of its cluster
    if not local and not submitted and "RAY_AUTH_MODE" not in os.environ and has_token():
        os.environ["RAY_AUTH_MODE"] = "token"  # `ray start --head` guards a cluster with one
    if local:  # workers inherit it, and import aebench and modules of the working directory as the driver does
        os.environ["PYTHONPATH"] = os.pathsep.join(import_paths())
    if local:
        _start()
    else:
        _connect(address)
    from ray.data import DataContext  # submitting a job connects to nothing, and can do without

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    ray._private.worker._worker_logs_enabled = False  # else Ray prints between our lines what it tries again
    for name in ("ray.data", "ray.train"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield describe()
    finally:
        ray.shutdown()


def _start() -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            ray.init(
                address="local", include_dashboard=False, object_store_memory=LOCAL_OBJECT_STORE, log_to_driver=False,
                logging_level=logging.ERROR,
            )  # fmt: skip
            return
        except Exception as error:
            ray.shutdown()  # ends what did start
            if attempt == ATTEMPTS:
                raise ClusterError(f"cannot start Ray on this machine: {error}") from error


def _connect(address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        raise ClusterError(
            f"cannot connect to Ray at {address}: {error}; unset RAY_ADDRESS to run on this machine alone"
        ) from error


@contextlib.contextmanager
def native_stderr_to(path: Place) -> Iterator[None]:
    """Send to a file what Ray's native code writes to this process's stderr, past Python and every log level.

    Objects cannot be appended to: for a file in a store, it is kept in the temporary folder, and put at the end.
    """
    if isinstance(path, RemotePath):
        with tempfile.TemporaryDirectory(prefix="aebench-") as folder:
            local = Path(folder) / path.name
            if path.is_file():
                local.write_bytes(path.read_bytes())
            try:
                with native_stderr_to(local):
                    yield
            finally:
                with contextlib.suppress(ResultsError):  # whatever ended the step is what should be told
                    write_file(path, local.read_bytes())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with path.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def describe() -> Cluster:
    """Describe the connected Ray."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return Cluster(
        nodes=tuple(Node(int(resources.get("CPU", 0)), int(resources.get("GPU", 0))) for resources in alive),
        address=ray.get_runtime_context().gcs_address,
    )


def running() -> str:
    """Return the address of the Ray that ``ray start`` started on this machine and that still runs, or nothing."""
    from ray._private.services import find_gcs_addresses
    from ray._private.utils import read_ray_address

    started = read_ray_address()
    return started if started in find_gcs_addresses() else ""


def has_token() -> bool:
    """Say whether this user has a token for Ray."""
    path = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    return "RAY_AUTH_TOKEN" in os.environ or Path(path).is_file()


def import_paths() -> list[str]:
    """List the folders from which this process imports aebench and the modules of the working directory."""
    package = str(Path(aebench.__file__).resolve().parent.parent)
    paths = [package, str(Path.cwd()), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return list(dict.fromkeys(path for path in paths if path))
