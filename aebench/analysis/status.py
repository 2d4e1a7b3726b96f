"""How far a run is, from its files alone: while it is written, after it broke off, or when it is complete."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aebench.analysis.rows import codec_order, failures, image_names, latest, of_settings
from aebench.heartbeat import DEAD_AFTER, last_beat
from aebench.results import RunFolder
from aebench.storage import Place

WINDOW = timedelta(minutes=5)
"""Rates are those of this time up to now."""

State = Literal["running", "interrupted", "complete"]


@dataclass(frozen=True)
class CodecStatus:
    """How far the measurements of one codec are.

    `done` rows of the `expected` are there, `failed` of them failures; `expected` is None for a codec that is not in
    the job. `rate` is in rows a second, `seconds_left` in seconds; both are NaN where nothing tells them.
    """

    codec: str
    done: int
    failed: int
    expected: int | None
    rate: float
    seconds_left: float


@dataclass(frozen=True)
class TrainingStatus:
    """How far the training of a network is.

    `epochs` of those `expected` are over; the losses and the PSNR, in dB, are those of the last; `seconds_left` is NaN
    where nothing tells it.
    """

    network: str
    epochs: int
    expected: int
    train_loss: float
    validation_loss: float
    validation_psnr: float
    seconds_left: float


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes
    ----------
    path : Path or RemotePath
    state : str
        ``running``, ``interrupted`` or ``complete``. Complete is what ``run.json`` says is finished; of the others
        those run whose last sign of life is not older than a minute.
    started, finished, written, now : datetime
        When the job was begun last and when it finished, when the last row or epoch was written; None if unknown.
    codecs : tuple of CodecStatus
        In the order of the job; empty while it trains.
    trainings : tuple of TrainingStatus
        In the order of the job.
    failed_images : tuple of str
        Sorted.
    command : str
        What begins or resumes the job; empty if ``run.json`` does not tell.
    folder : str
        Where that was given.
    """

    path: Place
    state: State
    started: datetime | None
    finished: datetime | None
    written: datetime | None
    now: datetime
    codecs: tuple[CodecStatus, ...]
    trainings: tuple[TrainingStatus, ...]
    failed_images: tuple[str, ...]
    command: str
    folder: str


def read_status(path: str | Place) -> Status:
    """Read how far a run is.

    Raises
    ------
    ResultsError
        If there is no run, or a file of it is damaged.
    """
    run = RunFolder(path)
    info = run.info() or run.require().info()
    return status(
        run.path, info, run.rows(), run.trainings(), last_beat(run.path), run.last_written(), datetime.now(UTC)
    )


def status(
    path: Place,
    info: Mapping[str, Any],
    rows: pa.Table,
    trainings: Mapping[str, pa.Table],
    beat: datetime | None,
    written: datetime | None,
    now: datetime,
) -> Status:
    """Conclude how far a run is.

    Parameters
    ----------
    path : path
    info : mapping
        What ``run.json`` holds.
    rows : pyarrow.Table
    trainings : mapping of str to pyarrow.Table
        As `aebench.results.RunFolder` reads them.
    beat : datetime, optional
        Of its last sign of life.
    written : datetime, optional
        When the last row or epoch was written.
    now : datetime
    """
    rows = latest(rows)
    started, finished = _moment(info.get("started")), _moment(info.get("finished"))
    state: State = "interrupted"
    if started and finished and finished >= started:
        state = "complete"
    elif beat and (now - beat).total_seconds() <= DEAD_AFTER:
        state = "running"
    command = [str(word) for word in info.get("command", [])[1:] if word != "--fresh"]
    return Status(
        path=path,
        state=state,
        started=started,
        finished=finished if state == "complete" else None,
        written=written,
        now=now,
        codecs=tuple(_codecs(info.get("expected", {}), rows, started, now if state == "running" else None)),
        trainings=tuple(
            _training(section, trainings.get(section["model"]), state == "running")
            for section in (info.get("job") or {}).get("train", ())
        ),
        failed_images=tuple(image_names(failures(rows))),
        command=shlex.join(["aebench", *command]) if command else "",
        folder=str(info.get("folder", "")),
    )


def _codecs(
    expected: Mapping[str, Mapping[str, Any]], rows: pa.Table, started: datetime | None, now: datetime | None
) -> list[CodecStatus]:
    """Count the rows of every codec; those of a job's codec are the rows of its settings. `now` while it runs."""
    found = []
    for codec in [*expected, *(name for name in codec_order(rows, {}) if name not in expected)]:
        own = rows.filter(pc.equal(rows["codec"], codec))
        total = None
        if codec in expected:
            own = of_settings(own, expected[codec]["settings"])
            total = len(expected[codec]["settings"]) * expected[codec]["images"]
        left = max(0, (total or 0) - len(own))
        rate = _rate(own, started, now) if now and left else float("nan")
        found.append(CodecStatus(codec, len(own), len(failures(own)), total, rate, left / rate if rate else np.nan))
    return found


def _rate(rows: pa.Table, started: datetime | None, now: datetime) -> float:
    """Return the rows a second since the first of the last minutes; NaN for none."""
    times = [time for time in rows["time"].to_pylist() if time and time >= max(now - WINDOW, started or time)]
    seconds = (now - min(times)).total_seconds() if times else 0.0
    return (len(times) - 1) / seconds if len(times) > 1 and seconds > 0 else float("nan")


def _training(section: Mapping[str, Any], epochs: pa.Table | None, running: bool) -> TrainingStatus:
    done, expected = len(epochs or ()), int(section["epochs"])
    nan = float("nan")
    last = epochs.slice(done - 1).to_pylist()[0] if epochs else {}
    pace = float(np.mean(epochs["seconds"].to_numpy()[-5:])) if epochs and running else nan
    return TrainingStatus(
        network=section["model"],
        epochs=done,
        expected=expected,
        train_loss=last.get("train_loss", nan),
        validation_loss=last.get("validation_loss", nan),
        validation_psnr=last.get("validation_psnr", nan),
        seconds_left=pace * (expected - done) if done < expected else nan,
    )


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
