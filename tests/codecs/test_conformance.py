"""Every registered codec does what every codec has to do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import pytest

from aebench import Codec, Rgb
from aebench.codecs import registry
from aebench.codecs.base import format_value
from aebench.codecs.reference import ReferenceCodec
from aebench.errors import SettingError
from tests.codecs import conformance

NEEDS = {
    "paper": {"weights": "paper_weights"},
    "command": {"encode": "ppm_encoder", "decode": "ppm_decoder"},
}
"""Parameters that a codec cannot do without, and the fixtures that give them."""

SWEEPS = {"command": (["image=ppm", "q=16"], ["image=ppm", "q=4|16|64"])}
"""A setting and a sweep of a codec that has none of its own."""

PROGRAMS = {"bpg-libbpg": ("bpgenc", "bpgdec")}
"""Programs that a codec runs, found on the PATH."""

LEAST_WIDTH = {"bpg-libbpg": 25}
"""Columns below which the program of a codec crashes; it then raises `CodecError`, as its own tests say."""


@dataclass(frozen=True)
class Case:
    """A codec at its default setting, and its default sweep."""

    codec: Codec
    sweep: list[Codec]


@pytest.fixture(scope="module", params=registry.list_codecs())
def case(request: pytest.FixtureRequest) -> Case:
    """Each registered codec; skipped where it needs a package or a program that is not installed."""
    name: str = request.param
    for program in PROGRAMS.get(name, ()):
        if shutil.which(program) is None:
            pytest.skip(f"{name} needs {program} on the PATH")
    given = {key: request.getfixturevalue(fixture) for key, fixture in NEEDS.get(name, {}).items()}
    needed = [f"{key}={format_value(str(value))}" for key, value in given.items()]
    setting, sweep = (f"{name}[{','.join([*needed, *own])}]" for own in SWEEPS.get(name, ([], [])))
    try:
        found = Case(registry.codec(setting), registry.codecs(sweep))
        if isinstance(found.codec, ReferenceCodec) and not found.codec.shipped():
            pytest.skip(f"{name} has no weights yet")  # untrained, it has tests of its own
        return found
    except SettingError as error:
        missing = getattr(error.__cause__, "name", None) or "aebench"
        if missing.partition(".")[0] == "aebench":
            raise
        pytest.skip(str(error))


def test_settings_parse_back(case: Case) -> None:
    for codec in (case.codec, *case.sweep):
        conformance.check_setting(codec)


@pytest.mark.parametrize("shape", conformance.SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_round_trip(case: Case, photograph: Rgb, shape: tuple[int, int]) -> None:
    if shape[1] < LEAST_WIDTH.get(case.codec.name, 1):
        pytest.skip(f"{case.codec.name} refuses images of {shape[1]} columns")
    for codec in (case.codec, case.sweep[0], case.sweep[-1]):
        conformance.check_round_trip(codec, photograph[200 : 200 + shape[0], 200 : 200 + shape[1]])


def test_input(case: Case, crop: Rgb) -> None:
    conformance.check_input(case.codec, crop)


def test_photograph_comes_back_above_the_floor(case: Case, photograph: Rgb) -> None:
    conformance.check_floor(case.codec, photograph)


def test_more_bytes_for_better_quality(case: Case, crop: Rgb) -> None:
    conformance.check_sweep(case.sweep, crop)


def test_another_process_gives_the_same(case: Case, crop: Rgb) -> None:
    conformance.check_other_process(case.codec, crop[:101, :99])


def test_hostile_bytes(case: Case, crop: Rgb) -> None:
    foreign = {name: registry.codec(name).encode(crop) for name in ("jpeg", "jpeg2000", "heif")}
    foreign.pop(case.codec.name, None)
    conformance.check_hostile_bytes(case.codec, crop, foreign)
