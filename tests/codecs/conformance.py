"""What every codec has to do, as checks that raise AssertionError. Apply them to a codec of your own:

check_setting(codec)
check_round_trip(codec, rgb)                for `shapes_of` a photograph, and the photograph itself
check_input(codec, rgb)
check_floor(codec, photograph)
check_sweep(settings, photograph)
check_other_process(codec, photograph)
check_hostile_bytes(codec, photograph, foreign)
"""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from aebench import Codec, Error, Rgb
from aebench.codecs import settings
from aebench.metrics import mse, psnr

SHAPES = [(1, 1), (8, 8), (17, 33), (127, 64)]
"""Heights and widths that codecs stumble over: one pixel, one block, odd sides, a side below and one above 64."""

FLOOR_DB = 20.0
"""PSNR that every codec surpasses on a photograph at its default setting; the image's mean colour gives about 10."""

SLACK_DB = 0.02
"""What PSNR may lose from one setting to the next: where a codec saturates, roundings have the last word."""

CHILD_SECONDS = 500
"""A child process that has not done its jobs by then hangs."""


class Job(NamedTuple):
    """One call for a child process to make."""

    label: str
    call: Literal["encode", "decode"]
    argument: Rgb | bytes


class Outcome(NamedTuple):
    """What a call came to: its result, the message of an `aebench.Error`, or the traceback of anything else."""

    kind: Literal["result", "refused", "failed"]
    value: Rgb | bytes | str


def check_setting(codec: Codec) -> None:
    """The setting, read back, is the same codec, and so is a pickled copy: both travel to workers and into rows."""
    (item,) = settings.parse(codec.setting)
    assert settings.single(item, type(codec)) == codec
    assert pickle.loads(pickle.dumps(codec)) == codec
    assert codec.version(), "version() names the libraries that bytes and pixels depend on"


def check_round_trip(codec: Codec, rgb: Rgb) -> Rgb:
    """What comes back has the shape and the type that went in."""
    data = codec.encode(rgb)
    assert type(data) is bytes
    decoded = codec.decode(data)
    assert decoded.dtype == np.uint8
    assert decoded.shape == rgb.shape
    return decoded


def check_input(codec: Codec, rgb: Rgb) -> None:
    """The image is left as it was; its layout in memory makes no difference; what is not an image is refused."""
    image = rgb.copy()
    data = codec.encode(image)
    assert (image == rgb).all(), "encode changed its input"
    assert codec.encode(image) == data, "encode gives other bytes the second time"
    for layout in _layouts(rgb):
        assert codec.encode(layout) == data, f"other bytes for strides {layout.strides}"
    for wrong in (rgb.astype(np.float32), rgb[..., :1], rgb[..., 0], rgb[:0]):
        try:
            codec.encode(wrong)  # type: ignore[arg-type]
        except Error:
            continue
        raise AssertionError(f"encode took {wrong.dtype} {wrong.shape}")


def check_floor(codec: Codec, photograph: Rgb) -> None:
    """The whole photograph comes back, and resembles itself."""
    quality = psnr(mse(check_round_trip(codec, photograph), photograph))
    assert quality > FLOOR_DB, f"{codec.setting}: {quality:.2f} dB"


def check_sweep(sweep: Sequence[Codec], photograph: Rgb) -> None:
    """Over the default sweep, more bytes give a better picture, from each setting to the next."""
    assert len(sweep) >= 2
    points = []
    for codec in sweep:
        data = codec.encode(photograph)
        points.append((len(data), psnr(mse(codec.decode(data), photograph)), codec.setting))
    points.sort()
    for (fewer, worse, setting), (more, better, next_setting) in pairwise(points):
        assert fewer < more, f"{setting} and {next_setting} both take {fewer} bytes"
        assert better > worse - SLACK_DB, f"{next_setting} takes more bytes than {setting} for {better - worse:.3f} dB"
    assert points[-1][1] > points[0][1], "the largest file is no better than the smallest"


def check_other_process(codec: Codec, photograph: Rgb) -> None:
    """A process that has seen nothing but the codec decodes the same pixels, and encodes to the same bytes."""
    data = codec.encode(photograph)
    decoded, encoded = run_in_child(codec, [Job("decode", "decode", data), Job("encode", "encode", photograph)])
    assert decoded.kind == "result", decoded.value
    assert np.array_equal(decoded.value, codec.decode(data)), "other pixels in another process"
    assert encoded == Outcome("result", data), "other bytes in another process"


def check_hostile_bytes(codec: Codec, photograph: Rgb, foreign: Mapping[str, bytes]) -> None:
    """Bytes that no encoder made raise `aebench.Error` or give an image; nothing else, and nothing is printed.

    Parameters
    ----------
    foreign : mapping of label to bytes
        Streams of other codecs; some that no codec reads are added.
    """
    data = codec.encode(photograph)
    intact = [Job(label, "decode", stream) for label, stream in _cut_or_extended(data)]
    streams = [*_damaged(data), *_foreign(photograph), *foreign.items()]
    other = [Job(label, "decode", stream) for label, stream in streams]
    for job, outcome in zip(intact + other, run_in_child(codec, intact + other), strict=True):
        assert outcome.kind != "failed", f"decoding {job.label}: {outcome.value!s}"
        if outcome.kind == "result":
            rgb = outcome.value
            assert isinstance(rgb, np.ndarray), f"decoding {job.label} gave a {type(rgb)}"
            assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3, f"decoding {job.label}: {rgb.shape}"
            # the header of these is whole, and declares the shape
            assert job not in intact or rgb.shape == photograph.shape, f"decoding {job.label}: {rgb.shape}"
            assert job.argument, "an empty stream gave an image"
        else:
            assert outcome.value, f"decoding {job.label}: an error that says nothing"


def run_in_child(codec: Codec, jobs: Sequence[Job]) -> list[Outcome]:
    """Do jobs in one fresh process; AssertionError if it dies, hangs, or writes to standard error."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            input=pickle.dumps((codec, list(jobs))),
            capture_output=True,
            timeout=CHILD_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
        output, noise, end = child.stdout, child.stderr.decode(errors="replace"), f"exit status {child.returncode}"
    except subprocess.TimeoutExpired as expired:
        output, noise, end = expired.stdout or b"", "", f"nothing for up to {CHILD_SECONDS} s"
    outcomes = list(_frames(output))
    if len(outcomes) < len(jobs):
        label = jobs[len(outcomes)].label
        raise AssertionError(f"{codec.setting} did not survive {jobs[len(outcomes)].call} of {label}: {end}\n{noise}")
    assert not noise, f"{codec.setting} wrote to standard error:\n{noise}"
    return outcomes


def serve() -> None:
    """Be that process: jobs come on standard input, outcomes go to standard output."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is noise
    codec, jobs = pickle.load(sys.stdin.buffer)
    for job in jobs:
        try:
            outcome = Outcome("result", getattr(codec, job.call)(job.argument))
        except Error as error:
            outcome = Outcome("refused", str(error))
        except Exception:
            outcome = Outcome("failed", traceback.format_exc())
        pickle.dump(outcome, output)
        output.flush()


def _frames(output: bytes) -> Iterator[Outcome]:
    stream = io.BytesIO(output)
    while stream.tell() < len(output):
        try:
            yield pickle.load(stream)
        except (EOFError, pickle.UnpicklingError):
            return


def _layouts(rgb: Rgb) -> Iterator[Rgb]:
    """The same image in other orders of memory."""
    height, width, _ = rgb.shape
    yield np.asfortranarray(rgb)
    spread = np.zeros((2 * height, 3 * width, 3), np.uint8)
    spread[::2, ::3] = rgb
    yield spread[::2, ::3]
    yield np.ascontiguousarray(rgb[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]


def _cut_or_extended(data: bytes) -> Iterator[tuple[str, bytes]]:
    for length in sorted(
        {*range(0, 16), *(len(data) * part // 16 for part in range(16)), len(data) - 2, len(data) - 1}
    ):
        yield f"the first {length} of {len(data)} bytes", data[:length]
    yield "the stream and a byte more", data + b"\0"
    yield "the stream twice", data + data


def _damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    random = np.random.default_rng(1)
    # half of the damage to the head, where the headers are
    for reach in (min(512, len(data)), len(data)):
        for position in random.integers(reach, size=60):
            bit = int(random.integers(8))
            yield f"bit {bit} of byte {position} flipped", _replaced(data, position, bytes([data[position] ^ 1 << bit]))
        for position in random.integers(reach, size=15):
            for value in (0x00, 0xFF):
                yield f"4 bytes {value:#x} at {position}", _replaced(data, position, bytes([value]) * 4)[: len(data)]
        for position in random.integers(reach, size=10):
            yield f"byte {position} left out", data[:position] + data[position + 1 :]
            yield f"a byte added at {position}", data[:position] + b"\x55" + data[position:]
    yield "noise behind the first 100 bytes", data[:100] + random.bytes(max(len(data) - 100, 1))
    yield "the bytes backwards", data[::-1]


def _replaced(data: bytes, position: int, piece: bytes) -> bytes:
    return data[:position] + piece + data[position + len(piece) :]


def _foreign(photograph: Rgb) -> Iterator[tuple[str, bytes]]:
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        file = io.BytesIO()
        Image.fromarray(photograph).save(file, kind)
        yield f"a {kind} file", file.getvalue()
    yield "a sentence", b"This is not an image."
    yield "zeros", bytes(1000)
    yield "noise", np.random.default_rng(2).bytes(5000)
