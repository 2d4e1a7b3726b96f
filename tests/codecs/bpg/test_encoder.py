from __future__ import annotations

import numpy as np
import pytest

from aebench.codecs import Rgb, bpg
from aebench.codecs.bpg import chroma as chroma_filters
from aebench.codecs.bpg import color
from aebench.errors import CodecError
from aebench.metrics import mse, psnr

SIZES = [(1, 1), (8, 8), (16, 16), (17, 33), (32, 33), (33, 33), (33, 57), (56, 64), (57, 57), (64, 64), (65, 127)]
CHROMA = ["444", "420", "422", "grey"]


@pytest.mark.parametrize("chroma", CHROMA)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_lossless_keeps_the_planes(photograph: Rgb, height: int, width: int, chroma: str) -> None:
    rgb = photograph[100 : 100 + height, 200 : 200 + width]
    decoded = bpg.decode(bpg.encode(rgb, chroma=chroma, lossless=True))
    y, cb, cr = color.rgb_to_ycbcr(rgb, 8)
    if chroma == "grey":
        wanted = color.grey_to_rgb(y, 8, False)
    else:
        if chroma == "420":
            cb, cr = (chroma_filters.double(chroma_filters.halve(c, 8), height, width, 8, False) for c in (cb, cr))
        elif chroma == "422":
            cb, cr = (chroma_filters.double_width(chroma_filters.halve_width(c, 8), width, 8, False) for c in (cb, cr))
        wanted = color.to_rgb(y, cb, cr, "ycbcr-bt601", 8, False)
    assert np.array_equal(decoded, wanted)


@pytest.mark.parametrize("side", [20, 80])
def test_lossless_at_ten_bits_keeps_rgb(photograph: Rgb, side: int) -> None:
    rgb = photograph[:side, :side]
    assert np.array_equal(bpg.decode(bpg.encode(rgb, depth=10, lossless=True)), rgb)


@pytest.mark.parametrize(("chroma", "floor"), [("444", 35.5), ("422", 35.0), ("420", 34.5)])
def test_quality(crop: Rgb, chroma: str, floor: float) -> None:
    assert psnr(mse(bpg.decode(bpg.encode(crop, qp=26, chroma=chroma)), crop)) > floor


@pytest.mark.parametrize("depth", [8, 10])
def test_a_higher_qp_takes_fewer_bytes(crop: Rgb, depth: int) -> None:
    sizes = [len(bpg.encode(crop, qp=qp, depth=depth)) for qp in (0, 10, 20, 30, 40, 51)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)


def test_grey_is_grey(crop: Rgb) -> None:
    for rgb in (crop, crop[:20, :20]):
        decoded = bpg.decode(bpg.encode(rgb, chroma="grey"))
        assert np.array_equal(decoded[..., 0], decoded[..., 1])
        assert np.array_equal(decoded[..., 1], decoded[..., 2])


def test_header_and_container_cost_little(crop: Rgb) -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    assert len(bpg.encode(flat, qp=51)) < 60
    header = bpg.read_header(bpg.encode(crop))
    assert (header.width, header.height, header.chroma, header.depth) == (192, 128, "444", 8)
    assert header.start == 11


def test_same_bytes_every_time(crop: Rgb) -> None:
    odd = crop[:101, :99]
    assert len({bpg.encode(odd, chroma="420") for _ in range(4)}) == 1


def test_global_options_of_pillow_heif_change_nothing(crop: Rgb, monkeypatch: pytest.MonkeyPatch) -> None:
    import pillow_heif

    wanted = bpg.encode(crop)
    monkeypatch.setattr(pillow_heif.options, "QUALITY", -1)
    monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 64)
    monkeypatch.setattr(pillow_heif.options, "SAVE_NCLX_PROFILE", False)
    assert bpg.encode(crop) == wanted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"qp": 52}, "qp is 52"),
        ({"qp": -1}, "qp is -1"),
        ({"chroma": "440"}, "chroma is '440'"),
        ({"depth": 12}, "depth is 12"),
        ({"depth": 10, "chroma": "420"}, "chroma 420 at 10 bits"),
    ],
)
def test_refuses_values(crop: Rgb, options: dict[str, int | str], said: str) -> None:
    with pytest.raises(CodecError, match=said):
        bpg.encode(crop, **options)  # type: ignore[arg-type]


def test_refuses_sizes() -> None:
    with pytest.raises(CodecError, match="8193x1"):
        bpg.encode(np.zeros((1, 8193, 3), np.uint8))


@pytest.mark.slow
def test_the_largest_size() -> None:
    rows = np.arange(8192, dtype=np.uint8)
    rgb = np.stack(np.broadcast_arrays(rows[:, np.newaxis], rows, np.uint8(50)), axis=-1)
    decoded = bpg.decode(bpg.encode(rgb, qp=40))
    assert decoded.shape == rgb.shape
