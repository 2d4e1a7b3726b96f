"""The grammar of codecs and settings."""

from __future__ import annotations

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from aebench import Codec, Error
from aebench.codecs import registry, settings
from aebench.codecs.base import Value, make, parameters
from aebench.errors import SettingError
from tests.codecs.test_base import Raw


def expand(text: str) -> list[Codec]:
    (item,) = settings.parse(text)
    return settings.expand(item, Raw)


def levels(text: str) -> list[object]:
    return [codec.values()["level"] for codec in expand(f"raw[level={text}]")]


def ratios(text: str) -> list[object]:
    return [codec.values()["ratio"] for codec in expand(f"raw[level=1,ratio={text}]")]


def values_of(codec: type[Codec]) -> st.SearchStrategy[dict[str, Value]]:
    """Every value that the parameters of a codec allow."""
    values: dict[str, st.SearchStrategy[Value]] = {}
    for name, field in parameters(codec).items():
        low, high, choices = field.metadata["low"], field.metadata["high"], field.metadata["choices"]
        if choices is not None:
            values[name] = st.sampled_from(choices)
        elif type(field.default) is bool:
            values[name] = st.booleans()
        elif type(field.default) is int:
            values[name] = st.integers(low, high)
        elif type(field.default) is float:
            values[name] = st.floats(low, high, allow_nan=False, allow_infinity=False)
        else:
            values[name] = st.text()
    return st.fixed_dictionaries(values)


RAW = values_of(Raw).map(lambda values: make(Raw, values))


@pytest.mark.parametrize("name", registry.list_codecs())
def test_every_setting_of_every_codec_parses_back(name: str) -> None:
    try:
        family = registry.find(name)
        family()
    except SettingError as error:
        pytest.skip(str(error))

    @given(values=values_of(family))
    def parses_back(values: dict[str, Value]) -> None:
        try:
            codec = make(family, values)
        except SettingError:
            reject()  # values that each are allowed, and not together
        (item,) = settings.parse(codec.setting)
        assert settings.single(item, family) == codec
        assert settings.single(item, family).setting == codec.setting

    parses_back()


@given(codec=RAW)
def test_every_value_parses_back(codec: Codec) -> None:
    (item,) = settings.parse(codec.setting)
    assert settings.single(item, Raw) == codec


@given(several=st.lists(RAW, min_size=1, max_size=5))
def test_a_list_of_settings_parses_back(several: list[Codec]) -> None:
    items = settings.parse(" , ".join(codec.setting for codec in several))
    assert [settings.single(item, Raw) for item in items] == several


@given(st.text(alphabet='ajpegqulity=|.,:[]" \\0159-+e\n\x00ö', max_size=40))
def test_any_text_is_a_list_or_an_error_of_ours(text: str) -> None:
    try:
        settings.parse(text)
    except Error as error:
        assert repr(text) in str(error)


@given(st.text(alphabet="0123456789.:-+eE_nNaAinfF|", min_size=1, max_size=12))
def test_any_range_is_numbers_or_an_error_of_ours(text: str) -> None:
    try:
        found = ratios(text)
    except Error:
        return
    assert 1 <= len(found) <= settings.MOST_SETTINGS


def test_a_bare_name_is_the_default_sweep() -> None:
    assert expand("raw") == [Raw(level=1), Raw(level=2), Raw(level=3)]
    assert expand("raw[]") == expand("raw")
    assert expand("raw[flag=true]") == [Raw(level=level, flag=True) for level in (1, 2, 3)]
    assert expand("raw[level=7]") == [Raw(level=7)]


def test_one_setting_leaves_the_rest_at_its_default() -> None:
    (item,) = settings.parse("raw[flag=true]")
    assert settings.single(item, Raw) == Raw(flag=True)
    (item,) = settings.parse("raw[level=1|2]")
    with pytest.raises(SettingError, match="names 2 settings where one is wanted"):
        settings.single(item, Raw)


def test_several_swept_parameters_give_every_combination() -> None:
    found = [(codec.values()["level"], codec.values()["order"]) for codec in expand("raw[level=1|2,order=rgb|bgr]")]
    assert found == [(1, "rgb"), (1, "bgr"), (2, "rgb"), (2, "bgr")]


def test_a_setting_named_twice_counts_once() -> None:
    assert levels("2|1..3|2") == [2, 1, 3]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1..4", [1, 2, 3, 4]), ("0..9:4", [0, 4, 8]), ("5..5", [5]), ("0..1|7..9:2", [0, 1, 7, 9]), (" 3 ", [3])],
)
def test_ranges_of_whole_numbers_hold_both_ends(text: str, numbers: list[int]) -> None:
    assert levels(text) == numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0.1..0.3:0.1", [0.1, 0.2, 0.3]), ("1..2:0.25", [1, 1.25, 1.5, 1.75, 2]), ("1e2", [100]), ("2..3", [2, 3])],
)
def test_ranges_of_fractions_are_decimal(text: str, numbers: list[float]) -> None:
    assert ratios(text) == numbers


@pytest.mark.parametrize("text", ["4..1", "1..4:0", "1..4:-1", "9..1:2"])
def test_empty_ranges_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"the range '.*' is empty; write first\.\.last:step"):
        levels(text)


@pytest.mark.parametrize("text", ["0..9:0.0001", "1..1e300"])
def test_ranges_without_end_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="more than 10000 settings"):
        ratios(text)


@pytest.mark.parametrize("text", ["x", "1..x", "nan", "inf", "1e99999", "--1", "..3", "1..2:x"])
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="is not a number"):
        levels(text)


def test_fractions_of_whole_numbers_are_refused() -> None:
    with pytest.raises(SettingError, match=r"takes a whole number, not 1\.5"):
        levels("1.5")
    with pytest.raises(SettingError, match=r"takes a whole number, not 1\.5"):
        levels("1..2:0.5")


def test_text_in_quotes_may_hold_anything() -> None:
    (codec,) = expand(r'raw[level=1,label="a,b|c]d\"\n ö"]')
    assert codec.values()["label"] == 'a,b|c]d"\n ö'
    assert [codec.values()["label"] for codec in expand('raw[level=1,label="1..3"|1..3]')] == ["1..3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [('raw[label="\\x"]', "not a JSON string"), ('raw[level="1"]', "not text in quotes"), ("raw[flag=yes]", "true or")],
)
def test_quotes_and_switches_are_checked(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        expand(text)


@pytest.mark.parametrize(
    ("text", "wanted", "position", "found"),
    [
        ("", "a codec's name", 1, "the end"),
        ("9", "a codec's name", 1, "'9'"),
        ("raw[", "a parameter's name", 5, "the end"),
        ("raw[level]", "'=' after 'level'", 10, "']'"),
        ("raw[level=]", "a value", 11, "']'"),
        ("raw[level=1", "',' or ']'", 12, "the end"),
        ("raw[level=1]x", "',' or the end", 13, "'x'"),
        ("raw,", "a codec's name", 5, "the end"),
        ("raw[level=1,]", "a parameter's name", 13, "']'"),
        ("raw[level=1|]", "a value", 13, "']'"),
    ],
)
def test_an_error_names_the_place(text: str, wanted: str, position: int, found: str) -> None:
    with pytest.raises(SettingError) as caught:
        settings.parse(text)
    assert f"expected {wanted} at character {position}, found {found}" in str(caught.value)


def test_a_parameter_named_twice_is_refused() -> None:
    with pytest.raises(SettingError, match="names the parameter 'level' twice"):
        settings.parse("raw[level=1,level=2]")


def test_a_parameter_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"has no parameter 'lable' \(did you mean 'label'\?\)"):
        expand("raw[lable=x]")


def test_space_between_the_parts_means_nothing() -> None:
    assert expand(" raw [ level = 1 | 2 , order = bgr ] ") == expand("raw[level=1|2,order=bgr]")
