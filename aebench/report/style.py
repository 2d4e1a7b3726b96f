"""One look for every variant, the same in figures and on the page: colour, marker, dashes.

Colours are those of M. Okabe, K. Ito, "Color universal design", 2008, without the yellow, which print and white paper
lose; a variant is told apart by its marker and dashes as well, so that nothing hangs on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Style:
    """How a variant is drawn.

    Attributes
    ----------
    light, dark : str
        Colour on a light and on a dark ground, as ``#rrggbb``.
    marker : str
        In matplotlib's notation.
    dashes : tuple of float
        Lengths of ink and gap in units of the line's width; empty for a solid line.
    """

    light: str
    dark: str
    marker: str
    dashes: tuple[float, ...]


_COLOURS: Final = (
    ("#0072b2", "#5ab4ea"),
    ("#d55e00", "#ff8a3d"),
    ("#009e73", "#2ed3a3"),
    ("#cc79a7", "#e8a3c8"),
    ("#000000", "#e6e6e6"),
    ("#e69f00", "#f5c04a"),
    ("#56b4e9", "#9bd6f7"),
)
_MARKERS: Final = "osD^vPX<>hp"
_DASHES: Final[tuple[tuple[float, ...], ...]] = ((), (5, 2), (1, 1.5), (6, 1.5, 1, 1.5))

_USUAL: Final = (
    "jpeg", "jpeg2000", "bpg", "webp", "paper", "avif", "jxl", "heif", "box-downsample", "bpg-libbpg",
)  # fmt: skip
"""Codecs whose look is the same in every run."""


def styles(variants: Sequence[str]) -> dict[str, Style]:
    """Give every variant its style: the usual ones always the same, the others what is free, in their order."""
    positions = {variant: _USUAL.index(variant) for variant in variants if variant in _USUAL}
    taken = set(positions.values())
    free = (position for position in range(len(_USUAL) + len(variants)) if position not in taken)
    return {variant: _style(positions[variant] if variant in positions else next(free)) for variant in variants}


def _style(position: int) -> Style:
    light, dark = _COLOURS[position % len(_COLOURS)]
    dashes = _DASHES[position // len(_COLOURS) % len(_DASHES)]
    return Style(light, dark, _MARKERS[position % len(_MARKERS)], dashes)
