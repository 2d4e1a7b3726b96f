"""The lapped transform and the colour rotation."""

from __future__ import annotations

import pytest
import torch

from aebench.models.lapped.transform import CHANNELS, LappedTransform, pad


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 40), (24, 16), (64, 48)])
def test_synthesis_inverts_analysis(height: int, width: int) -> None:
    transform = LappedTransform()
    rgb = torch.rand(2, 3, height, width) * 255
    coefficients = transform.analysis(rgb)
    assert coefficients.shape == (2, CHANNELS, height // 8, width // 8)
    torch.testing.assert_close(transform.synthesis(coefficients), rgb, rtol=0, atol=1e-3)


def test_the_colour_rotation_is_orthonormal() -> None:
    colour = LappedTransform().colour
    torch.testing.assert_close(colour @ colour.T, torch.eye(3), rtol=0, atol=1e-6)


def test_white_noise_in_the_coefficients_is_as_large_in_the_pixels() -> None:
    torch.manual_seed(1)
    noise = torch.randn(1, CHANNELS, 40, 40)
    transform = LappedTransform()
    assert transform.planes(noise).square().mean() == pytest.approx(1, abs=0.02)
    assert (transform.synthesis(noise) - 128).square().mean() == pytest.approx(1, abs=0.02)


def test_each_coefficient_reaches_at_most_four_samples_into_the_next_block() -> None:
    transform = LappedTransform()
    alone = torch.zeros(CHANNELS, CHANNELS, 5, 5)
    alone[:, :, 2, 2] = torch.eye(CHANNELS)
    energy = transform.planes(alone).square().sum((0, 1))
    assert energy[12:28, 12:28].sum() == pytest.approx(float(energy.sum()))
    assert energy[12, 12] > 0


def test_channels_are_planes_then_rows_of_frequencies() -> None:
    rows = torch.arange(64.0)[:, None].expand(64, 64)  # grey that changes downwards alone
    coefficients = LappedTransform().analysis(rows.expand(1, 3, 64, 64))[0, :, 3, 3]
    vertical = torch.arange(0, 64, 8)
    assert coefficients[8].abs() > 1
    others = [c for c in range(64) if c not in vertical]
    assert coefficients[others].abs().max() < 1e-3
    assert coefficients[64:].abs().max() < coefficients[:64].abs().max() / 4


def test_a_flat_image_has_means_alone() -> None:
    coefficients = LappedTransform().analysis(torch.full((1, 3, 32, 24), 200.0))
    means = coefficients[:, ::64]
    assert means[:, 0].std() < 1e-3
    luma = 72 * float(LappedTransform().colour[0].sum())
    assert 0.8 * 8 * luma < means[0, 0, 0, 0] < 8 * luma  # an orthonormal transform would give 8 · luma
    rest = coefficients.reshape(1, 3, 64, -1)[:, :, 1:]
    assert rest.abs().max() < 1e-3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (9, 15)])
def test_padding_repeats_the_last_row_and_column(height: int, width: int) -> None:
    image = torch.rand(1, 3, height, width)
    padded = pad(image)
    assert padded.shape[2] % 8 == padded.shape[3] % 8 == 0
    assert padded.shape[2] - height < 8 and padded.shape[3] - width < 8
    assert torch.equal(padded[..., :height, :width], image)
    assert torch.equal(padded[..., -1, -1], image[..., -1, -1])
