"""The law of bytes: encode, count the bytes, decode those bytes alone, measure. No Ray here.

A measurement never raises: whatever goes wrong with an image or a codec becomes a row with `error` filled. What ends
the process itself is for `aebench.containment` to catch, which is told before every stage what would be lost.
"""

from __future__ import annotations

import dataclasses
import logging
import platform
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aebench.clock import Seconds
from aebench.codecs.base import Codec, Rgb
from aebench.errors import CodecError, Error
from aebench.images import ImageRef, open_rgb, pixel_digest
from aebench.kept import IMAGE, ORIGINAL, STREAM, Keep, png
from aebench.metrics import DEFAULT_METRICS, Reference

log = logging.getLogger(__name__)

Row = dict[str, Any]
"""One measurement, as `aebench.results.ROWS` describes it, and what is to be kept of it (`aebench.kept`)."""

Key = tuple[str, str | None, str, str | None]
"""Image, image digest, setting and codec version: what `aebench.results.KEY` names. A failure may know no digest, where
the image could not be read, and no version."""

Announce = Callable[[str, Sequence[Row] | None], None]
"""Is told which stage begins, and the rows, without `error`, that are lost if the process ends in it; None where they
are those of the stage before."""


@dataclass(frozen=True)
class Request:
    """How to measure, and what not to measure again.

    Attributes
    ----------
    metrics : collection of str
        Of `aebench.metrics.METRICS`; the others are null in the rows.
    keep : Keep or None
        What the rows carry along, to be written to the run's folder.
    done : set of Key
        Measurements that exist already and are left out.
    known : mapping of Key to collection of str
        Measurements that exist but are to be made anew, with metrics that the new row must not lack.
    """

    metrics: Collection[str] = DEFAULT_METRICS
    keep: Keep | None = None
    done: frozenset[Key] = frozenset()
    known: Mapping[Key, Collection[str]] = dataclasses.field(default_factory=dict)

    def is_done(self, image: str, digest: str | None, setting: str, version: str | None) -> bool:
        """Tell whether a measurement exists, or a failure that knew less of it."""
        keys = ((image, digest, setting, version), (image, digest, setting, None), (image, None, setting, None))
        return any(key in self.done for key in keys)


@dataclass(frozen=True, eq=False)
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


def measure(
    images: Sequence[ImageRef],
    codecs: Sequence[Codec],
    request: Request,
    with_originals: bool = False,
    announce: Announce = lambda stage, at_stake: None,
) -> Iterator[Row]:
    """Measure images at every setting of a codec, those of one shape together where the codec codes batches.

    Parameters
    ----------
    images : sequence of ImageRef
    codecs : sequence of Codec
        Settings of one codec.
    request : Request
    with_originals : bool
        Whether one row of each image is to carry the original.
    announce : Announce

    Yields
    ------
    Row
        One for every image and setting that is not done.
    """
    by_shape: dict[tuple[int, ...], list[Original]] = defaultdict(list)
    for image in images:
        todo = [codec for codec in codecs if not request.is_done(image.name, None, codec.setting, None)]
        if not todo:
            continue
        announce("reading the image", [{**described(codec), "image": image.name} for codec in todo])
        try:
            original = Original.open(image)
        except Exception as error:
            yield from (failed(image, codec, error) for codec in todo)
        else:
            by_shape[original.rgb.shape].append(original)
    for originals in by_shape.values():
        rows = (row for codec in codecs for row in measure_batch(originals, codec, request, announce))
        yield from carry_originals(rows, originals) if with_originals else rows


def measure_batch(
    originals: Sequence[Original],
    codec: Codec,
    request: Request,
    announce: Announce = lambda stage, at_stake: None,
) -> Iterator[Row]:
    """Measure images of one shape at one setting.

    The time of a batch is shared equally by its images.
    """
    originals = [o for o in originals if not request.is_done(o.image.name, o.digest, codec.setting, None)]
    if not originals:
        return
    about = described(codec)
    announce("naming its version", [{**about, **original.facts()} for original in originals])
    try:
        version = codec.version()
    except Exception as error:
        yield from (failed(original.image, codec, error, original.facts()) for original in originals)
        return
    keys = {original: (original.image.name, original.digest, codec.setting, version) for original in originals}
    todo = {
        original: {*request.metrics, *request.known.get(key, ())}
        for original, key in keys.items()
        if key not in request.done
    }
    if not todo:
        return
    announce("encoding", [{**about, **original.facts(), "codec_version": version} for original in todo])
    try:
        rows = _measure_equal(todo, codec, request.keep, announce)
    except Exception as error:
        if len(todo) > 1:  # one image must not cost the others of its batch
            for original in todo:
                yield from measure_batch([original], codec, request, announce)
            return
        (original,) = todo
        rows = [failed(original.image, codec, error, original.facts())]
    for row in rows:
        yield {**row, "codec_version": version}


def carry_originals(rows: Iterable[Row], originals: Iterable[Original]) -> Iterator[Row]:
    """Let the first row of each of some images carry the original, as a PNG file."""
    waiting = {original.image.name: original.rgb for original in originals}
    for row in rows:
        rgb = waiting.pop(row["image"], None)
        yield row if rgb is None else {**row, ORIGINAL: png(rgb)}


def failed(image: ImageRef, codec: Codec, error: Exception, facts: Mapping[str, Any] | None = None) -> Row:
    """Make the row of a measurement that failed."""
    if isinstance(error, Error):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
        log.debug("%s of %s failed", codec.setting, image.name, exc_info=error)
    return {**described(codec), "image": image.name, **(facts or {}), "error": text}


def _measure_equal(
    todo: Mapping[Original, Collection[str]], codec: Codec, keep: Keep | None, announce: Announce
) -> list[Row]:
    """Encode, count, decode and score images of one shape by some metrics each; any failure raises."""
    streams, encode_times = _timed(codec, "encode", [original.rgb for original in todo])
    if not all(isinstance(stream, bytes) for stream in streams):
        raise CodecError(f"{codec.name}.encode must return bytes, not {type(streams[0]).__name__}")
    announce("decoding", None)
    # a fresh instance: what the encoder may have remembered does not reach the decoder
    decoded, decode_times = _timed(dataclasses.replace(codec), "decode", streams)
    announce("scoring", None)
    rows = []
    for (original, metrics), stream, rgb in zip(todo.items(), streams, decoded, strict=True):
        height, width = original.rgb.shape[:2]
        rows.append(
            {
                **described(codec),
                **original.facts(),
                "bytes": len(stream),
                "bpp": 8 * len(stream) / (width * height),
                **dataclasses.asdict(original.reference.score(rgb, metrics)),
                **encode_times,
                **decode_times,
                **({STREAM: stream} if keep else {}),
                **({IMAGE: png(rgb)} if keep == "images" else {}),
            }
        )
    return rows


def _timed(codec: Codec, verb: str, inputs: Sequence[Any]) -> tuple[Sequence[Any], Row]:
    """Run ``encode`` or ``decode`` on every input; return the results and the seconds an input."""
    start = Seconds.now()
    if codec.batched:
        outputs = getattr(codec, f"{verb}_batch")(inputs)
    else:
        outputs = [getattr(codec, verb)(item) for item in inputs]
    wall, cpu = start.until(Seconds.now())
    count = len(inputs)
    return outputs, {f"{verb}_seconds": wall / count, f"{verb}_cpu_seconds": cpu / count}


def described(codec: Codec) -> Row:
    """Return the columns that say what is measured, where and when."""
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
