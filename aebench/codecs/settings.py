"""The grammar in which codecs and their settings are named.

    list     = item {"," item}
    item     = name ["[" [pair {"," pair}] "]"]
    name     = word, or module:Class of a codec that is not registered
    pair     = word "=" value {"|" value}
    value    = bare text | JSON string in double quotes | first ".." last [":" step]   (ranges for numbers, inclusive)

``jpeg[quality=10|30|50]`` is three settings, ``bpg[qp=22..37:5]`` is four, and several swept parameters give every
combination, the last one varying fastest.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from aebench.codecs.base import Codec, Value, make, parameters
from aebench.errors import SettingError

MOST_SETTINGS = 10_000
"""A range that expands to more than this is a slip of the finger."""

_MOST_DIGITS = 400
"""More than any float has before its point, and few enough to hold as a whole number."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_]*)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE = re.compile(r'[^,|\]\["]+')


@dataclass(frozen=True)
class Item:
    """One parsed item: a codec's name and, for each named parameter, its alternatives as (text, quoted)."""

    name: str
    pairs: dict[str, list[tuple[str, bool]]]
    text: str


def parse(text: str) -> list[Item]:
    """Parse a list of codecs.

    Raises
    ------
    SettingError
        With the position and what was expected there.
    """
    scanner = _Scanner(text)
    items = [_item(scanner)]
    while scanner.take(","):
        items.append(_item(scanner))
    if not scanner.at_end():
        scanner.fail("',' or the end")
    return items


def expand(item: Item, codec: type[Codec]) -> list[Codec]:
    """Build every setting that an item names; a swept parameter it leaves open takes the codec's default sweep."""
    pairs = dict(item.pairs)
    if codec.sweep:
        for name, alternatives in parse(f"{codec.name}[{codec.sweep}]")[0].pairs.items():
            pairs.setdefault(name, alternatives)
    return _settings(codec, pairs, item.text)


def single(item: Item, codec: type[Codec]) -> Codec:
    """Build the one setting that an item names; parameters it leaves open take their defaults."""
    settings = _settings(codec, item.pairs, item.text)
    if len(settings) != 1:
        raise SettingError(f"{item.text!r} names {len(settings)} settings where one is wanted")
    return settings[0]


def _settings(codec: type[Codec], pairs: dict[str, list[tuple[str, bool]]], text: str) -> list[Codec]:
    kinds = {name: type(field.default) for name, field in parameters(codec).items()}
    for name in pairs:
        if name not in kinds:
            make(codec, {name: 0})  # raises with the nearest name
    order = [name for name in kinds if name in pairs]
    choices: list[list[Value]] = []
    for name in order:
        values = itertools.chain.from_iterable(
            _values(raw, quoted, kinds[name], f"{codec.name}[{name}=…]") for raw, quoted in pairs[name]
        )
        choices.append(list(itertools.islice(values, MOST_SETTINGS + 1)))
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST_SETTINGS:
        raise SettingError(f"{text!r} names more than {MOST_SETTINGS} settings")
    # dict.fromkeys: a setting named twice is one setting
    combinations = (dict(zip(order, values, strict=True)) for values in itertools.product(*choices))
    return list(dict.fromkeys(make(codec, values) for values in combinations))


def _values(raw: str, quoted: bool, kind: type, where: str) -> Iterator[Value]:
    if kind is str:
        yield raw
    elif quoted:
        raise SettingError(f"{where} takes a {kind.__name__}, not text in quotes")
    elif kind is bool:
        if raw not in ("true", "false"):
            raise SettingError(f"{where} takes true or false, not {raw!r}")
        yield raw == "true"
    elif ".." in raw:
        yield from (_number(value, kind, where) for value in _range(raw, where))
    else:
        yield _number(_decimal(raw, where), kind, where)


def _range(raw: str, where: str) -> Iterator[Decimal]:
    first_text, _, rest = raw.partition("..")
    last_text, _, step_text = rest.partition(":")
    first, last = _decimal(first_text, where), _decimal(last_text, where)
    step = _decimal(step_text, where) if step_text else Decimal(1)
    if step <= 0 or last < first:
        raise SettingError(f"{where}: the range {raw!r} is empty; write first..last:step with a step above 0")
    value = first
    while value <= last:
        yield value
        value += step


def _decimal(text: str, where: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value.adjusted() > _MOST_DIGITS:
        raise SettingError(f"{where}: {text!r} is not a number")
    return value


def _number(value: Decimal, kind: type, where: str) -> int | float:
    if kind is float:
        return float(value)
    if value != value.to_integral_value():
        raise SettingError(f"{where} takes a whole number, not {value}")
    return int(value)


def _item(scanner: _Scanner) -> Item:
    scanner.skip_space()
    start = scanner.position
    name = scanner.match(_NAME, "a codec's name")
    pairs: dict[str, list[tuple[str, bool]]] = {}
    if scanner.take("["):
        while not scanner.take("]"):
            if pairs and not scanner.take(","):
                scanner.fail("',' or ']'")
            scanner.skip_space()
            key = scanner.match(_WORD, "a parameter's name")
            if key in pairs:
                raise SettingError(f"{scanner.text!r} names the parameter {key!r} twice")
            if not scanner.take("="):
                scanner.fail(f"'=' after {key!r}")
            pairs[key] = [_alternative(scanner)]
            while scanner.take("|"):
                pairs[key].append(_alternative(scanner))
    return Item(name, pairs, scanner.text[start : scanner.position].strip())


def _alternative(scanner: _Scanner) -> tuple[str, bool]:
    scanner.skip_space()
    quoted = scanner.try_match(_QUOTED)
    if quoted is None:
        return scanner.match(_BARE, "a value").strip(), False
    try:
        return str(json.loads(quoted)), True
    except json.JSONDecodeError:
        raise SettingError(f"{scanner.text!r}: {quoted} is not a JSON string") from None


class _Scanner:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def skip_space(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def at_end(self) -> bool:
        self.skip_space()
        return self.position == len(self.text)

    def take(self, character: str) -> bool:
        self.skip_space()
        found = self.text.startswith(character, self.position)
        self.position += found
        return found

    def try_match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.position)
        if match is None:
            return None
        self.position = match.end()
        return match.group()

    def match(self, pattern: re.Pattern[str], wanted: str) -> str:
        found = self.try_match(pattern)
        if found is None:
            self.fail(wanted)
        return found

    def fail(self, wanted: str) -> NoReturn:
        found = repr(self.text[self.position]) if self.position < len(self.text) else "the end"
        raise SettingError(
            f"{self.text!r}: expected {wanted} at character {self.position + 1}, found {found}; "
            "write for example jpeg[quality=10|30|50],jpeg2000[bpp=0.5]"
        )
