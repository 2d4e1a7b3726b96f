from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from aebench.errors import WeightsError
from aebench.models.paper import PaperAutoencoder
from aebench.models.weights import Weights, build, read_weights
from aebench.results import RunFolder


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    run = RunFolder(tmp_path)
    Weights.of("paper", build("paper"), {"seed": 1}).save(run.weights_of("paper"))
    return tmp_path / "model" / "paper"


def test_weights_come_back(saved: Path) -> None:
    weights = read_weights(saved)
    assert weights.training == {"seed": 1}
    network = weights.load_into(build("paper"))
    assert isinstance(network, PaperAutoencoder)
    for name, tensor in weights.state().items():
        assert torch.equal(tensor, network.state_dict()[name])
    assert json.loads((saved / "model.json").read_text())["parameters"] == 316_355


@pytest.mark.parametrize("name", ["", "model.safetensors"])
def test_a_run_a_folder_or_the_file_can_be_named(saved: Path, name: str) -> None:
    assert read_weights(saved / name) == read_weights(saved.parent.parent)


def test_of_several_that_a_run_trained_that_of_the_network_is_meant(saved: Path) -> None:
    run = saved.parent.parent
    Weights.of("paper-rate", build("paper-rate"), {}).save(RunFolder(run).weights_of("paper-rate"))
    assert read_weights(run, "paper") == read_weights(saved)
    assert read_weights(run, "paper-rate").network == "paper-rate"
    for network in ("", "lapped"):
        with pytest.raises(WeightsError, match=rf"trained paper, paper-rate.*name one of them, as in {saved}"):
            read_weights(run, network)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights in .*nowhere"):
        read_weights(tmp_path / "nowhere")


def test_changed_tensors_are_refused(saved: Path) -> None:
    data = bytearray((saved / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (saved / "model.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="SHA-256"):
        read_weights(saved)


def test_damaged_configuration_is_refused(saved: Path) -> None:
    (saved / "model.json").write_text("[]")
    with pytest.raises(WeightsError, match=r"model\.json is not a weights configuration"):
        read_weights(saved)


def test_tensors_of_another_shape_are_refused() -> None:
    other = torch.nn.Sequential(torch.nn.Conv2d(3, 32, 5))
    with pytest.raises(WeightsError, match=r"tensor '0\.bias' is not in the network"):
        Weights.of("paper", other, {}).load_into(build("paper"))
    wider = build("paper")
    wider.conv2d_1 = torch.nn.Conv2d(3, 48, 3)  # type: ignore[assignment]
    with pytest.raises(WeightsError, match=r"conv2d_1\.bias' is \(48,\), the network has \(32,\)"):
        Weights.of("paper", wider, {}).load_into(build("paper"))


def test_a_training_starts_from_weights_of_which_the_network_has_all() -> None:
    paper, network = Weights.of("paper", build("paper"), {}), build("paper-rate")
    fresh = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    started = paper.start(network).state_dict()
    for name, tensor in started.items():
        assert torch.equal(tensor, paper.state()[name] if name in paper.state() else fresh[name])
    again = Weights.of("paper-rate", network, {}).start(build("paper-rate"))
    for name, tensor in again.state_dict().items():
        torch.testing.assert_close(tensor, started[name], rtol=1e-3, atol=1e-3)  # as they are stored
    assert torch.equal(paper.start(build("paper")).state_dict()["conv2d_1.weight"], paper.state()["conv2d_1.weight"])


def test_a_training_does_not_start_from_weights_without_a_place() -> None:
    with pytest.raises(
        WeightsError, match=r"start from the weights of 'paper-rate': .*'log_gain'.* not in the network"
    ):
        Weights.of("paper-rate", build("paper-rate"), {}).start(build("paper"))
    wider = build("paper")
    wider.conv2d_1 = torch.nn.Conv2d(3, 48, 3)  # type: ignore[assignment]
    with pytest.raises(WeightsError, match=r"'conv2d_1\.bias' of shape \(48,\) is \(32,\) in the network"):
        Weights.of("paper", wider, {}).start(build("paper-rate"))


def test_bytes_that_are_not_safetensors_are_refused() -> None:
    with pytest.raises(WeightsError, match="damaged"):
        Weights("paper", b"no tensors here", {}).load_into(build("paper"))


def test_unknown_network_gets_the_nearest_name() -> None:
    with pytest.raises(WeightsError, match="did you mean 'paper'"):
        build("papre")
    with pytest.raises(WeightsError, match="cannot import the network"):
        build("no_such_module:Network")
    with pytest.raises(WeightsError, match=r"not a torch\.nn\.Module"):
        build("collections:OrderedDict")
