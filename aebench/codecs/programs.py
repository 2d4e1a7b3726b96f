"""Running programs of others as encoders and decoders: each reads a file and makes a file."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aebench.codecs.base import Rgb
from aebench.errors import CodecError, ImageError
from aebench.images.reading import decode_rgb

_MOST_SAID = 2000
"""Characters of a program's messages that an error quotes, the last ones."""


def run(arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Run a program, never a shell, with nothing on its standard input.

    ``OMP_NUM_THREADS=1`` asks programs that use OpenMP for one thread.

    Parameters
    ----------
    arguments : sequence of str
        The program, by path or as found on the PATH, and its arguments.
    seconds : float
        Wall time after which it is killed, with every process that it started.

    Raises
    ------
    CodecError
        If it is missing, cannot be run, or does not end in time.
    """
    program = arguments[0]
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # so that what the program starts can be killed with it
        )
    except FileNotFoundError:
        raise CodecError(f"{program} is not on the PATH of this machine") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in an argument
        raise CodecError(f"{program} cannot be run: {error}") from error
    with process:
        try:
            output, messages = process.communicate(timeout=seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise CodecError(f"{program} did not end within {seconds:g} seconds") from None
            raise
    return subprocess.CompletedProcess(arguments, process.returncode, output, messages)


def make_file(arguments: Sequence[str], target: Path, seconds: float) -> None:
    """Run a program that is to make the file `target`; `CodecError` with what it said if it does not."""
    done = run(arguments, seconds)
    made = target.is_file() and target.stat().st_size > 0
    if done.returncode == 0 and made:
        return
    if done.returncode < 0:
        end = f"crashed with signal {-done.returncode}"
    elif done.returncode > 0:
        end = f"ended with {done.returncode}"
    else:
        end = "wrote nothing"
    said = (done.stderr or done.stdout).decode(errors="replace").strip()[-_MOST_SAID:]
    raise CodecError(f"{arguments[0]} {end} and said: {said or 'nothing'}")


def read_image(path: Path, program: str) -> Rgb:
    """Read the image that a program wrote, in any format that `aebench.images` reads, whatever its name.

    A damaged one is a `CodecError`, and so is one of more pixels than any codec takes, before it is decoded.
    """
    try:
        return decode_rgb(path.read_bytes(), "it")
    except ImageError as error:
        raise CodecError(f"{program} wrote an image that cannot be read: {error}") from error


def digests(arguments: Sequence[str]) -> list[str]:
    """Name the program and the files among its arguments, each with the first 12 hex digits of its SHA-256.

    A script behind its interpreter is such a file. Shared libraries are not looked at.
    """
    program = shutil.which(arguments[0])
    if program is None:
        raise CodecError(f"{arguments[0]} is not on the PATH of this machine")
    files = [Path(program), *(Path(argument) for argument in arguments[1:] if _is_file(argument))]
    try:
        return [f"{file.name} {_digest(file, file.stat().st_mtime_ns)}" for file in files]
    except OSError as error:
        raise CodecError(f"{arguments[0]} cannot be named by its digest: {error}") from error


def _is_file(argument: str) -> bool:
    try:
        return Path(argument).is_file()
    except OSError:  # too long for a name: a program in an argument
        return False


@cache
def _digest(file: Path, changed_ns: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]
