"""Weights on disk: a safetensors file, and beside it a JSON file that says what network it belongs to.

FOLDER/model.safetensors    the tensors, nothing else
FOLDER/model.json           network, number of parameters, SHA-256 of the tensors, how they were trained
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from aebench.errors import WeightsError
from aebench.names import file_name
from aebench.storage import Place, list_files, place, write_file
from aebench.suggest import did_you_mean

NETWORKS = {
    "paper": "aebench.models.paper:PaperAutoencoder",
    "paper-rate": "aebench.models.paper_rate:PaperRate",
    "lapped": "aebench.models.lapped:Lapped",
    "theis2017-small": "aebench.models.theis2017:Theis2017Small",
    "theis2017-published": "aebench.models.theis2017:Theis2017",
    "cheng2018-small": "aebench.models.cheng2018:Cheng2018Small",
    "cheng2018-published": "aebench.models.cheng2018:Cheng2018",
    "balle2018-factorised-small": "aebench.models.balle2018:Balle2018FactorisedSmall",
    "balle2018-factorised-published": "aebench.models.balle2018:Balle2018Factorised",
    "balle2018-hyperprior-small": "aebench.models.balle2018:Balle2018HyperpriorSmall",
    "balle2018-hyperprior-published": "aebench.models.balle2018:Balle2018Hyperprior",
    "minnen2018-small": "aebench.models.minnen2018:Minnen2018Small",
    "minnen2018-published": "aebench.models.minnen2018:Minnen2018",
}
"""Networks that aebench can train, by name."""

RAGGED = "ragged_"
"""Begins the name of a tensor that a network stores in a length of its own, and checks itself."""

TENSORS, CONFIGURATION = "model.safetensors", "model.json"


def build(name: str) -> nn.Module:
    """Make an untrained network; a network of your own is named ``module:Class``."""
    if name not in NETWORKS and ":" not in name:
        raise WeightsError(
            f"there is no network {name!r}{did_you_mean(name, NETWORKS)}; known: {', '.join(NETWORKS)}; "
            "a network of your own is named module:Class"
        )
    module, _, cls = NETWORKS.get(name, name).partition(":")
    try:
        network = getattr(importlib.import_module(module), cls)()
    except (ImportError, AttributeError) as error:
        raise WeightsError(f"cannot import the network {name!r}: {error}") from error
    if not isinstance(network, nn.Module):
        raise WeightsError(f"{name!r} is not a torch.nn.Module")
    return network


@dataclass(frozen=True)
class Weights:
    """Trained weights in memory, small enough to travel to every worker.

    Attributes
    ----------
    network : str
        Name of the network they belong to, as `build` takes it.
    tensors : bytes
        The safetensors file.
    training : mapping
        How they were made: job, seconds, versions. For people, not for decoding.
    """

    network: str
    tensors: bytes = field(repr=False)
    training: Mapping[str, Any] = field(repr=False, compare=False, hash=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the safetensors file, hexadecimal."""
        return hashlib.sha256(self.tensors).hexdigest()

    @classmethod
    def of(cls, name: str, network: nn.Module, training: Mapping[str, Any]) -> Weights:
        """Take the weights of a network."""
        state = {key: value.detach().cpu().contiguous() for key, value in _stored(network).items()}
        return cls(name, save(state), dict(training))

    def load_into(self, network: nn.Module) -> nn.Module:
        """Copy the tensors into a network, or raise `WeightsError` at the first that does not fit."""
        given, wanted = self.state(), _stored(network)
        for name in sorted(given.keys() | wanted.keys()):
            if name not in given or name not in wanted:
                raise WeightsError(
                    f"the weights of {self.network!r} do not fit the network: tensor {name!r} is "
                    f"{'missing' if name not in given else 'not in the network'}"
                )
            if given[name].shape != wanted[name].shape and not name.rpartition(".")[2].startswith(RAGGED):
                raise WeightsError(
                    f"the weights of {self.network!r} do not fit the network: tensor {name!r} is "
                    f"{tuple(given[name].shape)}, the network has {tuple(wanted[name].shape)}"
                )
        getattr(network, "load_stored_state", network.load_state_dict)(given)
        return network

    def start(self, network: nn.Module) -> nn.Module:
        """Let the training of a network begin from these weights.

        Those of another network must all be in this one, under the same names; what it has besides stays as it is.
        """
        if _stored(network).keys() == self.state().keys():
            return self.load_into(network)
        own = network.state_dict()
        for name, tensor in sorted(self.state().items()):
            if name not in own or own[name].shape != tensor.shape:
                raise WeightsError(
                    f"the training cannot start from the weights of {self.network!r}: their tensor {name!r} of shape "
                    f"{tuple(tensor.shape)} is "
                    f"{'not in the network' if name not in own else f'{tuple(own[name].shape)} in the network'}"
                )
        network.load_state_dict({**own, **self.state()})
        return network

    def state(self) -> dict[str, Tensor]:
        """Read the tensors."""
        try:
            return load(self.tensors)
        except SafetensorError as error:
            raise WeightsError(f"the weights of {self.network!r} are damaged: {error}") from error

    def save(self, folder: Place) -> None:
        """Write both files; the configuration last, so that a folder with one is whole."""
        configuration = {
            "format": 1,
            "network": self.network,
            "parameters": sum(tensor.numel() for tensor in self.state().values()),
            "sha256": self.digest,
            "training": dict(self.training),
        }
        write_file(folder / TENSORS, self.tensors)
        write_file(folder / CONFIGURATION, (json.dumps(configuration, indent=2) + "\n").encode())


def read_weights(path: str | Place, network: str = "") -> Weights:
    """Read weights from a folder, or a URI, that `Weights.save` wrote, or from the ``model.safetensors`` in one.

    Parameters
    ----------
    path : path or URI
        It may also be a run's: then the weights that the run trained are meant.
    network : str
        Of several that a run trained, this one.

    Raises
    ------
    WeightsError
        If a file is missing, if it is not clear which weights are meant, or if the tensors are not those that the
        configuration describes.
    """
    folder = place(path)
    if folder.name == TENSORS:
        folder = folder.parent
    if not (folder / CONFIGURATION).is_file():
        folder = _of_run(folder, network)
    try:
        configuration = json.loads((folder / CONFIGURATION).read_bytes())
        tensors = (folder / TENSORS).read_bytes()
        network, digest = configuration["network"], configuration["sha256"]
    except OSError as error:
        raise WeightsError(
            f"no weights in {folder}: cannot read {error.filename}; train first, or name a folder "
            f"that holds {TENSORS} and {CONFIGURATION}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{folder / CONFIGURATION} is not a weights configuration: {error!r}") from error
    weights = Weights(network, tensors, configuration.get("training", {}))
    if weights.digest != digest:
        raise WeightsError(
            f"{folder / TENSORS} is not the file that {CONFIGURATION} describes: its SHA-256 is "
            f"{weights.digest[:12]}…, not {digest[:12]}…; one of the two was changed"
        )
    return weights


def trained_in(run: Place) -> dict[str, Place]:
    """Return the folders of weights that a run left, by the `file_name` of their networks."""
    folders = list_files(run / "model", "*")
    return {folder.name: folder for folder in folders if (folder / CONFIGURATION).is_file()}


def _of_run(run: Place, network: str) -> Place:
    trained = trained_in(run)
    if len(trained) > 1 and file_name(network) not in trained:
        raise WeightsError(
            f"the run {run} trained {', '.join(trained)}{f', and not {network}' if network else ''}: "
            f"name one of them, as in {run / 'model' / min(trained)}"
        )
    return trained.get(file_name(network), next(iter(trained.values()), run))


def _stored(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors to store: all as they are, unless the network knows a shorter form."""
    state: dict[str, Tensor] = getattr(network, "stored_state", network.state_dict)()
    return state


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
