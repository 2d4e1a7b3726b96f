from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aebench.errors import ResultsError
from aebench.results import KEY, ROWS, TIMES, RowWriter, RunFolder, _counting


def row(image: str = "a.png", setting: str = "jpeg[quality=50]", **values: Any) -> dict[str, Any]:
    known = {
        "image_digest": "d" + image,
        "codec_version": "v1",
        "codec": "jpeg",
        "bytes": 10,
        "time": datetime.now(UTC),
    }
    return {"image": image, "setting": setting, **known, **values}


def test_rows_come_back_typed_and_infinite_psnr_stays_infinite(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r")
    run.append_rows([row(psnr_rgb=float("inf")), row("b.png", error="damaged", bytes=None)])
    table = run.rows()
    assert table.schema == ROWS
    assert table["psnr_rgb"].to_pylist() == [float("inf"), None]
    assert table["schema_version"].to_pylist() == [3, 3]


def test_rows_of_the_first_schema_are_one_variant_of_their_codec(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r")
    run.append_rows([row()])
    (path,) = (run.path / "rows").glob("*.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["variant", "ssimulacra2"]), path)
    assert run.rows().schema == ROWS
    assert run.rows()["variant"].to_pylist() == ["jpeg"]


def test_a_repeated_measurement_counts_once_and_the_last(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append_rows([row(bytes=1), row("b.png")])
    run.append_rows([row(bytes=2)])
    assert {r["image"]: r["bytes"] for r in run.rows().to_pylist()} == {"a.png": 2, "b.png": 10}


def test_a_success_counts_before_a_failure_of_the_same_measurement(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append_rows([row(bytes=1)])
    run.append_rows([row(bytes=None, error="out of memory")])
    assert run.rows()["bytes"].to_pylist() == [1]


@pytest.mark.parametrize("difference", ["image", "image_digest", "setting", "codec_version"])
def test_rows_that_differ_in_the_key_are_two_measurements(tmp_path: Path, difference: str) -> None:
    run = RunFolder(tmp_path)
    run.append_rows([row(), row(**{difference: "another"})])
    assert len(run.rows()) == 2


@given(st.lists(st.tuples(*(st.sampled_from(values) for values in ("ab", "d ", "xy", "v ", " e"))), max_size=12))
def test_rows_are_those_that_a_plain_reading_of_the_rules_leaves(found: list[tuple[str, ...]]) -> None:
    table = pa.Table.from_pylist(
        [{key: value.strip() or None for key, value in zip([*KEY, "error"], values, strict=True)} for values in found],
        pa.schema([ROWS.field(name) for name in [*KEY, "error"]]),
    )
    rows = list(enumerate(table.to_pylist()))
    for vague in ("image_digest", "codec_version"):
        known = {(row["image"], row["setting"]) for _, row in rows if row[vague]}
        rows = [(n, row) for n, row in rows if row[vague] or (row["image"], row["setting"]) not in known]
    last: dict[tuple[str | None, ...], tuple[bool, int]] = {}
    for number, row in rows:
        key = tuple(row[name] for name in KEY)
        last[key] = max(last.get(key, (False, -1)), (row["error"] is None, number))
    expected = sorted(number for _, number in last.values())
    assert np.flatnonzero(_counting([table[:5], table[5:]])).tolist() == expected


def test_failures_without_a_digest_are_kept_each(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    broken = {"image_digest": None, "codec_version": None, "bytes": None, "error": "damaged"}
    run.append_rows([row("a.png", **broken), row("b.png", **broken)])
    assert sorted(run.rows()["image"].to_pylist()) == ["a.png", "b.png"]


def test_a_failure_that_knew_less_counts_until_more_is_known(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    unread = {"image_digest": None, "codec_version": None, "bytes": None, "error": "damaged"}
    run.append_rows([row(**unread), row(setting="jpeg[quality=9]", **unread), row("b.png", **unread)])
    run.append_rows([row(codec_version=None, bytes=None, error="no library")])
    assert sorted((r["image"], r["setting"], r["error"]) for r in run.rows().to_pylist()) == [
        ("a.png", "jpeg[quality=50]", "no library"),
        ("a.png", "jpeg[quality=9]", "damaged"),
        ("b.png", "jpeg[quality=50]", "damaged"),
    ]
    run.append_rows([row()])
    assert [r["error"] for r in run.rows().to_pylist() if r["setting"] == "jpeg[quality=50]"] == ["damaged", None]


def test_a_kill_while_compacting_loses_and_doubles_nothing(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for name in "abc":
        run.append_rows([row(name, psnr_rgb=float(ord(name)))])
    run.append_rows([row("a", psnr_rgb=1.0), row("d", error="damaged", image_digest=None, codec_version=None)])
    before = run.rows().sort_by("image").to_pylist()
    files = {path: path.read_bytes() for path in (tmp_path / "rows").iterdir()}
    run.compact()
    for path, data in list(files.items())[1:]:  # killed after the first of them was removed
        path.write_bytes(data)
    (tmp_path / "rows" / "half.tmp").write_bytes(b"PAR1")
    assert run.rows().sort_by("image").to_pylist() == before
    run.compact()
    assert len(list((tmp_path / "rows").iterdir())) == 1
    assert run.rows().sort_by("image").to_pylist() == before


def test_a_writer_that_is_killed_at_any_moment_leaves_a_run_that_can_be_read(tmp_path: Path) -> None:
    code = """if True:
        import itertools, sys
        from aebench.results import RunFolder

        run = RunFolder(sys.argv[1])
        for number in itertools.count(len(run.rows())):
            run.append_rows([{"image": f"{number}.png", "image_digest": "d", "setting": "s", "codec_version": "v"}])
            print(number, flush=True)
            if number % 3 == 2:
                run.compact()
    """
    chance = random.Random(1)
    last = -1
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.3))
            writer.kill()
            said = writer.stdout.read().split()
        last = int(said[-1]) if said else last + 1
        images = sorted(int(name.removesuffix(".png")) for name in RunFolder(tmp_path).rows()["image"].to_pylist())
        assert images == list(range(len(images)))
        assert len(images) in (last + 1, last + 2)  # the last may have been written and not told
        last = len(images) - 1


def test_compacting_keeps_every_row_and_leaves_one_file(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for name in "abc":
        run.append_rows([row(name)])
    before = run.rows().sort_by("image").to_pylist()
    run.compact()
    assert len(list((tmp_path / "rows").iterdir())) == 1
    assert run.rows().sort_by("image").to_pylist() == before


def test_writer_keeps_rows_until_it_is_time(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    writer = RowWriter(run, seconds=3600)
    writer.add([row("a.png"), row("b.png")])
    assert len(run.rows()) == 0
    writer.flush()
    writer.flush()
    assert len(run.rows()) == 2
    assert len(list((tmp_path / "rows").glob("*.parquet"))) == 1
    eager = RowWriter(run, seconds=0)
    eager.add([row("c.png")])
    assert len(run.rows()) == 3


def test_a_file_that_is_not_whole_yet_is_not_read(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append_rows([row()])
    (tmp_path / "rows" / "half.tmp").write_bytes(b"PAR1")
    assert len(run.rows()) == 1


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append_rows([row()])
    (tmp_path / "rows" / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ResultsError, match=r"bad\.parquet"):
        run.rows()


def test_unknown_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="psnr_bgr"):
        RunFolder(tmp_path).append_rows([row(psnr_bgr=1.0)])


def test_epochs_trained_again_count_once(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for network, epoch, loss in (("b", 1, 0.5), ("b", 2, 0.4), ("a", 1, 9.0), ("b", 2, 0.3)):
        run.append_epoch({"network": network, "epoch": epoch, "train_loss": loss})
    assert run.epochs()["train_loss"].to_pylist() == [0.5, 0.3, 9.0]
    assert {network: len(epochs) for network, epochs in run.trainings().items()} == {"b": 2, "a": 1}
    assert (run.epochs_of("a")["epoch"].to_pylist(), len(run.epochs_of("c"))) == ([1], 0)
    assert set(run.epochs()["run"].to_pylist()) == {tmp_path.name}


def test_a_run_with_one_training_of_schema_2_is_read(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    section = {"model": "paper", "images": "kodak"}
    for train, today in ((section, [section]), (None, []), ([section], [section])):
        run.update_info(job={"train": train}, training={"model": "paper", "recipe": {}})
        assert run.info() == {"job": {"train": today}, "training": {"paper": {"model": "paper", "recipe": {}}}}


def test_times_are_all_kept_failures_included(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    times = {"image": "a.png", "setting": "jpeg", "repeat": 1, "encode_seconds": 0.5}
    run.append_times([times, {**times, "repeat": 2}])
    later = {**times, "time": datetime.now(UTC)}  # another pass
    run.append_times([later, {"image": "b.png", "setting": "jpeg", "error": "damaged"}])
    assert run.times().schema == TIMES
    assert run.times()["repeat"].to_pylist() == [1, 2, 1, None]
    run.compact()
    assert len(list((tmp_path / "times").iterdir())) == 1
    assert run.times()["repeat"].to_pylist() == [1, 2, 1, None]
    assert run.require() is run


def test_info_is_merged(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.info() == {}
    run.update_info(a=1)
    run.update_info(b=Path("x"))
    assert run.info() == {"a": 1, "b": "x"}
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ResultsError, match=r"run\.json"):
        run.info()


def test_a_folder_without_results_is_refused_with_those_beside_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "known")
    run.append_rows([row()])
    assert run.require() is run
    with pytest.raises(ResultsError, match="runs beside it: known"):
        RunFolder(tmp_path / "unknown").require()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match="holds no results"):
        RunFolder(tmp_path / "empty").require()


def test_files_are_plain_parquet(tmp_path: Path) -> None:
    RunFolder(tmp_path).append_rows([row()])
    (path,) = (tmp_path / "rows").glob("*.parquet")
    assert pq.read_table(path).num_rows == 1
    assert json.dumps(pq.read_schema(path).names)
