"""Connecting to a cluster of several nodes, as a submitted job does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aebench.cluster import ATTEMPTS
from tests.test_cli import ROOT

DRIVER = """
from aebench.cluster import connected
with connected() as cluster:
    from ray.util.queue import Queue
    queue = Queue(actor_options={"num_cpus": 0})
    queue.put("an actor answers")
    print(cluster, queue.get(), sep=", ")
"""


@pytest.mark.slow
def test_a_submitted_job_believes_its_cluster_and_no_token_left_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("of another cluster, started on this machine before")
    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=0, include_dashboard=False)
        cluster.add_node(num_cpus=1)
        environment = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
        environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "RAY_ADDRESS": cluster.address}
        done = subprocess.run(
            [sys.executable, "-c", DRIVER], env=environment | {"RAY_JOB_CONFIG_JSON_ENV_VAR": "{}"},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.stdout == "2 nodes, 1 CPU, no GPU, an actor answers\n", done.stderr
    finally:
        cluster.shutdown()


SLOW_AT_FIRST = """
import sys
import ray
start, failures = ray.init, [RuntimeError("its agents were slow")] * int(sys.argv[1])
def init(**options):
    if failures:
        raise failures.pop()
    return start(**options)
ray.init = init
"""


@pytest.mark.slow
@pytest.mark.parametrize(("failures", "said"), [(2, "1 node, "), (3, "cannot start Ray on this machine: its agents")])
def test_a_ray_of_our_own_that_does_not_come_up_is_started_again(failures: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW_AT_FIRST + DRIVER, str(failures)], capture_output=True, text=True, timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_ADDRESS": "local"}, check=False,
    )  # fmt: skip
    assert said in done.stdout + done.stderr
    assert (done.returncode == 0) == (failures < ATTEMPTS)
