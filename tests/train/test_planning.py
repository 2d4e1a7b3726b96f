"""How many workers train, and on what."""

from __future__ import annotations

import pytest

from aebench.cluster import Cluster, Node
from aebench.errors import ClusterError, JobError
from aebench.train import Workers, make_recipe, plan_workers
from aebench.train.planning import plan_again
from tests.train.trainings import section


def test_workers_are_planned_from_the_cluster_and_the_batch() -> None:
    cpus = Cluster((Node(6),))
    gpus = Cluster((Node(16, 2), Node(16, 2)))
    assert plan_workers(section(batch=8, workers="auto"), cpus) == Workers(4, 1, gpu=False)
    assert plan_workers(section(batch=9, workers="auto"), cpus) == Workers(3, 2, gpu=False)
    assert plan_workers(section(batch=8, workers="auto"), gpus) == Workers(4, 8, gpu=True)
    assert plan_workers(section(batch=8, workers=2), cpus) == Workers(2, 3, gpu=False)
    with pytest.raises(JobError, match="5 workers wanted, the cluster has 2 nodes, 32 CPUs, 4 GPUs"):
        plan_workers(section(batch=10, workers=5), gpus)


def test_workers_fit_on_the_nodes() -> None:
    auto = section(batch=8, workers="auto")
    apart = Cluster((Node(0), Node(32), Node(1, 1), Node(1, 1)))  # a head, codecs' CPUs, GPUs
    assert plan_workers(auto, apart) == Workers(2, 1, gpu=True)
    assert plan_workers(auto, Cluster((Node(0), Node(8, 2), Node(4, 2)))) == Workers(4, 2, gpu=True)
    small = Cluster((Node(2), Node(2), Node(2)))
    assert plan_workers(section(batch=2, workers="auto"), small) == Workers(2, 2, gpu=False)
    assert plan_workers(section(batch=4, workers="auto"), small) == Workers(4, 1, gpu=False)
    with pytest.raises(ClusterError, match="1 node, 0 CPUs, no GPU: nothing to train on"):
        plan_workers(auto, Cluster((Node(0),)))


def test_workers_are_planned_again_for_what_is_left() -> None:
    auto, two = section(batch=8, workers="auto"), section(batch=8, workers=2)
    assert plan_again(auto, False, Cluster((Node(0), Node(1), Node(2)))) == Workers(2, 1, gpu=False)
    assert plan_again(two, False, Cluster((Node(1),))) == Workers(1, 1, gpu=False)
    assert plan_again(two, False, Cluster((Node(8),))) == Workers(2, 4, gpu=False)
    assert plan_again(auto, True, Cluster((Node(4), Node(4, 1)))) == Workers(1, 4, gpu=True)
    # a training keeps to the kind of device that it began with
    assert plan_again(auto, True, Cluster((Node(4),))) is None
    assert plan_again(auto, False, Cluster((Node(4), Node(4, 1)))) == Workers(8, 1, gpu=False)
    assert plan_again(auto, False, Cluster((Node(0),))) is None


def test_hardware_decides_what_the_job_leaves_open() -> None:
    gpu = make_recipe(section(workers="auto"), 1, Workers(1, 4, gpu=True))
    cpu = make_recipe(section(workers="auto"), 1, Workers(1, 4, gpu=False))
    assert (gpu.precision, gpu.compile, cpu.precision, cpu.compile) == ("bfloat16", True, "float32", False)
    named = make_recipe(section(precision="float32", compile=False), 1, Workers(1, 4, gpu=True))
    assert (named.precision, named.compile) == ("float32", False)
