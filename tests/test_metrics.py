"""Metrics against scikit-image, pytorch-msssim and published means, and what happens at the edges."""

from __future__ import annotations

import io
import math
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import pytorch_msssim  # type: ignore[import-untyped]
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from aebench.codecs.base import Rgb
from aebench.color import rgb_to_ycbcr_bt601
from aebench.errors import CodecError
from aebench.metrics import Reference, ms_ssim, mse, psnr

RNG = np.random.default_rng(1)
SIZES = [(161, 161), (176, 161), (163, 200), (177, 331), (256, 192)]
"""Even and odd at every one of the five scales."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: with more it waits longer than it computes where other work runs beside it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def read(path: Path) -> Rgb:
    return np.array(Image.open(path).convert("RGB"))


def jpeg(rgb: Rgb, quality: int) -> tuple[Rgb, int]:
    """Code with Pillow's defaults; gives the decoded image and the number of bytes."""
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=quality)
    length = stream.tell()
    return np.array(Image.open(stream)), length


def oracle_ms_ssim(a: Rgb, b: Rgb, dtype: torch.dtype = torch.float32) -> float:
    """pytorch-msssim; in double precision with a window that is not rounded to single."""
    planes = [torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None].to(dtype) for rgb in (a, b)]
    gaussian = torch.exp(-((torch.arange(11, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    window = (gaussian / gaussian.sum()).expand(3, 1, 1, 11)
    with torch.no_grad():
        return float(pytorch_msssim.ms_ssim(*planes, data_range=255, win=window if dtype == torch.float64 else None))


small_images = st.integers(1, 90).flatmap(
    lambda height: st.integers(1, 9).flatmap(
        lambda width: st.tuples(*[arrays(np.uint8, (height, width, 3), elements=st.integers(0, 255))] * 2)
    )
)


@given(small_images)
def test_squared_errors_equal_their_definitions(images: tuple[Rgb, Rgb]) -> None:
    original, decoded = images
    difference = original.astype(int) - decoded.astype(int)
    scores = Reference(original).score(decoded)
    assert scores.mse == mse(original, decoded) == int((difference**2).sum()) / difference.size
    assert scores.psnr_rgb == psnr(scores.mse)
    planes = (rgb_to_ycbcr_bt601(original) - rgb_to_ycbcr_bt601(decoded)).reshape(-1, 3)
    y, cb, cr = (psnr(float(value)) if value > 1e-20 else math.inf for value in (planes**2).mean(axis=0))
    assert scores.psnr_y == pytest.approx(y, rel=1e-12)
    assert scores.psnr_yuv == pytest.approx((6 * y + cb + cr) / 8, rel=1e-12)


def test_psnr_agrees_with_scikit_image(photograph: Rgb) -> None:
    original = photograph[:70, :130]
    decoded, _ = jpeg(original, 40)
    expected = peak_signal_noise_ratio(original, decoded, data_range=255)  # type: ignore[no-untyped-call]
    assert Reference(original).score(decoded).psnr_rgb == pytest.approx(expected, abs=1e-12)


def test_mse_takes_floats_and_refuses_shapes_that_would_broadcast() -> None:
    assert mse([0.0, 0.5], [0.0, 0.0]) == 0.125
    with pytest.raises(ValueError, match="differ in shape"):
        mse(np.zeros((2, 3)), np.zeros(3))


def test_psnr_of_known_errors() -> None:
    assert psnr(0) == math.inf
    assert psnr(255**2) == 0
    assert psnr(1) == pytest.approx(48.1308036, abs=1e-7)
    assert psnr(0.01, peak=1) == pytest.approx(20)


def test_lossless_is_infinite_and_exactly_one(photograph: Rgb) -> None:
    original = photograph[:170, :180]
    scores = Reference(original).score(original.copy())
    assert (scores.mse, scores.psnr_rgb, scores.psnr_y, scores.psnr_yuv, scores.ms_ssim) == (
        0, math.inf, math.inf, math.inf, 1.0,
    )  # fmt: skip


def test_an_error_without_chroma_gives_infinite_psnr_yuv_but_finite_luma() -> None:
    scores = Reference(np.full((8, 8, 3), 100, np.uint8)).score(np.full((8, 8, 3), 101, np.uint8))
    assert scores.psnr_y == scores.psnr_rgb == psnr(1)
    assert scores.psnr_yuv == math.inf


@pytest.mark.parametrize(
    ("decoded", "match"),
    [
        (np.zeros((8, 8, 3), np.uint8), "decoded to 8×8, the original is 17×33"),
        (np.zeros((17, 33, 3), np.uint8), "decoded to 33×17, the original is 17×33"),
        (np.zeros((33, 17), np.uint8), r"decoded to an array of shape \(33, 17\), the original is 17×33"),
        (np.zeros((33, 17, 3)), "decoded to float64"),
    ],
)
def test_a_decoded_image_of_another_kind_is_the_codec_s_error(decoded: npt.NDArray[np.uint8], match: str) -> None:
    with pytest.raises(CodecError, match=match):
        Reference(np.zeros((33, 17, 3), np.uint8)).score(decoded)


@pytest.mark.parametrize(("height", "width", "defined"), [(160, 400, False), (400, 160, False), (161, 161, True)])
def test_ms_ssim_is_none_where_it_is_undefined(height: int, width: int, defined: bool) -> None:
    scores = Reference(np.zeros((height, width, 3), np.uint8)).score(np.ones((height, width, 3), np.uint8))
    assert (scores.ms_ssim is not None) == defined


def test_ms_ssim_is_none_where_it_is_not_asked_for(photograph: Rgb) -> None:
    original = photograph[:170, :180]
    scores = Reference(original).score(original // 2, ["psnr"])
    assert scores.ms_ssim is None
    assert scores.psnr_rgb == Reference(original).score(original // 2, ["ms-ssim"]).psnr_rgb


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_ms_ssim_is_that_of_pytorch_msssim(height: int, width: int, photograph: Rgb) -> None:
    original = photograph[:height, :width]
    reference = Reference(original)
    for quality in (1, 30, 95):
        decoded, _ = jpeg(original, quality)
        assert reference.score(decoded).ms_ssim == pytest.approx(oracle_ms_ssim(original, decoded), abs=1e-5)


HARD_SIZE = (177, 203, 3)
NOISE = RNG.integers(0, 256, HARD_SIZE, dtype=np.uint8)
FLAT = np.full(HARD_SIZE, 200, np.uint8)
CHECKS = np.broadcast_to((np.indices(HARD_SIZE[:2]).sum(axis=0) % 2 * 255)[..., None], HARD_SIZE).astype(np.uint8)


@pytest.mark.parametrize(
    ("original", "decoded"),
    [
        pytest.param(NOISE, 255 - NOISE, id="negative"),
        pytest.param(NOISE, np.dstack([NOISE[..., :2] // 2, 255 - NOISE[..., 2]]), id="one channel negative"),
        pytest.param(NOISE, RNG.integers(0, 256, HARD_SIZE, dtype=np.uint8), id="unrelated noise"),
        pytest.param(FLAT, FLAT + RNG.integers(0, 9, HARD_SIZE, dtype=np.uint8), id="flat with noise"),
        pytest.param(FLAT, FLAT + np.uint8(1), id="one step brighter"),
        pytest.param(FLAT * 0, FLAT * 0 + np.uint8(255), id="black and white"),
        pytest.param(CHECKS, np.full(HARD_SIZE, 128, np.uint8), id="checks turned grey"),
    ],
)
def test_ms_ssim_of_hard_images_is_that_of_pytorch_msssim_in_double_precision(original: Rgb, decoded: Rgb) -> None:
    """In single precision pytorch-msssim itself is up to 2e-4 off on flat images."""
    expected = oracle_ms_ssim(original, decoded, torch.float64)
    assert Reference(original).score(decoded).ms_ssim == pytest.approx(expected, abs=2e-5)


def test_scores_do_not_depend_on_what_was_scored_before(photograph: Rgb) -> None:
    original = photograph[:180, :190]
    first, second = (jpeg(original, quality)[0] for quality in (20, 80))
    reference = Reference(original)
    scores = reference.score(first)
    reference.score(second)
    assert reference.score(first) == scores == Reference(original).score(first)


def test_ms_ssim_on_kodak_is_that_of_pytorch_msssim(kodak: list[Path]) -> None:
    for path in kodak[::8]:
        original = read(path)
        reference = Reference(original)
        for quality in (5, 50, 95):
            decoded, _ = jpeg(original, quality)
            assert reference.score(decoded).ms_ssim == pytest.approx(oracle_ms_ssim(original, decoded), abs=1e-5)


@pytest.mark.slow
def test_ms_ssim_on_all_of_kodak_is_that_of_pytorch_msssim(kodak: list[Path]) -> None:
    """In single precision it is 4e-5 off its own double on image 20, half of which is white sky."""
    for path in kodak:
        original = read(path)
        reference = Reference(original)
        for quality in (5, 40, 95):
            decoded, _ = jpeg(original, quality)
            similarity = reference.score(decoded).ms_ssim
            assert similarity == pytest.approx(oracle_ms_ssim(original, decoded, torch.float64), abs=1e-5)
            tolerance = 1e-4 if path.stem == "kodim20" else 1e-5
            assert similarity == pytest.approx(oracle_ms_ssim(original, decoded), abs=tolerance), (path, quality)


KODAK_JPEG_MEANS = {
    5: (23.8522, 0.22115, 0.80708),
    30: (30.4915, 0.65979, 0.96315),
    50: (32.1738, 0.90552, 0.97688),
    75: (34.5221, 1.36760, 0.98664),
    95: (40.5604, 3.39192, 0.99567),
}
"""Means over the 24 Kodak images of PSNR RGB, bpp and MS-SSIM, by JPEG quality, as another program measured them."""


@pytest.mark.slow
@pytest.mark.parametrize("quality", KODAK_JPEG_MEANS)
def test_kodak_means_are_those_of_another_program(quality: int, kodak: list[Path]) -> None:
    psnrs, rates, similarities = [], [], []
    for original in map(read, kodak):
        decoded, length = jpeg(original, quality)
        scores = Reference(original).score(decoded)
        psnrs.append(scores.psnr_rgb)
        rates.append(8 * length / (original.size / 3))
        similarities.append(scores.ms_ssim or math.nan)
    expected_psnr, expected_rate, expected_similarity = KODAK_JPEG_MEANS[quality]
    assert statistics.mean(psnrs) == pytest.approx(expected_psnr, abs=2e-3)
    assert statistics.mean(rates) == pytest.approx(expected_rate, rel=1e-3)
    assert statistics.mean(similarities) == pytest.approx(expected_similarity, abs=2e-5)


@pytest.mark.alone
@pytest.mark.slow
def test_a_setting_costs_at_most_a_third_of_pytorch_msssim(photograph: Rgb) -> None:
    """All metrics of a setting, and the original's moments spread over eight, in CPU time of one thread each.

    The two are measured setting by setting in turn, so that whatever slows the machine slows both.
    """
    original = photograph
    decoded = [jpeg(original, quality)[0] for quality in range(10, 90, 10)]
    ratios = []
    for _ in range(3):
        ours = theirs = 0.0
        reference = Reference(original)
        for image in decoded:
            start = time.process_time()
            reference.score(image)
            middle = time.process_time()
            oracle_ms_ssim(original, image)
            ours += middle - start
            theirs += time.process_time() - middle
        ratios.append(ours / theirs)
    assert statistics.median(ratios) <= 1 / 3


def test_the_moments_of_the_original_are_computed_once(photograph: Rgb, monkeypatch: pytest.MonkeyPatch) -> None:
    images: list[object] = []

    class Counting(ms_ssim.MsSsim):
        def __init__(self, rgb: Rgb) -> None:
            images.append(rgb)
            super().__init__(rgb)

    monkeypatch.setattr(ms_ssim, "MsSsim", Counting)
    original = photograph[:170, :180]
    reference = Reference(original)
    for quality in (10, 50, 90):
        reference.score(jpeg(original, quality)[0])
    assert len(images) == 1
    assert images[0] is original
