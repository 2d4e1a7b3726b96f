"""Training on one device: step, schedule, validation, state. No Ray here; `aebench.train` distributes it.

Crops are those of (seed, step), see `aebench.crops`: the number of workers changes the speed and, but for rounding, not
what is learned, and a run resumed after a step goes on with the same crops that it would have seen. What a network
itself draws in its loss, such as a quantiser step for each crop, comes from torch's generator, seeded with
(seed, step, rank).
"""

from __future__ import annotations

import contextlib
import copy
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from aebench.codecs.base import Rgb
from aebench.crops import Crops, planes
from aebench.models.weights import under


@dataclass(frozen=True)
class Recipe:
    """How to train. `batch` counts crops over all workers together.

    With `ema` above 0, the weights that are validated and kept are an exponential moving average, with this decay a
    step.
    """

    seed: int = 1
    crop: int = 64
    batch: int = 8
    epochs: int = 20
    steps: int = 100
    learning_rate: float = 2e-3
    warmup: float = 0.15
    precision: str = "float32"
    compile: bool = False
    ema: float = 0.0

    @property
    def total_steps(self) -> int:
        return self.epochs * self.steps


@dataclass(frozen=True)
class Epoch:
    """What is known after an epoch; losses are means over the data of all workers.

    `train_loss` is the mean over the epoch's steps, while the weights moved; `validation_loss` the mean over whole
    validation images after it; `validation_psnr` the mean over those images of PSNR in 8-bit RGB, in dB. Of a network
    that compresses, `estimated_bpp` is the mean of what its model says that they cost, `real_bpp` of their bytes.
    """

    epoch: int
    step: int
    train_loss: float
    validation_loss: float
    validation_psnr: float
    learning_rate: float
    seconds: float
    cpu_seconds: float
    workers: int
    crops: int
    estimated_bpp: float | None = None
    real_bpp: float | None = None


def learning_rate(recipe: Recipe, step: int) -> float:
    """One cycle: a cosine from peak/25 up to the peak, then a cosine down to almost nothing.

    Source: Smith and Topin, *Super-Convergence* (2018), with the shape and the constants of PyTorch's ``OneCycleLR``.
    """
    peak, first, last = recipe.learning_rate, recipe.learning_rate / 25, recipe.learning_rate / 25 / 1e4
    rising = max(recipe.warmup * recipe.total_steps - 1, 1e-9)
    if step <= rising:
        start, end, part = first, peak, step / rising
    else:
        start, end, part = peak, last, (step - rising) / max(recipe.total_steps - 1 - rising, 1e-9)
    return end + (start - end) / 2 * (1 + math.cos(math.pi * min(part, 1.0)))


class WithLoss(nn.Module):
    """A network whose forward pass is its loss: what DistributedDataParallel needs to see."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor) -> Tensor:
        """Return the mean loss of a batch of RGB in [0, 1]."""
        loss: Tensor = self.network.loss(rgb)  # type: ignore[operator]
        return loss


class Trainer:
    """A network in training on one device, as one of `world` workers.

    Parameters
    ----------
    network : Module with ``loss(rgb)`` and ``reconstruct(rgb)``
        With ``rates(rgb)`` if it codes bits, and ``parameter_groups()``, as PyTorch's optimisers take them, if the
        learning rate of some, times their ``slower``, is to be another. `wrap` is applied to it once, to distribute its
        gradients.
    images, validation : sequences of uint8 arrays, shape (H, W, 3)
        RGB. The training images, of which each worker opens those that it draws; the whole validation set.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        images: Sequence[Rgb],
        validation: Sequence[Rgb],
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        wrap: Callable[[nn.Module], nn.Module] = lambda module: module,
    ) -> None:
        self.recipe, self.rank, self.world = recipe, rank, world
        self.device = torch.device(device)
        self.network = network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.crops = Crops(images, recipe, self.device, rank, world)
        self.validation = [planes(rgb) for rgb in validation[rank::world]]
        self.average = copy.deepcopy(self.network) if recipe.ema else self.network
        groups = getattr(self.network, "parameter_groups", self.network.parameters)()
        self.optimiser = torch.optim.Adam(groups, lr=recipe.learning_rate)
        loss = WithLoss(self.network)
        self.loss = wrap(torch.compile(loss) if recipe.compile else loss)  # type: ignore[arg-type]
        self.step = 0
        self.history: list[Epoch] = []

    def run(self, report: Callable[[Epoch], None]) -> None:
        """Train to the end of the recipe, from wherever `load` left off, reporting after every epoch."""
        while self.step < self.recipe.total_steps:
            report(self.epoch())

    def epoch(self) -> Epoch:
        """Train for one epoch and validate."""
        wall, cpu = time.perf_counter(), time.process_time()
        total = torch.zeros((), device=self.device)
        for _ in range(self.recipe.steps):
            total += self.train_step()
        train_loss = self._mean(float(total), self.recipe.steps)[0]
        validation_loss, validation_psnr, *bpp = self.validate()
        seconds, cpu_seconds = time.perf_counter() - wall, self._sum(time.process_time() - cpu)
        self.history.append(
            Epoch(
                epoch=self.step // self.recipe.steps,
                step=self.step,
                train_loss=train_loss,
                validation_loss=validation_loss,
                validation_psnr=validation_psnr,
                learning_rate=learning_rate(self.recipe, self.step - 1),
                seconds=seconds,
                cpu_seconds=cpu_seconds,
                workers=self.world,
                crops=self.step * self.recipe.batch,
                **dict(zip(("estimated_bpp", "real_bpp"), bpp, strict=False)),
            )
        )
        return self.history[-1]

    def train_step(self) -> Tensor:
        """Take one optimiser step on this worker's share of the batch; return its loss, detached."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, self.step) * group.get("slower", 1.0)
        crops = self.crops.batch(self.step)
        torch.manual_seed(int(np.random.SeedSequence([self.recipe.seed, self.step, self.rank]).generate_state(1)[0]))
        self.optimiser.zero_grad(set_to_none=True)
        with self._autocast():
            loss: Tensor = self.loss(crops)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._follow()
        self.step += 1
        return loss.detach()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights; in the first steps faster, so that it forgets the initial ones."""
        if self.average is not self.network:
            decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
            for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
            for kept, value in zip(self.average.buffers(), self.network.buffers(), strict=True):
                kept.copy_(value)

    @torch.no_grad()
    def validate(self) -> list[float]:
        """Return means over whole validation images of all workers: the loss, and PSNR (8-bit RGB, dB).

        Where the network has `rates`, also estimated and real bits per pixel.
        """
        network = self.average.eval()
        rates = getattr(network, "rates", lambda rgb: ())
        found = []
        for image in self.validation:
            rgb = image.to(self.device).float().div_(255)[None]
            decoded = network.reconstruct(rgb).mul(255).round().clamp(0, 255)
            mse = float((decoded - rgb * 255).double().square().mean())
            psnr = 10 * math.log10(255**2 / max(mse, 1e-10))
            found.append([float(network.loss(rgb)), psnr, *rates(rgb)])
        self.network.train()
        width = 4 if hasattr(network, "rates") else 2
        sums = np.sum(np.reshape(found, (-1, width)), axis=0)
        *totals, number = self._reduce([*(float(value) for value in sums), float(len(found))])
        return [value / max(number, 1.0) for value in totals]

    def save(self, folder: Path) -> None:
        """Write all that `load` needs: weights and optimiser as safetensors, step and past epochs as JSON.

        The weights to keep are under ``network.``; where those are an average, the moving ones are under ``moving.``.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"network.{name}": value for name, value in self.average.state_dict().items()}
        if self.average is not self.network:
            tensors |= {f"moving.{name}": value for name, value in self.network.state_dict().items()}
        for name, value in self.network.named_parameters():
            for key, moment in self.optimiser.state[value].items():
                tensors[f"adam.{key}.{name}"] = moment
        save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, folder / "state.safetensors")
        history = [asdict(epoch) for epoch in self.history]
        (folder / "state.json").write_text(json.dumps({"step": self.step, "history": history}))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        tensors = load_file(folder / "state.safetensors", device=str(self.device))
        self.average.load_state_dict(under("network.", tensors))
        if self.average is not self.network:
            self.network.load_state_dict(under("moving.", tensors))
        for name, value in self.network.named_parameters():
            self.optimiser.state[value] = {
                "step": tensors[f"adam.step.{name}"].cpu(),
                **{
                    key: tensors[f"adam.{key}.{name}"].clone(memory_format=torch.preserve_format)
                    for key in ("exp_avg", "exp_avg_sq")
                },
            }
        state = json.loads((folder / "state.json").read_text())
        self.step, self.history = state["step"], [Epoch(**epoch) for epoch in state["history"]]

    def _autocast(self) -> contextlib.AbstractContextManager[None]:
        if self.recipe.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def _sum(self, *values: float) -> float:
        return self._reduce(values)[0]

    def _mean(self, total: float, count: int) -> tuple[float, float]:
        summed, number = self._reduce((total, float(count)))
        return summed / max(number, 1.0), number

    def _reduce(self, values: Sequence[float]) -> list[float]:
        """Add up over all workers."""
        if self.world == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return [float(value) for value in tensor]


def network_tensors(folder: Path) -> dict[str, Tensor]:
    """Read the network's weights, without the optimiser's state, from what `Trainer.save` wrote."""
    return under("network.", load_file(folder / "state.safetensors"))
