"""Any encoder that comes as a program, as a codec.

command[encode="cjpeg -quality {q} -outfile {output} {input}",decode="djpeg -outfile {output} {input}",q=10|30|50]
"""

from __future__ import annotations

import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from aebench.codecs.base import Codec, Rgb, check_rgb, parameter
from aebench.codecs.programs import digests, make_file, read_image
from aebench.errors import SettingError

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_RANGE = re.compile(r"[-+.\d]+\.\.[-+.\d]+(:[-+.\d]+)?")
_EXAMPLE = (
    'command[encode="cjpeg -quality {q} -outfile {output} {input}",decode="djpeg -outfile {output} {input}",q=75]'
)


@dataclass(frozen=True)
class Command(Codec):
    """An encoder and a decoder that are programs, run once an image, without a shell.

    The two command lines are split into arguments as a shell would (quotes and backslashes), and then in each argument
    ``{input}`` and ``{output}`` become the paths of temporary files and ``{q}`` the value of `q`. The encoder's input
    is an image in the format that `image` names; what the decoder writes is told by its bytes, not by its name.
    ``OMP_NUM_THREADS`` is 1; a program that takes its number of threads otherwise has to be told in the command line.

    Raises
    ------
    SettingError
        If a command line is missing or malformed, a placeholder is missing or unknown, or `q` is without use.
    """

    name = "command"
    sweep = 'q=""'

    label: str = parameter("", help="short name of the command in tables and figures")
    encode_: str = parameter("", help="command line of the encoder, with {input}, {output} and perhaps {q}")
    decode_: str = parameter("", help="command line of the decoder, with {input}, {output} and perhaps {q}")
    q: str = parameter("", help="what {q} stands for: a number or text; list several to sweep it")
    image: str = parameter("png", choices=("png", "ppm", "bmp"), help="format of the encoder's input, suffix of images")
    suffix: str = parameter(".bin", help="suffix of the coded file, for programs that look at it")
    seconds: float = parameter(600.0, low=0.001, help="wall time after which a program is killed")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.encode_ or not self.decode_:
            raise SettingError(f"codec {self.name!r} needs encode and decode; write for example {_EXAMPLE}")
        used = _placeholders("encode", self.encode_) | _placeholders("decode", self.decode_)
        if "q" in used and not self.q:
            raise SettingError("command[q=…] is missing: the command lines use {q}")
        if "q" not in used and self.q:
            raise SettingError("command[q=…] has no effect: neither command line uses {q}")
        if _RANGE.fullmatch(self.q):
            raise SettingError(
                f"command[q=…] takes text, which has no ranges: list the values of {self.q}, as in q=10|20"
            )
        if "/" in self.suffix or "\0" in self.suffix:
            raise SettingError(f"command[suffix=…] takes the end of a file's name, not {self.suffix!r}")

    @property
    def variant(self) -> str:
        """The label where there is one: command lines are no names to put under a curve."""
        return self._named(["label"]) if self.label else super().variant

    def encode(self, rgb: Rgb) -> bytes:
        """Run the encoder; `CodecError`, with what it said, if it writes nothing."""
        with tempfile.TemporaryDirectory(prefix="aebench-") as folder:
            source, target = Path(folder, f"image.{self.image}"), Path(folder, f"coded{self.suffix}")
            Image.fromarray(check_rgb(rgb)).save(source, compress_level=1)  # of PNG; the others have none
            make_file(self._arguments(self.encode_, source, target), target, self.seconds)
            return target.read_bytes()

    def decode(self, data: bytes) -> Rgb:
        """Run the decoder; `CodecError`, with what it said, if it writes no image."""
        with tempfile.TemporaryDirectory(prefix="aebench-") as folder:
            source, target = Path(folder, f"coded{self.suffix}"), Path(folder, f"image.{self.image}")
            source.write_bytes(data)
            arguments = self._arguments(self.decode_, source, target)
            make_file(arguments, target, self.seconds)
            return read_image(target, arguments[0])

    def version(self) -> str:
        """Name the programs and the scripts that they are given, with digests: another build is another version."""
        found = [entry for line in (self.encode_, self.decode_) for entry in digests(shlex.split(line))]
        return ", ".join(dict.fromkeys(found))

    def _arguments(self, line: str, source: Path, target: Path) -> list[str]:
        values = {"input": str(source), "output": str(target), "q": self.q}
        return [_PLACEHOLDER.sub(lambda match: values[match[1]], argument) for argument in shlex.split(line)]


def _placeholders(name: str, line: str) -> set[str]:
    """Find the placeholders of a command line; `SettingError` for one that is missing or unknown."""
    try:
        arguments = shlex.split(line)
    except ValueError as error:
        raise SettingError(f"command[{name}=…] cannot be split into arguments: {error}: {line}") from error
    used = {found for argument in arguments for found in _PLACEHOLDER.findall(argument)}
    if missing := {"input", "output"} - used:
        raise SettingError(f"command[{name}=…] needs {' and '.join(f'{{{word}}}' for word in sorted(missing))}: {line}")
    if unknown := used - {"input", "output", "q"}:
        words = ", ".join(f"{{{word}}}" for word in sorted(unknown))
        raise SettingError(f"command[{name}=…] knows {{input}}, {{output}} and {{q}}, not {words}: {line}")
    return used
