"""Ray Train around `aebench.training`: data-parallel over GPUs, or over CPU workers where there are none.

One code path: `TorchTrainer` starts N workers (NCCL between GPUs, gloo between CPUs), each runs the same `Trainer` on
its share of every batch, and rank 0 leaves a checkpoint after every epoch. Running again with the same output goes on
from the last one, and so does a training that loses a node, on the nodes that are left.
"""

from aebench.train.fitting import train
from aebench.train.planning import Workers, make_recipe, plan_workers
from aebench.train.worker import make_trainer

__all__ = ["Workers", "make_recipe", "make_trainer", "plan_workers", "train"]
