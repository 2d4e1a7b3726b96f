"""Finding codecs by name: those that ship with aebench, those of other packages, and those named by their class.

Nothing is imported before it is asked for: a run without a network never imports torch.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from aebench.codecs import settings
from aebench.codecs.base import Codec
from aebench.errors import SettingError
from aebench.suggest import did_you_mean

GROUP = "aebench.codecs"
"""Entry-point group in which another package offers its codecs: ``name = "module:Class"``."""

BUILTIN = {
    "jpeg": "aebench.codecs.jpeg:Jpeg",
    "jpeg2000": "aebench.codecs.jpeg2000:Jpeg2000",
    "bpg": "aebench.codecs.bpg:Bpg",
    "bpg-libbpg": "aebench.codecs.bpg_libbpg:BpgLibbpg",
    "heif": "aebench.codecs.heif:Heif",
    "webp": "aebench.codecs.webp:WebP",
    "avif": "aebench.codecs.avif:Avif",
    "jxl": "aebench.codecs.jxl:Jxl",
    "box-downsample": "aebench.codecs.box_downsample:BoxDownsample",
    "command": "aebench.codecs.command:Command",
    "paper": "aebench.codecs.paper:Paper",
    "paper-rate": "aebench.codecs.paper_rate:PaperRateCodec",
    "lapped": "aebench.codecs.lapped:LappedCodec",
    "theis2017": "aebench.codecs.reference:Theis2017Codec",
    "cheng2018": "aebench.codecs.reference:Cheng2018Codec",
    "balle2018-factorised": "aebench.codecs.reference:Balle2018FactorisedCodec",
    "balle2018-hyperprior": "aebench.codecs.reference:Balle2018HyperpriorCodec",
    "minnen2018": "aebench.codecs.reference:Minnen2018Codec",
}


def codec(text: str) -> Codec:
    """Build one codec at one setting, such as ``jpeg[quality=50]``; ``jpeg`` alone is its default setting.

    Raises
    ------
    SettingError
        If there is no such codec or parameter, or a value is out of range, or the text names several settings.
    """
    items = settings.parse(text)
    if len(items) != 1:
        raise SettingError(f"{text!r} names {len(items)} codecs where one is wanted")
    return settings.single(items[0], find(items[0].name))


def codecs(text: str) -> list[Codec]:
    """Build every setting that a list names; ``jpeg`` alone is its default sweep. Repeated settings count once.

    Raises
    ------
    SettingError
        As `codec` does, and if two settings that share a variant do not belong on one curve.
    """
    found: dict[Codec, None] = {}
    for item in settings.parse(text):
        found |= dict.fromkeys(settings.expand(item, find(item.name)))
    _check_variants(found)
    return list(found)


def list_codecs() -> list[str]:
    """Name every registered codec, those of other packages included."""
    return sorted({*BUILTIN, *_installed()})


def find(name: str) -> type[Codec]:
    """Import the class of a codec, by its registered name or as ``module:Class``."""
    if ":" in name:
        return _load(EntryPoint(name, name, GROUP))
    if name in BUILTIN:
        return _load(EntryPoint(name, BUILTIN[name], GROUP))
    if name in _installed():
        return _load(_installed()[name])
    known = list_codecs()
    raise SettingError(
        f"there is no codec {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}; "
        "a codec of your own is named module:Class"
    )


def _check_variants(found: Iterable[Codec]) -> None:
    """Refuse codecs of one name that differ in more than they sweep, such as two commands of one label."""
    first: dict[str, Codec] = {}
    for codec in found:
        other = first.setdefault(codec.variant, codec)
        ours, theirs = codec.values(), other.values()
        differ = [name for name in ours if name not in codec.swept() and ours[name] != theirs.get(name)]
        if type(codec) is not type(other) or differ:
            what = f"they differ in {' and '.join(differ)}" if differ else "they are of two classes"
            raise SettingError(f"two codecs are called {codec.variant}: {what}; give each a name of its own")


@cache
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(entry: EntryPoint) -> type[Codec]:
    module_name, _, class_name = entry.value.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise SettingError(f"codec {entry.name!r}: cannot import {module_name!r}: {error}") from error
    found = getattr(module, class_name, None)
    if found is None:
        offered = [name for name, value in vars(module).items() if inspect.isclass(value) and issubclass(value, Codec)]
        raise SettingError(f"module {module_name!r} has no class {class_name!r}{did_you_mean(class_name, offered)}")
    if not (inspect.isclass(found) and issubclass(found, Codec) and not inspect.isabstract(found)):
        raise SettingError(f"{entry.value!r} is not a codec: derive it from aebench.Codec and define all its methods")
    return found
