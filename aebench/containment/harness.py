"""The harness in a child process: what crashes, hangs or devours memory is a row that says so, and costs no other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from aebench.codecs.base import Codec
from aebench.containment.limits import Limits
from aebench.containment.process import ChildDeathError, ChildProcess
from aebench.errors import ContainmentError
from aebench.images import ImageRef
from aebench.measure import Announce, Key, Request, Row, measure


@dataclass(frozen=True)
class Call:
    """Images to measure at every setting of a codec.

    Attributes
    ----------
    images : tuple of ImageRef
    family : int
        Position of the codec in `Harness.families`.
    with_originals : bool
        See `aebench.measure.measure`.
    without : set of Key
        Measurements that an earlier child has made, or died of.
    singly : bool
        Whether to code no images together.
    """

    images: tuple[ImageRef, ...]
    family: int
    with_originals: bool = False
    without: frozenset[Key] = frozenset()
    singly: bool = False


@dataclass(frozen=True)
class Harness:
    """What a child process does: it reads, encodes, decodes and scores. Pixels stay in it.

    Attributes
    ----------
    families : sequence of sequence of Codec
        The settings of each codec.
    request : Request
    """

    families: Sequence[Sequence[Codec]]
    request: Request

    def __call__(self, call: Call, announce: Announce) -> Iterator[Row]:
        """Measure what a call names."""
        codecs = self.families[call.family]
        if codecs[0].batched:
            import torch

            torch.set_num_threads(1)
        request = self.request
        if call.without:
            request = dataclasses.replace(request, done=request.done | call.without)

        def stake(stage: str, rows: Sequence[Row] | None) -> None:
            announce(stage, None if rows is None else [{**row, "time": row["time"].isoformat()} for row in rows])

        for images in ([image] for image in call.images) if call.singly else [call.images]:
            yield from measure(images, codecs, request, call.with_originals, stake)


class ContainedHarness:
    """Measures in a child process.

    Parameters
    ----------
    harness : bytes
        A pickled `Harness`, whose codecs only the child process imports.
    limits : Limits
        Of which the time is that of one stage: reading an image, and encoding, decoding and scoring at one setting.
    """

    def __init__(self, harness: bytes, limits: Limits) -> None:
        self._child = ChildProcess(harness, limits)

    def load(self, harness: bytes, limits: Limits) -> None:
        """Measure with another harness from now on; what both import is imported once."""
        self._child.load(harness, limits)

    def start(self) -> None:
        """Start the child process, if none waits for a call, which otherwise the next call does.

        Raises
        ------
        ContainmentError
            If it cannot be started.
        """
        self._child.start()

    def measure(self, images: Sequence[ImageRef], family: int, with_originals: bool = False) -> Iterator[Row]:
        """Measure images at every setting of a codec, as `aebench.measure.measure` does.

        Where the child dies, another goes on with what is left: image by image if several were coded together, else
        without the measurement of which the first has died, which is a row with `error` filled.

        Raises
        ------
        ContainmentError
            If no child can be started, or two in a row die before they have begun.
        """
        call = Call(tuple(images), family, with_originals)
        without: set[Key] = set()
        deaths = 0
        while True:
            try:
                for row in self._child.run(call):
                    deaths = 0
                    without.add(_key(row))
                    yield row
            except ChildDeathError as death:
                deaths += 1
                staked = [{**row, "time": datetime.fromisoformat(row["time"])} for row in death.at_stake or ()]
                lost = [row for row in staked if _key(row) not in without]
                if not lost and deaths > 1:
                    raise ContainmentError(f"a process to measure {images[0].name} in {death.cause}, twice") from None
                if len({row["image"] for row in lost}) == 1:
                    without.update(map(_key, lost))
                    yield from ({**row, "error": death.cause} for row in lost)
                call = dataclasses.replace(call, without=frozenset(without), singly=True)
            else:
                return

    def close(self) -> None:
        """End the child process."""
        self._child.close()


def _key(row: Row) -> Key:
    """Name the image and the setting of a row, whatever else it knows."""
    return row["image"], None, row["setting"], None
