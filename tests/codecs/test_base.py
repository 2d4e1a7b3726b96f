"""The codec protocol: parameters, their checks, and the images that pass the border."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from aebench import Codec, Rgb, parameter
from aebench.codecs.base import MOST_PIXELS, check_rgb, check_size, format_value, make, parameters
from aebench.errors import CodecError, SettingError


@dataclass(frozen=True)
class Raw(Codec):
    """Stores pixels as they are; its parameters have no effect."""

    name = "raw"
    sweep = "level=1..3"

    level: int = parameter(1, low=0, high=9, help="a number")
    ratio: float = parameter(0.5, low=0.0, help="a fraction")
    label: str = parameter("plain", help="a text")
    order: str = parameter("rgb", choices=("rgb", "bgr"), help="a choice")
    flag: bool = parameter(False, help="a switch")
    note: str = dataclasses.field(default="", compare=False)

    def encode(self, rgb: Rgb) -> bytes:
        return bytes(rgb.shape[:2]) + check_rgb(rgb).tobytes()

    def decode(self, data: bytes) -> Rgb:
        return np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)

    def version(self) -> str:
        return "raw 1"


def test_parameters_are_the_fields_declared_as_such() -> None:
    assert list(parameters(Raw)) == ["level", "ratio", "label", "order", "flag"]


def test_setting_names_what_is_swept_and_what_differs_from_the_default() -> None:
    assert Raw().setting == str(Raw()) == "raw[level=1]"
    assert Raw(ratio=0.25, flag=True).setting == "raw[level=1,ratio=0.25,flag=true]"
    assert Raw(level=4, label="two words").setting == 'raw[level=4,label="two words"]'


def test_variant_leaves_out_what_is_swept() -> None:
    assert Raw().variant == Raw(level=4).variant == "raw"
    assert Raw(level=4, ratio=0.25).variant == "raw[ratio=0.25]"


def test_a_parameter_may_be_called_as_a_method_is() -> None:
    @dataclass(frozen=True)
    class Named(Raw):
        encode_: str = parameter("", help="a text")

    assert list(parameters(Named))[-1] == "encode"
    named = make(Named, {"encode": "x"})
    assert (named.setting, named.values()["encode"]) == ("raw[level=1,encode=x]", "x")
    with pytest.raises(SettingError, match=r"raw\[encode=…\] takes text, not 5"):
        make(Named, {"encode": 5})
    with pytest.raises(SettingError, match="has no parameter 'encode_'"):
        make(Named, {"encode_": "x"})


def test_instances_are_values() -> None:
    assert Raw(level=2) == Raw(level=2, note="of no account")
    assert len({Raw(), Raw(level=1), Raw(ratio=0.5)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        Raw().level = 3  # type: ignore[misc]


def test_values_hold_defaults_too() -> None:
    values = {"level": 3, "ratio": 0.5, "label": "plain", "order": "rgb", "flag": False}
    assert Raw(level=3).values() == values
    assert json.loads(Raw(level=3).parameters_json()) == values


def test_a_whole_number_is_taken_for_a_fraction() -> None:
    ratio = Raw(ratio=2).ratio
    assert (ratio, type(ratio)) == (2.0, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"level": 10}, r"raw\[level=…\] takes 0 to 9, not 10"),
        ({"level": -1}, "0 to 9"),
        ({"level": 1.0}, r"a whole number, not 1\.0"),
        ({"level": True}, "a whole number, not True"),
        ({"level": "1"}, "a whole number, not '1'"),
        ({"ratio": -0.5}, "at least 0, not -0.5"),
        ({"ratio": float("nan")}, "a finite number"),
        ({"ratio": float("inf")}, "a finite number"),
        ({"ratio": None}, "a number, not None"),
        ({"label": 5}, "text, not 5"),
        ({"order": "grb"}, "one of rgb, bgr, not 'grb'"),
        ({"flag": 1}, "true or false, not 1"),
    ],
)
def test_a_value_that_cannot_be_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Raw(**values)


def test_a_parameter_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"'raw' has no parameter 'levl' \(did you mean 'level'\?\)"):
        make(Raw, {"levl": 1})
    with pytest.raises(SettingError, match="it has: level, ratio, label, order, flag"):
        make(Raw, {"note": "is no parameter"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (3.0, "3"),
        (0.1, "0.1"),
        (-2.5e-7, "-2.5e-07"),
        (1e300, "1e+300"),
        ("plain", "plain"),
        ("a/b.c", "a/b.c"),
        ("", '""'),
        ("a,b", '"a,b"'),
        ('"', r'"\""'),
        ("ö", '"ö"'),
    ],
)
def test_values_are_written_as_the_grammar_reads_them(value: Any, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=lambda image: f"{image.dtype}-{image.shape}",
)
def test_what_is_not_an_image_is_refused(image: Any) -> None:
    with pytest.raises(CodecError, match="uint8 RGB of shape"):
        check_rgb(image)


def test_an_image_too_large_is_refused_without_being_copied() -> None:
    image = np.broadcast_to(np.uint8(0), (20_000, 20_000, 3))
    with pytest.raises(CodecError, match="20000×20000"):
        check_rgb(image)


def test_an_image_is_handed_on_contiguous() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert check_rgb(image) is image
    flipped = check_rgb(image[::-1, ::-1])
    assert flipped.flags.c_contiguous
    assert np.array_equal(flipped, image[::-1, ::-1])


@pytest.mark.parametrize("size", [(1, 1), (MOST_PIXELS, 1), (2**13, 2**14)])
def test_sizes_up_to_the_limit_pass(size: tuple[int, int]) -> None:
    check_size(*size)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, -5), (MOST_PIXELS, 2), (2**31, 2**31)])
def test_other_sizes_do_not(size: tuple[int, int]) -> None:
    with pytest.raises(CodecError, match="is not a size that can be coded"):
        check_size(*size)
