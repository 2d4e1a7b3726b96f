"""The law of bytes: encode, count the bytes, decode those bytes alone, measure. No Ray here.

A measurement never raises: whatever goes wrong with an image or a codec becomes a row with `error` filled.
"""

from __future__ import annotations

import dataclasses
import logging
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aebench.codecs.base import Codec, Rgb
from aebench.errors import CodecError, Error
from aebench.images import ImageRef, open_rgb, pixel_digest
from aebench.metrics import Reference

log = logging.getLogger(__name__)

Row = dict[str, Any]
"""One measurement, as `aebench.results.ROWS` describes it."""


@dataclass(frozen=True)
class Original:
    """An image with all that is computed once for all codecs and settings."""

    image: ImageRef
    rgb: Rgb
    digest: str
    reference: Reference

    @classmethod
    def open(cls, image: ImageRef) -> Original:
        """Read an image; `ImageError` if it cannot be."""
        rgb = open_rgb(image.uri)
        return cls(image, rgb, pixel_digest(rgb), Reference(rgb))

    def facts(self) -> Row:
        """The columns that describe the image."""
        height, width = self.rgb.shape[:2]
        return {"image": self.image.name, "image_digest": self.digest, "width": width, "height": height}


def measure(image: ImageRef, codecs: Sequence[Codec], done: frozenset[tuple[str, str, str]]) -> Iterator[Row]:
    """Measure one image at every setting.

    Parameters
    ----------
    image : ImageRef
    codecs : sequence of Codec
    done : set of (image digest, setting, codec version)
        Measurements that exist already and are left out.

    Yields
    ------
    Row
        One for every setting that is not in `done`.
    """
    try:
        original = Original.open(image)
    except Exception as error:
        yield from (failed(image, codec, error) for codec in codecs)
        return
    for codec in codecs:
        yield from measure_batch([original], codec, done)


def measure_batch(originals: Sequence[Original], codec: Codec, done: frozenset[tuple[str, str, str]]) -> Iterator[Row]:
    """Measure images at one setting, images of one shape together where the codec codes batches.

    The time of a batch is shared equally by its images.
    """
    try:
        version = codec.version()
    except Exception as error:
        yield from (failed(original.image, codec, error, original.facts()) for original in originals)
        return
    todo = [original for original in originals if (original.digest, codec.setting, version) not in done]
    if not todo:
        return
    try:
        rows = _measure_equal(todo, codec)
    except Exception as error:
        if len(todo) > 1:  # one image must not cost the others of its batch
            for original in todo:
                yield from measure_batch([original], codec, done)
            return
        rows = [failed(todo[0].image, codec, error, todo[0].facts())]
    for row in rows:
        yield {**row, "codec_version": version}


def failed(image: ImageRef, codec: Codec, error: Exception, facts: Mapping[str, Any] | None = None) -> Row:
    """Make the row of a measurement that failed."""
    if isinstance(error, Error):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
        log.debug("%s of %s failed", codec.setting, image.name, exc_info=error)
    return {**_common(codec), "image": image.name, **(facts or {}), "error": text}


def _measure_equal(originals: Sequence[Original], codec: Codec) -> list[Row]:
    """Encode, count, decode and score images of one shape; any failure raises."""
    streams, encode_times = _timed(codec, "encode", [original.rgb for original in originals])
    if not all(isinstance(stream, bytes) for stream in streams):
        raise CodecError(f"{codec.name}.encode must return bytes, not {type(streams[0]).__name__}")
    # a fresh instance: what the encoder may have remembered does not reach the decoder
    decoded, decode_times = _timed(dataclasses.replace(codec), "decode", streams)
    rows = []
    for original, stream, rgb in zip(originals, streams, decoded, strict=True):
        height, width = original.rgb.shape[:2]
        rows.append(
            {
                **_common(codec),
                **original.facts(),
                "bytes": len(stream),
                "bpp": 8 * len(stream) / (width * height),
                **dataclasses.asdict(original.reference.score(rgb)),
                **encode_times,
                **decode_times,
            }
        )
    return rows


def _timed(codec: Codec, verb: str, inputs: Sequence[Any]) -> tuple[Sequence[Any], Row]:
    """Run ``encode`` or ``decode`` on every input; return the results and the seconds an input."""
    wall, cpu = time.perf_counter(), time.process_time()
    if codec.batched:
        outputs = getattr(codec, f"{verb}_batch")(inputs)
    else:
        outputs = [getattr(codec, verb)(item) for item in inputs]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    count = len(inputs)
    return outputs, {f"{verb}_seconds": wall / count, f"{verb}_cpu_seconds": cpu / count}


def _common(codec: Codec) -> Row:
    return {
        "codec": codec.name,
        "variant": codec.variant,
        "setting": codec.setting,
        "parameters": codec.parameters_json(),
        "device": _device() if codec.batched else "cpu",
        "node": platform.node(),
        "time": datetime.now(UTC),
    }


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
