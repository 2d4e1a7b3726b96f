from __future__ import annotations

import pytest

from aebench.report.style import styles

USUAL = ["jpeg", "jpeg2000", "bpg", "webp", "paper", "avif", "jxl", "heif", "box-downsample", "bpg-libbpg"]


def test_usual_codecs_look_the_same_in_every_run() -> None:
    alone = {codec: styles([codec])[codec] for codec in USUAL}
    assert styles(USUAL) == alone
    among_others = styles(["mine", "bpg", "a[b=c]", "jpeg"])
    assert (among_others["bpg"], among_others["jpeg"]) == (alone["bpg"], alone["jpeg"])


@pytest.mark.parametrize("usual", [0, 4, 10])
def test_up_to_twenty_variants_are_told_apart(usual: int) -> None:
    variants = [*USUAL[:usual], *(f"mine[kind={number}]" for number in range(20 - usual))]
    found = styles(variants)
    assert list(found) == variants
    assert len({(style.light, style.dashes) for style in found.values()}) == 20
    assert len({(style.dark, style.dashes) for style in found.values()}) == 20


def test_markers_tell_apart_what_colour_alone_would() -> None:
    found = styles(USUAL)
    assert len({style.marker for style in found.values()}) == len(USUAL)
