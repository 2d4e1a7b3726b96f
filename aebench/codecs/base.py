"""What a codec is: a frozen dataclass whose fields are its parameters, with ``encode`` and ``decode``.

    @dataclass(frozen=True)
    class Jpeg(Codec):
        name = "jpeg"
        sweep = "quality=10..90:20"
        quality: int = parameter(75, low=0, high=100, help="libjpeg quality")

        def encode(self, rgb): ...
        def decode(self, data): ...
        def version(self): ...

The harness, never the codec, counts the bytes and measures what ``decode`` makes of those bytes alone.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from aebench.errors import CodecError, SettingError
from aebench.suggest import did_you_mean

Rgb = npt.NDArray[np.uint8]
"""An image at the borders of aebench: ``uint8``, shape (height, width, 3), sRGB, full range 0–255."""

Value = int | float | str | bool
"""What a parameter may hold."""

MOST_PIXELS = 2**27
"""Images of more pixels (134 million, a side of 11,585) are refused; a header that declares more is damaged."""

_SWEPT = re.compile(r"([A-Za-z_]\w*)=")
_BARE = re.compile(r"[A-Za-z0-9_./:+~-]+")


def parameter(
    default: Value,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Value, ...] | None = None,
    help: str = "",
) -> Any:
    """Declare a parameter of a codec; its type is the type of ``default``.

    Parameters
    ----------
    default : int, float, str or bool
        Value taken when a setting does not name the parameter.
    low, high : float, optional
        Inclusive bounds of a number.
    choices : tuple, optional
        The only values allowed.
    help : str
        One line, shown by ``aebench codecs``.
    """
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "choices": choices, "help": help})


@dataclass(frozen=True)
class Codec(ABC):
    """One codec at one setting. Two equal instances give the same bytes for the same image.

    Class attributes
    ----------------
    name : str
        The family: ``jpeg`` in ``jpeg[quality=50]``.
    sweep : str
        The settings that the bare name stands for in a list of codecs, as the text between the brackets.
    batched : bool
        Whether images of one shape are best coded together, on an accelerator where there is one. Such a codec is
        a `aebench.codecs.neural.NeuralCodec`.
    cost : float
        Roughly, the CPU seconds of coding a megapixel and decoding it again. It only helps to plan the work.
    """

    name: ClassVar[str]
    sweep: ClassVar[str] = ""
    batched: ClassVar[bool] = False
    cost: ClassVar[float] = 1.0

    @abstractmethod
    def encode(self, rgb: Rgb) -> bytes:
        """Compress an image into everything that `decode` needs, except the setting itself and any weights.

        Parameters
        ----------
        rgb : uint8 array, shape (height, width, 3)

        Raises
        ------
        CodecError
            If the codec cannot code an image of this size.
        """

    @abstractmethod
    def decode(self, data: bytes) -> Rgb:
        """Reconstruct an image from bytes alone.

        Raises
        ------
        CodecError
            If the bytes are not what `encode` of this codec could have made. Formats that cannot know return an
            image of the shape the bytes declare.
        """

    @abstractmethod
    def version(self) -> str:
        """Name the libraries, and the digest of any weights, on which bytes and pixels depend."""

    def __post_init__(self) -> None:
        for name, field in parameters(type(self)).items():
            object.__setattr__(self, field.name, _checked(f"{self.name}[{name}=…]", field, getattr(self, field.name)))

    @property
    def setting(self) -> str:
        """Canonical name: the parameters that `sweep` names always, the others where they differ from their default."""
        return self._named([*self.swept(), *self._not_default()])

    @property
    def variant(self) -> str:
        """Canonical name without the parameters that `sweep` names: the settings of one variant make one curve."""
        return self._named([name for name in self._not_default() if name not in self.swept()])

    @classmethod
    def swept(cls) -> list[str]:
        """List the parameters that `sweep` names."""
        return _SWEPT.findall(cls.sweep)

    def values(self) -> dict[str, Value]:
        """Every parameter with its value, defaults included."""
        return {name: getattr(self, field.name) for name, field in parameters(type(self)).items()}

    def parameters_json(self) -> str:
        """`values` as the JSON object that a row stores."""
        return json.dumps(self.values(), ensure_ascii=False)

    def __str__(self) -> str:
        return self.setting

    def _not_default(self) -> list[str]:
        known = parameters(type(self))
        return [name for name, value in self.values().items() if value != known[name].default]

    def _named(self, shown: Collection[str]) -> str:
        """Write the name with some of the parameters, in the order in which they are declared."""
        pairs = [f"{name}={format_value(value)}" for name, value in self.values().items() if name in shown]
        return f"{self.name}[{','.join(pairs)}]" if pairs else self.name


@cache
def parameters(codec: type[Codec]) -> Mapping[str, dataclasses.Field[Any]]:
    """Map the names of a codec's parameters to their fields, in the order in which it declares them.

    The field of a parameter that is called as a method is, such as ``encode``, has an underscore after its name.
    """
    fields = [field for field in dataclasses.fields(codec) if "help" in field.metadata]
    return {field.name.removesuffix("_"): field for field in fields}


def make(codec: type[Codec], values: Mapping[str, Value]) -> Codec:
    """Build a codec from named values, with a `SettingError` for a parameter that it does not have."""
    known = parameters(codec)
    for name in values:
        if name not in known:
            raise SettingError(
                f"codec {codec.name!r} has no parameter {name!r}{did_you_mean(name, known)} "
                f"(it has: {', '.join(known) or 'none'})"
            )
    return codec(**{known[name].name: value for name, value in values.items()})


def format_value(value: Value) -> str:
    """Write a value as the setting grammar reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def check_rgb(rgb: Rgb) -> Rgb:
    """Return the image, contiguous, or raise `CodecError` when it is not ``uint8`` H×W×3 of 1 to `MOST_PIXELS`."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise CodecError(f"a codec takes uint8 RGB of shape (height, width, 3), not {rgb.dtype} {rgb.shape}")
    check_size(rgb.shape[1], rgb.shape[0])
    return np.ascontiguousarray(rgb)


def check_size(width: int, height: int) -> None:
    """Raise `CodecError` for a size that no codec takes; decoders call it on the declared size before they allocate."""
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise CodecError(f"{width}×{height} is not a size that can be coded: 1 to {MOST_PIXELS} pixels")


def _checked(where: str, field: dataclasses.Field[Any], value: object) -> Value:
    """Check a value against the type, bounds and choices that its parameter declares."""
    kind = type(field.default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise SettingError(f"{where} takes {_KINDS[kind]}, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingError(f"{where} takes a finite number, not {value!r}")
    low, high, choices = field.metadata["low"], field.metadata["high"], field.metadata["choices"]
    if choices is not None and value not in choices:
        raise SettingError(f"{where} takes one of {', '.join(map(format_value, choices))}, not {value!r}")
    if isinstance(value, (int, float)) and ((low is not None and value < low) or (high is not None and value > high)):
        bounds = f"at least {low:g}" if high is None else f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
        raise SettingError(f"{where} takes {bounds}, not {value!r}")
    return cast(Value, value)


_KINDS: dict[type, str] = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
