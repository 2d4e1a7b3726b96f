"""How fast the paper's network trains: python -m benchmarks.training [STEPS]

Megapixels a second of steps on crops of 64×64 in batches of 8, taken in turns by

- aebench's trainer, crops and schedule included;
- a bare PyTorch loop over the same network, with its crops cut beforehand;
- the same loop over the network as Keras would run it: NCHW, upsampling made, then convolved;

at one thread, or on a GPU where there is one, in bfloat16 and compiled. The floor is what the device does in a large
matrix product. Then the trainer in two processes that exchange gradients, against the bare loop in the same two.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.flop_counter import FlopCounterMode

from aebench.codecs import Rgb
from aebench.crops import Crops
from aebench.images import open_rgb
from aebench.models.paper import PaperAutoencoder
from aebench.training import Recipe, Trainer, WithLoss
from benchmarks.showing import cpus, images, show_machine, show_table, spread

STEPS = 10
"""Steps in a row, before the next takes its turn."""

ROUNDS = 9

Step = Callable[[], object]


class KerasLike(PaperAutoencoder):
    """The same network and weights with its upsampling made."""

    def synthesis(self, latent: Tensor) -> Tensor:
        features = F.relu(self.conv2d_4(latent))
        features = F.relu(self.conv2d_5(F.interpolate(features, scale_factor=2, mode="nearest")))
        decoded: Tensor = self.conv2d_6(F.interpolate(features, scale_factor=2, mode="nearest"))
        return decoded


def main(steps: int = STEPS, rounds: int = ROUNDS) -> None:
    show_machine()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    on_gpu = device.type == "cuda"
    torch.set_num_threads(1)
    pictures = [open_rgb(image.uri) for image in images("kodak[:4]")]
    recipe = Recipe(epochs=1000, precision="bfloat16" if on_gpu else "float32", compile=on_gpu)
    torch.manual_seed(recipe.seed)
    variants: dict[str, Step] = {
        "aebench": Trainer(PaperAutoencoder(), recipe, pictures, pictures[:1], device=device).train_step,
        "bare loop": bare_loop(PaperAutoencoder(), recipe, pictures, device, torch.channels_last),
        "bare loop, Keras-like": bare_loop(KerasLike(), recipe, pictures, device, torch.contiguous_format),
    }
    floor = peak_flops(device)
    seconds = in_turns(variants, steps, rounds, device)
    megapixels = recipe.batch * recipe.crop**2 / 1e6
    ours, bare, keras = ([megapixels / one for one in seconds[name]] for name in variants)
    work = flops_a_step(recipe)
    rows = []
    for name, rates in zip(variants, (ours, bare, keras), strict=True):
        share = work * statistics.median(rates) / megapixels / floor
        rows.append([name, spread(rates, 3), f"{100 * share:.0f} %"])
    where = torch.cuda.get_device_name() if on_gpu else "one thread"
    show_table(
        f"Training on {where}: crops of {recipe.crop}×{recipe.crop}, batches of {recipe.batch}; medians of {rounds}",
        ["", "Mpixel/s", "of the matrix rate"],
        rows,
        [
            f"aebench over the bare loop: {_ratio(seconds, 'bare loop', 'aebench'):.3f}, over the Keras-like network: "
            f"{_ratio(seconds, 'bare loop, Keras-like', 'aebench'):.2f}; medians of ratios of neighbouring turns.",
            f"The floor: {work / 1e9:.2f} GFLOP a step, with the transposed convolutions of aebench; a matrix product "
            f"of 2048×2048 does {floor / 1e9:.0f} GFLOP/s.",
        ],
    )
    if not on_gpu and cpus() > 1:
        _show_two_workers(pictures, steps, rounds)


def bare_loop(
    network: nn.Module,
    recipe: Recipe,
    pictures: list[Rgb],
    device: torch.device,
    layout: torch.memory_format,
    wrap: Callable[[nn.Module], nn.Module] = lambda module: module,
    world: int = 1,
) -> Step:
    """Make a training step of nothing but the network, its loss and Adam."""
    cut = Crops(pictures, recipe, world=world)
    crops = [cut.batch(step).to(device, memory_format=layout) for step in range(8)]
    loss_of: Any = WithLoss(network.to(device=device, memory_format=layout))  # type: ignore[call-overload]
    if recipe.compile:
        loss_of = torch.compile(loss_of)
    loss_of = wrap(loss_of)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            loss = loss_of(crops[count % len(crops)])
        loss.backward()
        optimiser.step()

    return step


def in_turns(
    variants: dict[str, Step], steps: int, rounds: int, device: torch.device, ready: Step = lambda: None
) -> dict[str, list[float]]:
    """Time steps of each variant in turns, after a turn for warming up; return the seconds of a step in every turn."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds + 1):
        for name, step in variants.items():
            ready()
            _finish(device)
            start = time.perf_counter()
            for _ in range(steps):
                step()
            _finish(device)
            if turn:
                seconds[name].append((time.perf_counter() - start) / steps)
    return seconds


def flops_a_step(recipe: Recipe) -> int:
    """Count the floating-point operations of a step, forward and backward."""
    counter = FlopCounterMode(display=False)
    with counter:
        PaperAutoencoder().loss(torch.rand(recipe.batch, 3, recipe.crop, recipe.crop)).backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops())


def peak_flops(device: torch.device) -> float:
    """Return the floating-point operations a second of a large matrix product."""
    side = 8192 if device.type == "cuda" else 2048
    a = torch.rand(side, side, device=device, dtype=torch.bfloat16 if device.type == "cuda" else torch.float32)
    seconds = in_turns({"product": lambda: a @ a}, 2, 5, device)["product"]
    return 2 * side**3 / min(seconds)


def _show_two_workers(pictures: list[Rgb], steps: int, rounds: int) -> None:
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    barrier = context.Barrier(2)
    with tempfile.TemporaryDirectory() as folder:
        rest = (pictures, f"file://{folder}/meeting", barrier, results, steps, rounds)
        workers = [context.Process(target=_worker, args=(rank, *rest)) for rank in range(2)]
        for worker in workers:
            worker.start()
        found: dict[str, list[float]] = results.get()
        for worker in workers:
            worker.join()
    megapixels = Recipe().batch * Recipe().crop ** 2 / 1e6
    show_table(
        "Training in two processes of one thread, half the batch each, gradients exchanged by gloo",
        ["", "Mpixel/s"],
        [[name, spread([megapixels / one for one in seconds], 3)] for name, seconds in found.items()],
        [f"aebench over the bare loop: {_ratio(found, 'bare loop', 'aebench'):.3f}."],
    )


def _worker(
    rank: int, pictures: list[Rgb], meeting: str, barrier: Barrier, results: Any, steps: int, rounds: int
) -> None:
    """Be one of two workers; the first sends the seconds of its steps."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    device, recipe = torch.device("cpu"), Recipe(epochs=1000)
    torch.manual_seed(recipe.seed)
    trainer = Trainer(
        PaperAutoencoder(), recipe, pictures, pictures[:1], rank=rank, world=2, wrap=DistributedDataParallel
    )
    bare = bare_loop(
        PaperAutoencoder(), recipe, pictures, device, torch.channels_last, DistributedDataParallel, world=2
    )
    seconds = in_turns({"aebench": trainer.train_step, "bare loop": bare}, steps, rounds, device, barrier.wait)
    if rank == 0:
        results.put(seconds)
    dist.destroy_process_group()


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _ratio(seconds: dict[str, list[float]], of: str, over: str) -> float:
    """Return the median over turns of the time that one took, over that of another: how much faster the other is."""
    return statistics.median(a / b for a, b in zip(seconds[of], seconds[over], strict=True))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
