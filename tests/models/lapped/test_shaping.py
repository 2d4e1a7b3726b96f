"""What the encoder asks of a coefficient, given the errors of those before it."""

from __future__ import annotations

import pytest
import torch

from aebench.models.lapped.context import MEANS, ORDER, SPANS
from aebench.models.lapped.shaping import Shaper
from aebench.models.lapped.transform import LappedTransform

HEIGHT, WIDTH = 10, 13
ALL = torch.arange(HEIGHT * WIDTH)


def squared_error(errors: torch.Tensor, border: int = 0) -> torch.Tensor:
    """In the pixels, but for those so near to the border, of errors (1, sites, 192) in coding order."""
    channels = errors.transpose(1, 2).reshape(1, 192, HEIGHT, WIDTH)[:, torch.tensor(ORDER).argsort()]
    return (
        LappedTransform()
        .planes(channels)[..., border : 8 * HEIGHT - border, border : 8 * WIDTH - border]
        .square()
        .sum()
    )


@pytest.mark.parametrize("group", [0, 4, 6, 8])
def test_targets_follow_the_gradient_of_the_error_in_the_pixels(group: int) -> None:
    torch.manual_seed(1)
    y = torch.randn(1, HEIGHT * WIDTH, 192)
    errors = torch.zeros_like(y)
    errors[..., : SPANS[group].start] = torch.randn(1, HEIGHT * WIDTH, SPANS[group].start)
    shaper = Shaper(y, HEIGHT, WIDTH)
    for span in (*(slice(plane, plane + 1) for plane in range(MEANS)), *SPANS[:group]):
        shaper.decide(ALL, span, y[..., span] + errors[..., span])
    errors.requires_grad_()
    (gradient,) = torch.autograd.grad(squared_error(errors) / 2, errors)
    inside = (ALL // WIDTH).clamp(2, HEIGHT - 3) == ALL // WIDTH
    inside &= (ALL % WIDTH).clamp(2, WIDTH - 3) == ALL % WIDTH  # at the border functions have other norms
    asked = y[..., SPANS[group]] - shaper.target(ALL, SPANS[group])
    torch.testing.assert_close(asked[:, inside], gradient[:, inside, SPANS[group]], rtol=0, atol=1e-5)


def test_shaping_makes_the_error_in_the_pixels_smaller() -> None:
    torch.manual_seed(2)
    y = 20 * torch.randn(1, HEIGHT * WIDTH, 192)
    shaper, shaped = Shaper(y, HEIGHT, WIDTH), torch.zeros_like(y)
    for span in (*(slice(plane, plane + 1) for plane in range(MEANS)), *SPANS):
        for sites in (ALL[::2], ALL[1::2]):  # a checkerboard, the width being odd
            shaped[:, sites, span] = shaper.target(sites, span).round()
            shaper.decide(sites, span, shaped[:, sites, span])
    assert squared_error(shaped - y, 16) < 0.97 * squared_error(y.round() - y, 16)


def test_before_anything_is_decided_nothing_is_asked() -> None:
    y = torch.randn(2, HEIGHT * WIDTH, 192)
    assert torch.equal(Shaper(y, HEIGHT, WIDTH).target(ALL[3:9], SPANS[2]), y[:, 3:9, SPANS[2]])
