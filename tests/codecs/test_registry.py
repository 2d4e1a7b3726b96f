"""Finding codecs by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aebench
from aebench.codecs import registry
from aebench.codecs.command import Command
from aebench.codecs.jpeg import Jpeg
from aebench.codecs.jpeg2000 import Jpeg2000
from aebench.errors import SettingError
from tests.codecs.test_base import Raw

PLUGIN = """
from dataclasses import dataclass
from aebench import Codec, parameter

@dataclass(frozen=True)
class Null(Codec):
    name = "null"
    def encode(self, rgb): return bytes([rgb.shape[0], rgb.shape[1]])
    def decode(self, data):
        import numpy
        return numpy.zeros((data[0], data[1], 3), numpy.uint8)
    def version(self): return "null 1"

class Twin(Null):
    name = "jpeg"

class Half(Codec):
    name = "half"

class Other: ...
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An installed distribution with codecs in it; its module's name."""
    module = "plugin_of_somebody_else"
    (tmp_path / f"{module}.py").write_text(PLUGIN)
    information = tmp_path / "plugin-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (information / "entry_points.txt").write_text(f"[aebench.codecs]\nnull = {module}:Null\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry._installed.cache_clear()
    yield module
    registry._installed.cache_clear()
    sys.modules.pop(module, None)


def test_names_and_settings() -> None:
    assert aebench.codec("jpeg") == Jpeg()
    assert aebench.codec("jpeg2000[bpp=0.5]") == Jpeg2000(bpp=0.5)
    assert registry.codecs("jpeg[quality=10|20],jpeg2000[bpp=1],jpeg[quality=20]") == [
        Jpeg(quality=10),
        Jpeg(quality=20),
        Jpeg2000(bpp=1.0),
    ]


SWEPT = ["jpeg", "jpeg2000", "bpg", "heif", "webp", "avif", "box-downsample"]


@pytest.mark.parametrize("name", SWEPT)
def test_default_sweeps_reach_from_low_rates_to_high_ones_in_many_steps(name: str) -> None:
    assert len(registry.codecs(name)) >= 8


def test_two_codecs_of_one_variant_are_refused(plugin: str, ppm_encoder: str, ppm_decoder: str) -> None:
    first = Command(label="mine", encode_=ppm_encoder, decode_=ppm_decoder, q="8").setting
    other = Command(label="mine", encode_=ppm_encoder, decode_=ppm_decoder, q="9", image="ppm").setting
    assert [codec.variant for codec in registry.codecs(f"{first},jpeg,{first}")][:2] == ["command[label=mine]", "jpeg"]
    with pytest.raises(SettingError, match=r"two codecs are called command\[label=mine\]: they differ in image; give"):
        registry.codecs(f"{first},jpeg,{other}")
    with pytest.raises(SettingError, match="two codecs are called jpeg: they are of two classes"):
        registry.codecs(f"jpeg,{plugin}:Twin")


def test_one_codec_where_one_is_wanted() -> None:
    with pytest.raises(SettingError, match="names 2 codecs where one is wanted"):
        aebench.codec("jpeg,jpeg2000")
    with pytest.raises(SettingError, match="names 2 settings where one is wanted"):
        aebench.codec("jpeg[quality=1|2]")


@pytest.mark.parametrize(("slip", "nearest"), [("jpg", "jpeg"), ("jpeg200", "jpeg2000"), ("heic", "heif")])
def test_an_unknown_name_gets_the_nearest(slip: str, nearest: str) -> None:
    with pytest.raises(SettingError, match=rf"no codec '{slip}' \(did you mean '{nearest}'\?\)"):
        aebench.codec(slip)


def test_an_unknown_parameter_gets_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"'jpeg' has no parameter 'qualty' \(did you mean 'quality'\?\)"):
        aebench.codec("jpeg[qualty=5]")


def test_a_codec_is_found_by_its_class() -> None:
    assert aebench.codec("tests.codecs.test_base:Raw[level=4]") == Raw(level=4)


def test_an_installed_codec_is_listed_and_found(plugin: str) -> None:
    assert "null" in aebench.list_codecs()
    assert aebench.codec("null").version() == "null 1"
    assert registry.codecs(f"null,{plugin}:Null") == [aebench.codec("null")]


def test_what_ships_is_listed(plugin: str) -> None:
    assert {"jpeg", "jpeg2000", "heif", "paper"} < set(aebench.list_codecs())
    assert aebench.list_codecs() == sorted(aebench.list_codecs())


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        ("Nul", r"has no class 'Nul' \(did you mean 'Null'\?\)"),
        ("Half", "is not a codec: derive it from aebench.Codec and define all its methods"),
        ("Other", "is not a codec"),
    ],
)
def test_a_class_that_is_no_codec_is_named(plugin: str, cls: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        aebench.codec(f"{plugin}:{cls}")


@pytest.mark.parametrize("name", ["no_such_module:Mine", "a.:Mine", "os.nowhere:Mine", "a-b:Mine", "_..:Mine"])
def test_a_module_that_cannot_be_imported_is_named(name: str) -> None:
    with pytest.raises(SettingError, match="cannot import"):
        aebench.codec(name)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys, aebench.codecs.registry as r; r.list_codecs(); r.codecs('jpeg'); "
        "print(*({'torch', 'ray', 'rich', 'glymur', 'pillow_heif'} & sys.modules.keys()))"
    )
    environment = {"PYTHONPATH": str(Path(aebench.__file__).parents[1])}
    child = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == ""
