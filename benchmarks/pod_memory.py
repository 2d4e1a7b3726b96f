"""How much memory a job takes in a head pod and in a worker pod: python benchmarks/pod_memory.py JOB.toml [OPTION …]

Starts two Ray nodes on this machine as k8s/ does, a head without CPUs and a worker with all of them, submits the job to
them with the options of ``aebench run``, and samples both trees of processes four times a second. Prints the peak, over
time, of each tree's memory: resident set (what several processes share counts once for each) and proportional set
(what they share is divided among them).
"""

from __future__ import annotations

import os
import shlex
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ray.cluster_utils import Cluster
from ray.job_submission import JobSubmissionClient

from aebench.cluster import LOCAL_OBJECT_STORE

INTERVAL_S = 0.25
MIB = 2**20


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    os.environ.update(RAY_worker_niceness="0", RAY_AUTH_MODE="disabled", PYTHONPATH=str(root))
    job, *options = sys.argv[1:]
    cluster = Cluster()
    nodes = {
        name: cluster.add_node(
            num_cpus=cpus,
            object_store_memory=LOCAL_OBJECT_STORE,
            include_dashboard=cpus == 0,
            dashboard_port=free_port(),
            dashboard_agent_listen_port=free_port(),
        )
        for name, cpus in (("head", 0), ("worker", os.cpu_count()))
    }
    client = JobSubmissionClient(f"http://{nodes['head'].webui_url}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "aebench", "run", str(Path(job).resolve()), "--output", f"{folder}/run"]
            submitted = submit(client, shlex.join([*command, *options]))
            peaks: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
            while not client.get_job_status(submitted).is_terminal():
                for name, node in nodes.items():
                    roots = [process.process.pid for kind in node.all_processes.values() for process in kind]
                    peaks[name] = tuple(map(max, peaks[name], memory(family(roots))))  # type: ignore[assignment]
                time.sleep(INTERVAL_S)
            print(client.get_job_logs(submitted))
            print(f"{job} {' '.join(options)}: {client.get_job_status(submitted)}")
            for name, (resident, proportional) in peaks.items():
                print(f"{name:8}{resident / MIB:8.0f} MiB resident, {proportional / MIB:6.0f} MiB proportional")
    finally:
        cluster.shutdown()


def submit(client: JobSubmissionClient, entrypoint: str) -> str:
    """Submit a job to a head that takes some seconds until it can start jobs."""
    for _ in range(60):
        try:
            return client.submit_job(entrypoint=entrypoint)
        except RuntimeError as error:
            if "No available agent" not in str(error):
                raise
            time.sleep(1)
    raise SystemExit("the head cannot start jobs")


def free_port() -> int:
    """Return a port that no other Ray on this machine uses."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def family(roots: Iterable[int]) -> set[int]:
    """Return processes and all that descend from them."""
    children: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children[int(stat.read_text().rpartition(")")[2].split()[1])].append(int(stat.parent.name))
        except OSError:
            continue  # it ended meanwhile
    found, waiting = set(), list(roots)
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += children[process]
    return found


def memory(processes: Iterable[int]) -> tuple[int, int]:
    """Sum resident and proportional set sizes, in bytes."""
    resident = proportional = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
        resident += sizes.get("Rss", 0)
        proportional += sizes.get("Pss", 0)
    return resident, proportional


if __name__ == "__main__":
    main()
