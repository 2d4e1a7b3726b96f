from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from aebench.errors import WeightsError
from aebench.models.entropy.coding import Reader, Tables, Writer
from aebench.models.entropy.factorised import FactorisedPrior

TABLES = "ragged_frequencies"


def fitted(values: Tensor, steps: int = 300) -> FactorisedPrior:
    torch.manual_seed(1)
    prior = FactorisedPrior(values.shape[1])
    optimiser = torch.optim.Adam(prior.parameters(), 0.03)
    for _ in range(steps):
        optimiser.zero_grad()
        prior.bits(values + torch.rand_like(values) - 0.5).mean().backward()
        optimiser.step()
    return prior.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def values() -> Tensor:
    """Channels that are narrow, wide, off the centre, and always 3."""
    random = torch.Generator().manual_seed(1)
    noise = torch.randn(1, 4, 40, 50, generator=random)
    scale, mean = torch.tensor([0.3, 30.0, 3.0, 0.0]), torch.tensor([0.0, 0.0, 25.4, 3.0])
    return (noise * scale[:, None, None] + mean[:, None, None]).round()


@pytest.fixture(scope="module")
def prior(values: Tensor) -> FactorisedPrior:
    return fitted(values)


def coded(tables: Tables, values: Tensor) -> bytes:
    writer = Writer()
    table = np.arange(values.shape[1]).repeat(values[0, 0].numel())
    writer.put(tables, values.numpy().astype(np.int32).ravel(), table)
    data = writer.finish()
    assert np.array_equal(Reader(data).get(tables, table), values.numpy().ravel())
    return data


def test_it_learns_the_distribution(prior: FactorisedPrior, values: Tensor) -> None:
    bits = prior.bits(values).mean((0, 2, 3)).tolist()
    entropies = []
    for channel in values[0]:
        p = channel.unique(return_counts=True)[1].double() / channel.numel()
        entropies.append(float(-(p * p.log2()).sum()))
    for found, entropy in zip(bits, entropies, strict=True):
        assert found == pytest.approx(entropy, abs=0.15)


def test_bytes_agree_with_bits(prior: FactorisedPrior, values: Tensor) -> None:
    assert 8 * len(coded(prior.tables(), values)) == pytest.approx(float(prior.bits(values).sum()), rel=0.01)


def test_mass_adds_up_to_one(prior: FactorisedPrior) -> None:
    v = torch.arange(-400.0, 401)[None, None, :, None].expand(1, 4, -1, 1)
    assert torch.exp2(-prior.bits(v)).sum(2).flatten().tolist() == pytest.approx([1] * 4, abs=1e-3)


def test_a_width_is_another_quantiser_step(prior: FactorisedPrior, values: Tensor) -> None:
    width = torch.tensor([0.5, 1.0, 2.0])[:, None].expand(3, 4).contiguous()
    tables = prior.tables(width)
    assert len(tables) == 12
    halves = (values / 2).round()
    estimated = float(prior.bits(halves, width[2:]).sum())
    assert estimated < float(prior.bits(values).sum())
    writer = Writer()
    table = 8 + np.arange(4).repeat(values[0, 0].numel())
    writer.put(tables, halves.numpy().astype(np.int32).ravel(), table)
    assert 8 * len(writer.finish()) == pytest.approx(estimated, rel=0.01)
    twice = torch.cat([values, halves])
    each = prior.bits(twice, width[1:])
    assert torch.allclose(each[:1], prior.bits(values)) and torch.allclose(each[1:], prior.bits(halves, width[2:]))


def test_tables_travel_as_integers(prior: FactorisedPrior, values: Tensor) -> None:
    state = prior.stored_state()
    other = FactorisedPrior(4).eval()
    other.load_stored_state(state)
    with torch.no_grad():
        other.matrices[0].mul_(1.5)  # whatever the density says by now
    assert coded(other.tables(), values) == coded(prior.tables(), values)
    again = other.stored_state()
    assert again.keys() == state.keys() and all(torch.equal(again[name], state[name]) for name in ("reaches", TABLES))
    assert again[TABLES].dtype == torch.uint16
    other.train()
    assert not torch.equal(other.stored_state()[TABLES], state[TABLES])


def test_no_frequency_is_stored_that_is_not_used(prior: FactorisedPrior) -> None:
    state = prior.stored_state()
    assert (state[TABLES].int() > 0).all() and len(state[TABLES]) == int((2 * state["reaches"].int() + 2).sum())


def test_tables_that_are_cut_off_are_refused(prior: FactorisedPrior) -> None:
    state = prior.stored_state()
    whole = len(state[TABLES])
    with pytest.raises(WeightsError, match=f"should have {whole} frequencies, not {whole - 1}"):
        FactorisedPrior(4).load_stored_state({**state, TABLES: state[TABLES][:-1]})


def test_far_values_are_coded_and_have_a_gradient(prior: FactorisedPrior) -> None:
    far = torch.full((1, 4, 1, 2), 5000.0, requires_grad=True)
    prior.bits(far).sum().backward()  # type: ignore[no-untyped-call]
    assert far.grad is not None and far.grad.isfinite().all()
    coded(prior.tables(), far.detach())
