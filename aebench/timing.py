"""The timing pass: one codec at a time, one thread, a warm-up, repeats. No Ray here.

`aebench.measure` takes times as well, but of workers that share their machine. Here nothing else of ours runs on the
machine (`aebench.evaluate.time_codecs` sees to that), and the spread over repeats shows what others did.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator, Sequence

from threadpoolctl import threadpool_limits

from aebench.clock import Seconds
from aebench.codecs.base import Codec, Rgb
from aebench.images import ImageRef
from aebench.measure import Original, Row, described, failed
from aebench.provenance import cpu_model

THREADS = 1
"""How many threads a codec is asked to take: published speeds are those of one."""


def time_image(image: ImageRef, codecs: Sequence[Codec], repeats: int) -> Iterator[Row]:
    """Time one image at every setting, one after the other.

    Parameters
    ----------
    image : ImageRef
    codecs : sequence of Codec
    repeats : int
        Encoded and decoded so often, after once for warming up, which loads libraries and networks.

    Yields
    ------
    Row
        As `aebench.results.TIMES` describes it: one a repeat, or one for a setting that fails.
    """
    about = {"cpu": cpu_model(), "threads": THREADS, "niceness": os.nice(0)}
    try:
        original = Original.open(image)
    except Exception as error:
        yield from ({**failed(image, codec, error), **about} for codec in codecs)
        return
    with one_thread():
        for codec in codecs:
            try:
                version = codec.version()
                _code(original.rgb, codec)
                for repeat in range(1, repeats + 1):
                    encoding, decoding = _code(original.rgb, codec)
                    yield {
                        **described(codec),
                        **original.facts(),
                        **about,
                        "codec_version": version,
                        "repeat": repeat,
                        "encode_seconds": encoding.wall,
                        "encode_cpu_seconds": encoding.cpu,
                        "decode_seconds": decoding.wall,
                        "decode_cpu_seconds": decoding.cpu,
                    }
            except Exception as error:
                yield {**failed(image, codec, error, original.facts()), **about}


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Ask BLAS, OpenMP and PyTorch, here and in child processes, for one thread.

    What else takes threads does so by a codec's own parameters; the codecs that ship with aebench take one.
    """
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(THREADS)  # for child processes, and for libraries that are loaded later
    torch = sys.modules.get("torch")
    torch_threads = torch.get_num_threads() if torch else None
    try:
        with threadpool_limits(THREADS):
            if torch:  # it holds a BLAS of its own, which it alone can reach
                torch.set_num_threads(THREADS)
            yield
    finally:
        if torch:
            torch.set_num_threads(torch_threads)
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _code(rgb: Rgb, codec: Codec) -> tuple[Seconds, Seconds]:
    """Encode and decode an image; return how long each took."""
    start = Seconds.now()
    stream = codec.encode(rgb)
    middle = Seconds.now()
    dataclasses.replace(codec).decode(stream)
    return start.until(middle), middle.until(Seconds.now())
