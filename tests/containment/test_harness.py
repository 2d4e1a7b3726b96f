"""Measuring with codecs that end the process, hang or devour memory."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aebench.codecs import Codec, codecs
from aebench.containment import Limits
from aebench.containment.harness import ContainedHarness, Harness
from aebench.errors import ContainmentError
from aebench.images import ImageRef, pixel_digest
from aebench.images.reading import open_rgb
from aebench.measure import Request, Row, measure
from tests.containment.hostile import (
    CRASHES,
    CRASHES_LATE,
    HANGS,
    HANGS_LATE,
    HARMLESS,
    LEAKS,
    RAISES,
    Hostile,
    HostileBatches,
    write_images,
)  # fmt: skip

LIMITS = Limits(seconds=4, memory=10**9)  # torch alone takes a quarter of it

ERRORS = {
    RAISES: "ZeroDivisionError: on purpose",
    HANGS: "exceeded the time limit of 4 s (time_limit) while encoding",
    HANGS_LATE: "exceeded the time limit of 4 s (time_limit) while decoding",
    LEAKS: "exceeded the memory limit of 1 GB (memory_limit) while encoding",
    CRASHES: "crashed with SIGSEGV while encoding",
    CRASHES_LATE: "crashed with SIGSEGV while decoding",
    HARMLESS: None,
}


def contained(
    images: Sequence[ImageRef], settings: Sequence[Codec], request: Request | None = None, **options: Any
) -> list[Row]:
    """Measure in a child process."""
    harness = ContainedHarness(pickle.dumps(Harness([settings], request or Request())), LIMITS)
    try:
        return list(harness.measure(images, 0, **options))
    finally:
        harness.close()


def without_times(rows: Sequence[Row]) -> list[Row]:
    return [
        {name: value for name, value in row.items() if "time" not in name and "seconds" not in name} for row in rows
    ]


def test_rows_are_those_of_a_measurement_without_a_child(tmp_path: Path) -> None:
    images = write_images(tmp_path, [HARMLESS, RAISES])
    (tmp_path / "bad.png").write_bytes(b"nothing")
    images.append(ImageRef("bad.png", str(tmp_path / "bad.png")))
    settings = [*codecs("jpeg[quality=20|80]")]
    for options in ({"with_originals": True}, {"request": Request(keep="images")}):
        rows = contained(images, settings, **options)
        assert without_times(rows) == without_times(
            list(measure(images, settings, options.get("request", Request()), options.get("with_originals", False)))
        )
        assert len(rows) == 6
        assert all(row["encode_cpu_seconds"] >= 0 for row in rows[2:])


@pytest.mark.parametrize("kind", [RAISES, HANGS, HANGS_LATE, LEAKS, CRASHES, CRASHES_LATE])
def test_what_ends_a_child_is_a_row_and_the_rest_is_measured(tmp_path: Path, kind: int) -> None:
    (image,) = write_images(tmp_path, [kind])
    settings = [Hostile(1, harmless=True), Hostile(2), Hostile(3, harmless=True)]
    first, second, third = contained([image], settings)
    assert (first["setting"], second["setting"]) == ("hostile[level=1,harmless=true]", "hostile[level=2]")
    assert second["error"] == ERRORS[kind]
    assert "bytes" not in second
    assert second["image_digest"] == third["image_digest"] == pixel_digest(open_rgb(image.uri))
    assert {"codec", "variant", "parameters", "codec_version", "node", "time", "width", "height"} <= second.keys()
    assert (first["bytes"], third["bytes"]) == (578, 578)
    assert "error" not in first
    assert "error" not in third


def test_an_image_that_ends_a_batch_costs_no_other_of_it(tmp_path: Path) -> None:
    kinds = [HARMLESS, CRASHES, HARMLESS, HANGS_LATE, RAISES, HARMLESS]
    rows = contained(write_images(tmp_path, kinds), [HostileBatches(1), HostileBatches(2)])
    errors = {(row["image"], row["setting"]): row.get("error") for row in rows}
    assert len(rows) == len(errors) == 12
    for number, kind in enumerate(kinds):
        for level in (1, 2):
            assert errors[f"{number:03}.png", f"hostile-batches[level={level}]"] == ERRORS[kind]


def test_an_image_that_ends_whoever_reads_it_is_a_row_for_every_setting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # opening it waits for a writer that never comes
    pipe = ImageRef("pipe.png", str(tmp_path / "pipe.png"))
    rows = contained([pipe, *write_images(tmp_path, [HARMLESS])], [HostileBatches(1), HostileBatches(2)])
    errors = [row["error"] for row in rows if row["image"] == "pipe.png"]
    assert errors == ["exceeded the time limit of 4 s (time_limit) while reading the image"] * 2
    assert all("image_digest" not in row for row in rows if row["image"] == "pipe.png")
    assert [row.get("error") for row in rows if row["image"] == "000.png"] == [None, None]


def test_what_is_done_is_left_out_by_what_is_known_of_it(tmp_path: Path) -> None:
    image, broken = write_images(tmp_path, [HARMLESS, HARMLESS])
    Path(broken.uri).write_bytes(b"")
    digest = pixel_digest(open_rgb(image.uri))
    settings = [Hostile(level) for level in (1, 2, 3)]
    done = frozenset({
        (image.name, digest, "hostile[level=1]", "1"), (image.name, digest, "hostile[level=2]", "another"),
        (image.name, digest, "hostile[level=3]", None), (broken.name, None, "hostile[level=1]", None),
    })  # fmt: skip
    rows = contained([image, broken], settings, Request(done=done))
    assert sorted((row["image"], row["setting"]) for row in rows) == [
        ("000.png", "hostile[level=2]"), ("001.png", "hostile[level=2]"), ("001.png", "hostile[level=3]"),
    ]  # fmt: skip


def test_children_that_die_before_they_begin_end_the_run(tmp_path: Path) -> None:
    harness = ContainedHarness(pickle.dumps(print), LIMITS)  # answers no call
    with pytest.raises(ContainmentError, match=r"000\.png in ended with exit code 1 while starting, twice"):
        list(harness.measure(write_images(tmp_path, [HARMLESS]), 0))
    harness.close()
