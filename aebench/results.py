"""A run's folder: rows and epochs as Parquet, the job and its surroundings as JSON, the trained model.

    RUN/rows/*.parquet      one row per (image, codec, setting), failures included
    RUN/times/*.parquet     one row per repeat of the timing pass
    RUN/epochs/*.parquet    one row per epoch of a training
    RUN/streams/            bitstreams, and
    RUN/images/             reconstructions, where they are kept: see `aebench.kept`
    RUN/report.html         the page: see `aebench.report.page`
    RUN/run.json            the job, versions, commit, hardware
    RUN/model/NETWORK/      the trained weights
    RUN/training/NETWORK/   checkpoints from which an interrupted training goes on
    RUN/ray.log             what Ray's native code had to say; in an object store, once a step is over
    RUN/alive               touched while the run goes on: see `aebench.heartbeat`

RUN is a folder of this machine or of an object store: see `aebench.storage`, by which a reader never sees half a file.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aebench.errors import ResultsError
from aebench.names import file_name
from aebench.storage import THREADS, Place, list_files, place, read_buffer, write_file

SCHEMA_VERSION = 3

_SUBJECT = [
    ("run", pa.string()),
    ("image", pa.string()),
    ("image_digest", pa.string()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("codec", pa.string()),
    ("variant", pa.string()),
    ("setting", pa.string()),
    ("parameters", pa.string()),
    ("codec_version", pa.string()),
]
"""What was measured."""

_SECONDS = [
    ("encode_seconds", pa.float64()),
    ("encode_cpu_seconds", pa.float64()),
    ("decode_seconds", pa.float64()),
    ("decode_cpu_seconds", pa.float64()),
]
"""How long it took."""

ROWS = pa.schema(
    [
        *_SUBJECT,
        ("bytes", pa.int64()),
        ("bpp", pa.float64()),
        ("mse", pa.float64()),
        ("psnr_rgb", pa.float64()),
        ("psnr_y", pa.float64()),
        ("psnr_yuv", pa.float64()),
        ("ms_ssim", pa.float64()),
        ("ssimulacra2", pa.float64()),
        *_SECONDS,
        ("device", pa.string()),
        ("node", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("error", pa.string()),
        ("schema_version", pa.int32()),
    ]
)
"""One measurement. Sizes in bytes, `bpp` in bits per pixel, PSNR in dB (infinite where lossless), times in seconds;
`image_digest` is the SHA-256 of shape and pixels; the settings of one `variant` of a codec make one curve; a failed
measurement has `error` filled and what is unknown null."""

KEY = ("image", "image_digest", "setting", "codec_version")
"""Two rows that agree in these are the same measurement."""

TIMES = pa.schema(
    [
        *_SUBJECT,
        ("repeat", pa.int32()),
        *_SECONDS,
        ("device", pa.string()),
        ("node", pa.string()),
        ("cpu", pa.string()),
        ("threads", pa.int32()),
        ("niceness", pa.int32()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("error", pa.string()),
        ("schema_version", pa.int32()),
    ]
)
"""One repeat of the timing pass; see `aebench.timing`. `repeat` counts from 1; `cpu` is the model of the processor,
`threads` what a codec was asked to take, and `niceness` that of the process. Speeds are for the reader to compute:
pixels by seconds. A setting that failed on an image has one row with `error` filled."""

EPOCHS = pa.schema(
    [
        ("run", pa.string()),
        ("network", pa.string()),
        ("epoch", pa.int32()),
        ("step", pa.int64()),
        ("train_loss", pa.float64()),
        ("validation_loss", pa.float64()),
        ("validation_psnr", pa.float64()),
        ("learning_rate", pa.float64()),
        ("seconds", pa.float64()),
        ("cpu_seconds", pa.float64()),
        ("workers", pa.int32()),
        ("crops", pa.int64()),
        ("estimated_bpp", pa.float64()),
        ("real_bpp", pa.float64()),
        ("schema_version", pa.int32()),
    ]
)
"""One epoch of the training of a network; see `aebench.training.Epoch`. The bits per pixel are null of a network that
codes none."""

KINDS = {"rows": ROWS, "times": TIMES, "epochs": EPOCHS}
"""Folders of Parquet files, and what is in them."""

_GROUP_ROWS, _FILE_ROWS = 1 << 12, 1 << 20
"""Rows of a row group, and of a file, that compaction writes: it holds one row group and one compressed file."""


class RunFolder:
    """A run on disk or in an object store.

    Parameters
    ----------
    path : path or URI
        Its folder; nothing is created before something is written.
    """

    def __init__(self, path: str | Place) -> None:
        self.path = place(path)

    @property
    def name(self) -> str:
        """The folder's own name, which its rows carry."""
        return self.path.resolve().name

    def rows(self) -> pa.Table:
        """Read every measurement once: a repeated key counts as its last row, a success before a failure.

        A failure that knew no image digest, or no codec version, counts while nothing knows more of the same image
        and setting.
        """
        table = _read(self.path / "rows", ROWS)
        return _with_variants(table.filter(pa.array(_counting([table]))))

    def times(self) -> pa.Table:
        """Read every repeat of every timing pass, failures included; what stands there twice counts once."""
        table = _read(self.path / "times", TIMES)
        return table.group_by(table.column_names, use_threads=False).aggregate([]).cast(TIMES)

    def epochs(self) -> pa.Table:
        """Read the training curves; an epoch that was trained again after an interruption counts once."""
        table = _read(self.path / "epochs", EPOCHS)
        named = table["network"].fill_null("unnamed")  # rows of schema 2 have none
        table = table.set_column(table.schema.get_field_index("network"), EPOCHS.field("network"), named)
        keys = zip(table["network"].to_pylist(), table["epoch"].to_pylist(), strict=True)
        last = {key: index for index, key in enumerate(keys)}
        order = list(dict.fromkeys(network for network, _ in last))
        kept = sorted(last, key=lambda key: (order.index(key[0]), key[1]))
        return table.take(pa.array([last[key] for key in kept], pa.int64()))

    def trainings(self) -> dict[str, pa.Table]:
        """Read the training curve of every network, in the order in which they were trained."""
        table = self.epochs()
        networks = table["network"].unique().to_pylist()
        return {network: table.filter(pc.equal(table["network"], network)) for network in networks}

    def epochs_of(self, network: str) -> pa.Table:
        """Read the training curve of one network; empty where it was not trained."""
        return self.trainings().get(network, EPOCHS.empty_table())

    def weights_of(self, network: str) -> Place:
        """Return the folder of a network's weights."""
        return self.path / "model" / file_name(network)

    def training_of(self, network: str) -> Place:
        """Return the folder of the checkpoints of a network's training."""
        return self.path / "training" / file_name(network)

    def append_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write measurements as one more file."""
        _write(self.path / "rows", rows, ROWS)

    def append_times(self, times: Sequence[Mapping[str, Any]]) -> None:
        """Write repeats of a timing pass as one more file."""
        _write(self.path / "times", times, TIMES)

    def append_epoch(self, epoch: Mapping[str, Any]) -> None:
        """Write one epoch as one more file."""
        _write(self.path / "epochs", [{"run": self.name, **epoch}], EPOCHS)

    def compact(self) -> None:
        """Replace the many small files of a finished run by one of each kind; remove what a killed writer has left.

        The one is there before the many go: after a kill in between, readers find the same rows twice, and count
        them once.
        """
        for kind, schema in KINDS.items():
            folder = self.path / kind
            old = _files(folder)
            if len(old) > 1:
                tables = {"times": self.times, "epochs": self.epochs}
                _write_tables(folder, schema, [tables[kind]()] if kind in tables else _counted(old))
                for path in old:
                    path.unlink()
            for path in folder.glob("*.tmp"):
                path.unlink()

    def info(self) -> dict[str, Any]:
        """Read ``run.json``; empty where there is none."""
        try:
            info = json.loads((self.path / "run.json").read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ResultsError(f"cannot read {self.path / 'run.json'}: {error}") from error
        return _with_several_trainings(dict(info))

    def update_info(self, **values: Any) -> None:
        """Merge values into ``run.json``."""
        text = json.dumps({**self.info(), **values}, indent=2, default=str) + "\n"
        write_file(self.path / "run.json", text.encode())

    def last_written(self) -> datetime | None:
        """Return when the newest row, time or epoch was written."""
        times = [path.stem.partition("-")[0] for kind in KINDS for path in _files(self.path / kind)]
        known = [int(nanoseconds) for nanoseconds in times if nanoseconds.isdecimal()]
        return datetime.fromtimestamp(max(known) / 1e9, UTC) if known else None

    def require(self) -> RunFolder:
        """Return the folder, or raise `ResultsError` when it holds no run."""
        if not self.path.is_dir():
            beside = self.path.parent.glob("*/") if isinstance(self.path, Path) else ()
            near = sorted(p.name for p in beside if (p / "rows").is_dir())
            known = f"; runs beside it: {', '.join(near)}" if near else ""
            raise ResultsError(f"there is no run {self.path}{known}")
        if not any(any((self.path / kind).glob("*.parquet")) for kind in KINDS):
            raise ResultsError(f"{self.path} holds no results (no rows, times or epochs/*.parquet in it)")
        return self


class RowWriter:
    """Appends rows as they are made: a file at most every `seconds`, so that a killed run loses little."""

    def __init__(self, run: RunFolder, seconds: float = 2.0) -> None:
        self._run, self._seconds = run, seconds
        self._rows: list[Mapping[str, Any]] = []
        self._written = time.monotonic()

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take rows, and write them if the last write was long enough ago."""
        self._rows += rows
        if time.monotonic() - self._written >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        if self._rows:
            self._run.append_rows(self._rows)
        self._rows, self._written = [], time.monotonic()


def _with_several_trainings(info: dict[str, Any]) -> dict[str, Any]:
    """Bring what a run of schema 2 says of its one training into the form of today."""
    job, training = info.get("job"), info.get("training", {})
    if isinstance(job, dict) and not isinstance(job.get("train", []), list):
        info["job"] = {**job, "train": [job["train"]] if job["train"] else []}
    if isinstance(training.get("model"), str):
        info["training"] = {training["model"]: training}
    return info


def _files(folder: Place) -> list[Place]:
    return list_files(folder, "*.parquet")


def _read(folder: Place, schema: pa.Schema) -> pa.Table:
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            tables = list(pool.map(lambda path: _parse(_fetch(path), path, schema), _files(folder)))
    except FileNotFoundError:  # the run has just put its files into one
        return _read(folder, schema)
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _fetch(path: Place) -> pa.Buffer:
    try:
        return read_buffer(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error}") from error


def _parse(file: pa.Buffer, path: Place, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(file), schema=schema, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise ResultsError(f"cannot read {path}: {error}") from error


def _counting(tables: Iterable[pa.Table]) -> npt.NDArray[np.bool_]:
    """Tell of every row of some tables, from keys and errors, whether it counts; see `RunFolder.rows`.

    Strings enter as hashes, so that a run of a million images fits into memory.
    """
    parts = [(*(_hashes(table[name]) for name in KEY), pc.is_null(table["error"]).to_numpy()) for table in tables]
    image, digest, setting, version, succeeded = (np.concatenate(part) for part in zip(*parts, strict=True))
    alive = np.ones(len(image), bool)
    pair = image * np.uint64(3) + setting
    for column in (digest, version):  # a failure that knew less than another row of its image and setting is superseded
        vague = column == 0
        if vague.any():
            alive &= ~(vague & np.isin(pair, pair[alive & ~vague]))
    rank = succeeded * len(image) + np.arange(len(image))
    order = np.lexsort((rank, image, digest, setting, version))
    order = order[alive[order]]
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in (image, digest, setting, version):
        same &= column[order[1:]] == column[order[:-1]]
    counting = np.zeros(len(image), bool)
    counting[order[np.append(~same, True)[: len(order)]]] = True
    return counting


def _hashes(strings: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Hash every string to 64 bits, and null to 0."""
    encoded = strings.combine_chunks().dictionary_encode()
    hashes = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in encoded.dictionary.to_pylist()]
    found: npt.NDArray[np.uint64] = np.array([*hashes, 0], np.uint64)[encoded.indices.fill_null(len(hashes)).to_numpy()]
    return found


def _with_variants(table: pa.Table) -> pa.Table:
    variants = pc.coalesce(table["variant"], table["codec"])  # rows of schema 1 have none
    return table.set_column(table.schema.get_field_index("variant"), ROWS.field("variant"), variants)


def _counted(paths: Sequence[Place]) -> Iterator[pa.Table]:
    """Read files of rows, a few at a time, leaving out what does not count."""
    counting = _counting(_read_some(paths, [*KEY, "error"]))
    begin = 0
    for table in _read_some(paths):
        yield _with_variants(table.filter(pa.array(counting[begin : begin + len(table)])))
        begin += len(table)


def _read_some(paths: Sequence[Place], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read files of rows, a few at a time, of which only one is decompressed."""
    with ThreadPoolExecutor(THREADS) as pool:
        for few in (paths[first : first + THREADS] for first in range(0, len(paths), THREADS)):
            for path, file in zip(few, pool.map(_fetch, few), strict=True):
                yield _parse(file, path, ROWS, columns)


def _write(folder: Place, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
    unknown = {name for row in rows for name in row} - set(schema.names)
    if unknown:
        raise ResultsError(f"rows have columns that the schema does not: {', '.join(sorted(unknown))}")
    complete = [{"schema_version": SCHEMA_VERSION, **row} for row in rows]
    _write_tables(folder, schema, [pa.Table.from_pylist(complete, schema=schema)])


def _write_tables(folder: Place, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write tables, as they come, to files of about `_FILE_ROWS` rows whose names sort after all that are there."""
    left, over = iter(tables), False
    while not over:
        file, rows, waiting = pa.BufferOutputStream(), 0, schema.empty_table()
        with pq.ParquetWriter(file, schema) as writer:
            while rows < _FILE_ROWS and not over:
                table = next(left, None)
                over = table is None
                waiting = waiting if over else pa.concat_tables([waiting, table])
                if over or len(waiting) >= _GROUP_ROWS:
                    writer.write_table(waiting)
                    rows, waiting = rows + len(waiting), schema.empty_table()
        write_file(folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet", file.getvalue().to_pybytes())
