"""The paper's figure 4, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from aebench.models.paper import PaperAutoencoder, pad, rgb_to_ycbcr, upsample_and_convolve, ycbcr_to_rgb

FIGURE_4 = [
    ("conv2d_1", (32, 512, 768), 896),
    ("max_pooling2d_1", (32, 256, 384), 0),
    ("conv2d_2", (64, 256, 384), 18_496),
    ("max_pooling2d_2", (64, 128, 192), 0),
    ("conv2d_3", (128, 128, 192), 73_856),
    ("conv2d_4", (128, 128, 192), 147_584),
    ("up_sampling2d_1", (128, 256, 384), 0),
    ("conv2d_5", (64, 256, 384), 73_792),
    ("up_sampling2d_2", (64, 512, 768), 0),
    ("conv2d_6", (3, 512, 768), 1_731),
]


def literal(network: PaperAutoencoder, ycbcr: Tensor) -> tuple[Tensor, dict[str, tuple[int, ...]]]:
    """Run figure 4 as it is drawn, one layer after the other."""
    shapes = {}
    features = ycbcr
    for name, _, _ in FIGURE_4:
        if name.startswith("conv"):
            features = getattr(network, name)(features)
            features = features if name == "conv2d_6" else F.relu(features)
        elif name.startswith("max"):
            features = F.max_pool2d(features, 2)
        else:
            features = F.interpolate(features, scale_factor=2, mode="nearest")
        shapes[name] = tuple(features.shape[1:])
    return features, shapes


@torch.no_grad()
def test_layers_have_the_shapes_and_parameters_of_figure_4() -> None:
    network = PaperAutoencoder()
    _, shapes = literal(network, torch.rand(1, 3, 512, 768))
    for name, shape, parameters in FIGURE_4:
        assert shapes[name] == shape
        layer = getattr(network, name, None)
        assert sum(p.numel() for p in layer.parameters()) == parameters if layer is not None else parameters == 0
    assert sum(p.numel() for p in network.parameters()) == 316_355
    assert network.analysis(torch.rand(1, 3, 512, 768)).shape == (1, 128, 128, 192)


@torch.no_grad()
def test_forward_is_figure_4() -> None:
    torch.manual_seed(3)
    network, ycbcr = PaperAutoencoder(), torch.rand(2, 3, 40, 24)
    expected, _ = literal(network, ycbcr)
    torch.testing.assert_close(network(ycbcr), expected, rtol=0, atol=1e-5)


def test_fused_upsampling_has_the_gradients_of_the_plain_layers() -> None:
    torch.manual_seed(4)
    layer, features = torch.nn.Conv2d(5, 7, 3, padding=1).double(), torch.randn(2, 5, 6, 3).double()
    weights = torch.randn(2, 7, 12, 6).double()
    (upsample_and_convolve(features, layer) * weights).sum().backward()
    fused = layer.weight.grad
    layer.weight.grad = None
    (layer(F.interpolate(features, scale_factor=2, mode="nearest")) * weights).sum().backward()
    torch.testing.assert_close(fused, layer.weight.grad)


def test_colour_is_jfif_full_range() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    ycbcr = rgb_to_ycbcr(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255)
    expected = np.asarray(Image.fromarray(rgb).convert("YCbCr"), dtype=np.float32)  # libjpeg's conversion, rounded
    found = ycbcr[0].permute(1, 2, 0).numpy() * 255
    # JFIF centres chroma on 128/255, this network on 0.5: half a level apart
    assert np.abs(found[..., 0] - expected[..., 0]).max() <= 1.01
    assert np.abs(found[..., 1:] + 0.5 - expected[..., 1:]).max() <= 1.01
    back = ycbcr_to_rgb(ycbcr)[0].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(back, rgb, atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (5, 7), (3, 8)])
def test_any_size_is_padded_by_repetition_and_cropped(height: int, width: int) -> None:
    image = torch.rand(1, 3, height, width)
    padded = pad(image)
    assert padded.shape[2] % 4 == padded.shape[3] % 4 == 0
    assert padded.shape[2] - height < 4
    assert padded.shape[3] - width < 4
    assert torch.equal(padded[..., :height, :width], image)
    assert torch.equal(padded[..., -1, -1], image[..., -1, -1])
    with torch.no_grad():
        assert PaperAutoencoder().reconstruct(image).shape == image.shape
