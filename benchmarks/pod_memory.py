"""How much memory a job takes in a head pod and in a worker pod: python -m benchmarks.pod_memory [JOB.toml [OPTION …]]

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
from pathlib import Path

from ray.cluster_utils import Cluster
from ray.job_submission import JobStatus, JobSubmissionClient

from aebench.cluster import LOCAL_OBJECT_STORE
from benchmarks.processes import MIB, family, memory
from benchmarks.showing import console, show_machine, show_table

INTERVAL_S = 0.25
JOB = "jobs/smoke.toml"


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    os.environ.update(RAY_worker_niceness="0", RAY_AUTH_MODE="disabled", PYTHONPATH=str(root))
    job, *options = sys.argv[1:] or [JOB]
    show_machine()
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
            if (status := client.get_job_status(submitted)) != JobStatus.SUCCEEDED:
                console.print(client.get_job_logs(submitted), highlight=False)
            show_table(
                f"Peak of memory, MiB: {shlex.join([job, *options])}, which {status.lower()}",
                ["pod", "resident", "proportional"],
                [[name, *(f"{size / MIB:.0f}" for size in sizes)] for name, sizes in peaks.items()],
            )
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


if __name__ == "__main__":
    main()
