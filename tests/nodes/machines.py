"""Ray clusters whose nodes can be killed: all on this machine's address, or each in a network namespace of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from tests.nodes.codecs import NODE
from tests.test_cli import ROOT

if TYPE_CHECKING:
    from ray._private.node import Node

RAY = [sys.executable, "-m", "ray.scripts.scripts"]
STORE = 100 * 2**20

WAIT = """
import sys, time
from ray._raylet import GcsClient
alive, client = set(), None
while sys.argv[2] not in alive:
    time.sleep(0.2)
    try:
        client = client or GcsClient(address=sys.argv[1])
        alive = {node.node_manager_address for node in client.get_all_node_info(timeout=5).values() if node.state == 0}
    except Exception as error:
        print("the head is not there yet:", error)
"""


class Nodes(Protocol):
    """A cluster with a head that runs no tasks."""

    def join(self, *names: str, cpus: int, gpus: int = 0) -> None:
        """Add nodes, and wait until they are there."""

    def kill(self, name: str) -> None:
        """Kill all processes of a node with SIGKILL."""

    def aebench(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command beside the head."""


def environment(**values: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled", "COLUMNS": "160", **values}


def start(command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=ROOT, env=dict(variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


class LocalNodes:
    """Nodes that share the address of this machine, by Ray's own means."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster()
        self.cluster.add_node(num_cpus=0, include_dashboard=False, object_store_memory=STORE)
        self.nodes: dict[str, Node] = {}

    def join(self, *names: str, cpus: int, gpus: int = 0) -> None:
        for name in names:
            self.nodes[name] = self.cluster.add_node(
                wait=False, num_cpus=cpus, num_gpus=gpus, object_store_memory=STORE, env_vars={NODE: name}
            )
        self.cluster.wait_for_nodes()

    def kill(self, name: str) -> None:
        node = self.nodes.pop(name)
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        family = [raylet, *raylet.children(recursive=True)]
        for process in family:  # Ray's processes; what its workers have started must notice for itself
            with contextlib.suppress(psutil.NoSuchProcess):
                if process == raylet or process.name().startswith("ray::"):
                    process.kill()
        self.cluster.remove_node(node, allow_graceful=False)
        left = psutil.wait_procs(family, timeout=60)[1]
        assert not left, f"outlived their node: {left}"

    def aebench(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return start(
            [sys.executable, "-m", "aebench", *map(str, arguments)], environment(RAY_ADDRESS=self.cluster.address)
        )

    def close(self) -> None:
        self.cluster.shutdown()


class NamespacedNodes:
    """Nodes with addresses, host names and loopback interfaces of their own, on a bridge that only they see.

    Raises
    ------
    OSError, CalledProcessError
        Where the machine does not let us make network namespaces. Nothing of ours is left then.
    """

    NETWORK = "10.213.7"

    def __init__(self) -> None:
        self.prefix = f"aebench{os.getpid()}-"
        self.namespaces: list[str] = []
        try:
            self.switch = self._namespace("switch")
            self._in(self.switch, "ip", "link", "add", "bridge", "type", "bridge")
            self._in(self.switch, "ip", "addr", "add", f"{self.NETWORK}.254/24", "dev", "bridge")
            self._in(self.switch, "ip", "link", "set", "bridge", "up")
            self.head, address = self._plug("head")
            self.address = f"{address}:6379"
            self._start(self.head, address, "--head", "--port=6379", "--include-dashboard=false", "--num-cpus=0")
            self._wait_for(address)
        except BaseException:
            self.close()
            raise

    def join(self, *names: str, cpus: int, gpus: int = 0) -> None:
        for name in names:  # one after another: Ray gives each but 30 s to start, which is little on a busy machine
            namespace, address = self._plug(name)
            self._start(namespace, address, f"--address={self.address}", f"--num-cpus={cpus}", f"--num-gpus={gpus}")
            self._wait_for(address)

    def kill(self, name: str) -> None:
        namespace = self.prefix + name
        self._in(namespace, "ip", "link", "set", "cable", "down")  # or its kernel would say farewell to all it talks to
        self._kill(namespace)

    def aebench(self, *arguments: str | Path) -> subprocess.Popen[str]:
        command = ["ip", "netns", "exec", self.head, sys.executable, "-m", "aebench", *map(str, arguments)]
        return start(command, environment(RAY_ADDRESS=self.address))

    def close(self) -> None:
        for namespace in reversed(self.namespaces):
            self._kill(namespace)
            subprocess.run(["ip", "netns", "del", namespace], check=False)  # and with it the interfaces in it

    def _namespace(self, name: str) -> str:
        namespace = self.prefix + name
        _run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        self._in(namespace, "ip", "link", "set", "lo", "up")
        return namespace

    def _plug(self, name: str) -> tuple[str, str]:
        """Make a namespace with a cable to the bridge; return its name and its address."""
        namespace, number = self._namespace(name), len(self.namespaces) - 1
        address, port = f"{self.NETWORK}.{number}", f"port{number}"
        _run("ip", "link", "add", "cable", "netns", namespace, "type", "veth", "peer", port, "netns", self.switch)
        self._in(self.switch, "ip", "link", "set", port, "master", "bridge", "up")
        self._in(namespace, "ip", "addr", "add", f"{address}/24", "dev", "cable")
        self._in(namespace, "ip", "link", "set", "cable", "up")
        self._in(namespace, "ip", "route", "add", "default", "via", f"{self.NETWORK}.254")
        return namespace, address

    def _in(self, namespace: str, *command: str) -> None:
        _run("ip", "netns", "exec", namespace, *command)

    def _start(self, namespace: str, address: str, *options: str) -> None:
        name = namespace.removeprefix(self.prefix)
        ray = [*RAY, "start", f"--node-ip-address={address}", f"--object-store-memory={STORE}", "--disable-usage-stats"]
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name]
        subprocess.Popen(
            ["ip", "netns", "exec", namespace, *named, *ray, "--block", *options],
            cwd=ROOT, env=environment(**{NODE: name}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _kill(self, namespace: str) -> None:
        listed = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
        for process in map(int, listed.stdout.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _wait_for(self, address: str) -> None:
        """Wait until the head believes that the node at this address is alive."""
        command = ["ip", "netns", "exec", self.head, sys.executable, "-c", WAIT, self.address, address]
        subprocess.run(command, env=environment(), timeout=120, check=True)


@contextlib.contextmanager
def folder_for_ray() -> Iterator[None]:
    """Keep what Ray leaves, among it the address that other programs look for, in a folder whose name is short."""
    before, folder = os.environ.get("RAY_TMPDIR"), tempfile.mkdtemp(prefix="ae", dir="/tmp")
    os.environ["RAY_TMPDIR"] = folder
    try:
        yield
    finally:
        os.environ.pop("RAY_TMPDIR")
        if before is not None:
            os.environ["RAY_TMPDIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
