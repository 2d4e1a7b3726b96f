"""Runs in an object store, through moto's S3 server on loopback: real requests, real Ray, real Parquet."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import aebench as package
from aebench import cli
from aebench.cluster import Cluster
from aebench.errors import ResultsError
from aebench.heartbeat import beating, last_beat
from aebench.job import TrainSection, command_job
from aebench.kept import IMAGE, ORIGINAL, STREAM, is_kept, kept_files, original_path, stream_path, write_kept
from aebench.models.weights import build, read_weights
from aebench.results import KEY, RunFolder
from aebench.run import existing, open_run, run_job
from aebench.storage import Place, RemotePath, place, write_file
from aebench.train import Workers, make_recipe
from aebench.training import Epoch, Recipe, Trainer
from tests.stores import make_bucket, moto_server
from tests.test_cli import ROOT

MEASURED = (*KEY, "bytes", "mse", "psnr_rgb", "ms_ssim", "error")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Host and port of a store that has a bucket, and that the environment names."""
    with pytest.MonkeyPatch.context() as patch, moto_server() as host:
        for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "secret"), ("REGION", "us-east-1")):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        make_bucket(host, "bucket")
        yield host


@pytest.fixture
def store(server: str, request: pytest.FixtureRequest) -> str:
    """The URI of a folder that no other test uses."""
    return f"s3://bucket/{request.node.name.partition('[')[0]}/run"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with four noisy images and a damaged one."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(1)
    for index in range(4):
        rgb = random.integers(0, 256, (5, 6, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        Image.fromarray(rgb).save(folder / f"{index}.png")
    (folder / "damaged.png").write_bytes((folder / "0.png").read_bytes()[:50])
    return folder


def aebench(*arguments: str | Path, code: int = 0) -> str:
    """Run a command in this process, which is connected to a Ray already; return what it printed."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        patch.setattr(sys, "argv", ["aebench", *map(str, arguments)])
        patch.setattr(sys, "path", [*sys.path])
        patch.setenv("COLUMNS", "160")
        try:
            cli.main()
            ended: object = 0
        except SystemExit as end:
            ended = end.code
    assert ended == code, said.getvalue()
    return said.getvalue()


def measure(images: Path, codecs: str, output: str | Path, retry_errors: bool = False, **section: Any) -> str:
    """Do what ``aebench evaluate`` does before it draws figures, which takes seconds; return what was printed."""
    said = io.StringIO()
    job = command_job("evaluate", (), evaluate={"images": str(images), "codecs": [codecs], **section})
    run_job(job, output, Console(file=said, width=200), retry_errors=retry_errors)
    return said.getvalue()


def start(*arguments: str | Path, cluster: Cluster) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "aebench", *map(str, arguments)],
        env={**os.environ, "RAY_ADDRESS": cluster.address, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def row(image: str = "a.png", **values: Any) -> dict[str, Any]:
    known = {"image_digest": "d", "setting": "jpeg", "codec_version": "1", "codec": "jpeg", "time": datetime.now(UTC)}
    return {"image": image, **known, "bytes": 10, **values}


def measured(run: str | Path) -> list[dict[str, Any]]:
    rows = RunFolder(run).rows().select(list(MEASURED)).to_pylist()
    return sorted(rows, key=lambda values: (values["image"], values["setting"]))


def below(folder: Place) -> Iterator[RemotePath]:
    """Find every object below a folder."""
    assert isinstance(folder, RemotePath)
    for path in folder.iterdir():
        yield from [path] if path.is_file() else below(path)


def files(path: Place) -> list[str]:
    return [found.name for found in path.iterdir() if found.is_file()]


def test_a_local_file_is_written_whole_or_the_place_is_named(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "b" / "c", b"1")
    write_file(tmp_path / "a" / "b" / "c", b"22")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"22"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["c"]
    with pytest.raises(ResultsError, match=r"cannot write .*c/d"):
        write_file(tmp_path / "a" / "b" / "c" / "d", b"")


def test_a_file_uri_is_the_path(tmp_path: Path) -> None:
    assert place(tmp_path.as_uri()) == tmp_path
    assert RunFolder(f"{tmp_path.as_uri()}/a%20run/").path == tmp_path / "a run"


@pytest.mark.parametrize("uri", ["nope://KEY:SECRET@bucket/x", "s3://KEY:SECRET@bucket/a b?x=SECRET"])
def test_a_uri_that_is_none_is_refused_without_its_secrets(uri: str) -> None:
    with pytest.raises(ResultsError, match="cannot use") as caught:
        place(uri)
    assert "SECRET" not in str(caught.value)


def test_a_uri_names_a_bucket(server: str) -> None:
    with pytest.raises(ResultsError, match="s3:// names no bucket; write s3://bucket/folder"):
        place("s3://")


def test_objects_are_listed_read_written_and_deleted(store: str) -> None:
    folder = place(store)
    assert isinstance(folder, RemotePath)
    assert not folder.is_dir()
    assert list(folder.iterdir()) == []
    write_file(folder / "a" / "x.txt", b"12")
    write_file(folder / "a" / "x.txt", b"123")
    write_file(folder / "a" / "y.bin", b"")
    path = folder / "a" / "x.txt"
    assert (path.name, path.stem, path.size(), path.read_bytes()) == ("x.txt", "x", 3, b"123")
    assert str(path) == f"{store}/a/x.txt"
    assert folder.is_dir()
    assert not (folder / "a").is_file()
    assert [found.name for found in (folder / "a").glob("*.txt")] == ["x.txt"]
    assert (folder / "a").file_sizes() == {path: 3, folder / "a" / "y.bin": 0}
    path.unlink()
    path.unlink(missing_ok=True)
    for wrong in (path.unlink, path.read_bytes):
        with pytest.raises(FileNotFoundError):
            wrong()
    folder.rmtree()
    folder.rmtree()
    assert list(folder.iterdir()) == []


def test_a_file_is_one_put_and_has_the_type_of_its_suffix(server: str, store: str) -> None:
    client = boto3.client("s3", endpoint_url=f"http://{server}")
    for name, kind in (("report.html", "text/html"), ("rows/1.parquet", "application/octet-stream")):
        write_file(place(f"{store}/{name}"), bytes(2_000_000))
        found = client.head_object(Bucket="bucket", Key=f"{store.removeprefix('s3://bucket/')}/{name}")
        assert found["ContentType"] == kind
        assert "-" not in found["ETag"]  # where it was uploaded in parts, their number follows


WRITER = """
import sys
from aebench.results import RunFolder
run, number = RunFolder(sys.argv[1]), 0
while True:
    run.append_rows([{"image": f"{sys.argv[2]}-{number}", "setting": "s", "error": str(i) * 3000} for i in range(1000)])
    print(number := number + 1, flush=True)
"""


def test_a_writer_that_is_killed_leaves_no_torn_rows(store: str) -> None:
    chance = random.Random(3)
    written: set[str] = set()
    for name in "ab":
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, store, name], env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == "1\n"
        time.sleep(chance.uniform(0, 0.2))
        writer.kill()
        written |= {f"{name}-{number}" for number in range(1 + len(writer.communicate()[0].splitlines()))}
        assert written <= set(RunFolder(store).rows()["image"].to_pylist())


def test_rows_times_epochs_and_info(store: str) -> None:
    run = RunFolder(store)
    assert (run.info(), len(run.rows()), run.name) == ({}, 0, "run")
    run.append_rows([row(bytes=1), row("b.png", psnr_rgb=float("inf"))])
    run.append_rows([row(bytes=2)])
    run.append_times([{"image": "a.png", "repeat": repeat, "time": datetime.now(UTC)} for repeat in (1, 2)])
    run.append_epoch({"network": "paper", "epoch": 1, "train_loss": 0.5})
    run.update_info(a=1)
    run.update_info(b=2)
    before = run.rows().to_pylist()
    run.compact()
    assert run.rows().to_pylist() == before
    assert len(files(run.path / "rows")) == 1
    assert (len(run.times()), len(run.epochs()), run.info()) == (2, 1, {"a": 1, "b": 2})
    assert run.require() is run


def test_a_compaction_that_was_killed_before_it_deleted_changes_nothing(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(store)
    for name in "ab":
        run.append_rows([row(name)])
        run.append_times([{"image": name, "repeat": 1, "time": datetime.now(UTC)}])
    rows, times = run.rows().to_pylist(), run.times().to_pylist()
    with monkeypatch.context() as patch:
        patch.setattr(RemotePath, "unlink", lambda *arguments, **options: None)
        run.compact()
    assert len(files(run.path / "times")) == 3
    assert run.rows().sort_by("image").to_pylist() == rows
    assert run.times().to_pylist() == times


def test_kept_files(store: str) -> None:
    run = RunFolder(store)
    carrying = row(bytes=3, **{STREAM: b"abc", IMAGE: b"png", ORIGINAL: b"original"})
    plain = write_kept(run, carrying)
    kept = kept_files(run, ["a.png", "b.png"])
    assert kept[stream_path(run, "a.png", "jpeg")] == 3
    assert is_kept(run, plain, "images", kept)
    assert original_path(run, "a.png").read_bytes() == b"original"
    assert not is_kept(run, row("b.png"), "streams", kept)
    write_kept(run, {**carrying, "bytes": 4, STREAM: None, IMAGE: None, ORIGINAL: None})
    assert not stream_path(run, "a.png", "jpeg").is_file()
    assert not is_kept(run, plain, "streams", kept_files(run, ["a.png"]))


def test_a_run_gives_signs_of_life(store: str) -> None:
    folder = place(store)
    with beating(folder):
        beat = last_beat(folder)
        assert beat is not None
        assert abs((datetime.now(UTC) - beat).total_seconds()) < 60
    assert last_beat(folder) is None


def test_a_run_that_is_not_there_or_something_else(store: str) -> None:
    with pytest.raises(ResultsError, match=r"there is no run s3://bucket/.*/run"):
        package.read(store)
    write_file(place(store) / "something", b"")
    with pytest.raises(package.Error, match="holds no run"):
        open_run(store, fresh=True)
    with pytest.raises(package.Error, match="is a file"):
        open_run(f"{store}/something", fresh=False)


def test_fresh_removes_the_run_and_nothing_else(store: str) -> None:
    run = RunFolder(store)
    run.update_info(a=1)
    run.append_rows([row()])
    write_file(run.path / "notes.txt", b"mine")
    open_run(store, fresh=True)
    assert (run.info(), len(run.rows())) == ({}, 0)
    assert (run.path / "notes.txt").read_bytes() == b"mine"


def test_a_wrong_bucket_endpoint_or_key_is_one_sentence(
    server: str, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["evaluate", "--images", images, "--codecs", "jpeg[quality=50]", "--output"]
    said = aebench(*command, "s3://none/run", code=2)
    assert "there is no bucket 'none'" in said
    with moto_server(INITIAL_NO_AUTH_ACTION_COUNT="0") as strict:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{strict}")
        denied = aebench(*command, "s3://KEY:SECRET@bucket/run", code=2)
    unreachable = aebench(*command, "s3://bucket/run", code=2)
    assert "ACCESS_DENIED" in denied
    assert "SECRET" not in denied
    assert "NETWORK_CONNECTION" in unreachable
    for text in (said, denied, unreachable):
        assert text.startswith("error: cannot")
        assert text.count("\n") == 1
        assert "Ray" not in text


@pytest.mark.slow
def test_a_run_in_a_store_equals_one_on_disk(store: str, tmp_path: Path, images: Path, cluster: Cluster) -> None:
    codecs, local = "jpeg[quality=30|50|75|90],jpeg2000[bpp=1]", tmp_path / "run"
    measure(images, codecs, local, keep="images")
    options = ("--images", images, "--codecs", codecs, "--keep", "images", "--output", store)
    assert f"results: {store}" in aebench("evaluate", *options, code=3)
    assert measured(store) == measured(local)
    assert len(measured(store)) == 5 * 5
    assert sum(path.is_file() for path in (local / "streams").rglob("*")) == 4 * 5
    for kind in ("streams", "images"):
        for path in (local / kind).rglob("*.*"):
            assert path.is_dir() or path.read_bytes() == place(f"{store}/{path.relative_to(local)}").read_bytes()
    page = place(f"{store}/report.html").read_bytes().decode()
    assert 'href="figures/rd-psnr_rgb.svg"' in page
    assert 'images/0.png/original.png"' in page
    assert {"rd-psnr_rgb.png", "pictures-0.png"} <= set(files(place(store) / "figures"))
    assert place(f"{store}/ray.log").is_file()
    assert store in RunFolder(store).info()["command"]

    assert "complete" in aebench("status", store)
    assert "jpeg" in aebench("compare", local, store)
    assert f"page: {store}/report.html" in aebench("report", store)
    for run in (store, local):
        aebench("export", run, "--format", "csv", "-o", f"{run}.csv")
        aebench("export", run, "--format", "compressai", "-o", f"{run}-curves")
    found = [json.loads(place(f"{run}-curves/jpeg.json").read_bytes())["results"] for run in (store, local)]
    assert [found[0][name] for name in ("bpp", "psnr-rgb")] == [found[1][name] for name in ("bpp", "psnr-rgb")]
    assert [len(place(f"{run}.csv").read_bytes().splitlines()) for run in (store, local)] == [1 + 5 * 5] * 2


@pytest.mark.slow
def test_a_run_in_a_store_is_resumed_retried_and_timed(store: str, images: Path, cluster: Cluster) -> None:
    codecs = "jpeg[quality=30|75]"
    assert "there is no run s3://" in aebench("run", ROOT / "jobs" / "smoke.toml", "--resume", store, code=2)
    assert "were in" not in measure(images, codecs, store)
    first = measured(store)

    Image.new("RGB", (48, 40), "red").save(images / "damaged.png")
    assert "10 of 10 measurements were in s3://" in measure(images, codecs, existing(store))
    assert measured(store) == first
    assert "8 of 10 measurements were in s3://" in measure(images, codecs, store, retry_errors=True)
    assert [row["error"] for row in measured(store)] == [None] * 10

    command = ("time", "--images", images / "0.png", "--codecs", "jpeg[quality=75]", "--repeats", "2")
    assert "Speed" in aebench(*command, "--output", store)
    assert RunFolder(store).times()["repeat"].to_pylist() == [1, 2]

    assert "were in" not in measure(images, codecs, store, keep="streams")  # no file was kept
    place(f"{store}/streams/0.png/jpeg,quality=75.jpg").unlink()
    assert "9 of 10 measurements were in" in measure(images, codecs, store, keep="streams")


@pytest.mark.slow
def test_weights_are_read_from_a_store(store: str, images: Path, paper_weights: Path, cluster: Cluster) -> None:
    read_weights(paper_weights).save(RunFolder(store).weights_of("paper"))
    (images / "damaged.png").unlink()
    codecs = ",".join(f"paper[bits=4,weights={weights}]" for weights in (paper_weights, store))
    measure(images, codecs, images / "run")
    rows = RunFolder(images / "run").rows().to_pylist()
    assert f"paper[weights={store},bits=4]" in {row["setting"] for row in rows}
    assert len(rows) == 8
    assert len({(row["image"], row["bytes"], row["mse"], row["codec_version"]) for row in rows}) == 4


@pytest.mark.slow
def test_a_killed_run_goes_on(store: str, images: Path, cluster: Cluster) -> None:
    (images / "damaged.png").unlink()
    codecs = "tests.containment.hostile:Hostile[seconds=0.15,harmless=true,level=1|2|3|4|5|6],jpeg[quality=75]"
    options = ("--images", images, "--codecs", codecs, "--keep", "streams", "--output", store)
    driver = start("evaluate", *options, cluster=cluster)
    while not len(RunFolder(store).rows()):
        assert driver.poll() is None
        time.sleep(0.05)
    assert "running" in aebench("status", store)
    driver.kill()
    driver.wait()
    begun = RunFolder(store).rows().to_pylist()
    assert f"{len(begun)} of 28 measurements were in" in measure(images, codecs, store, keep="streams")
    rows = RunFolder(store).rows().to_pylist()
    assert all(values in rows for values in begun)
    assert len(rows) == len({(row["image"], row["setting"]) for row in rows}) == 4 * 7
    kept = kept_files(RunFolder(store), {row["image"] for row in rows})
    assert all(is_kept(RunFolder(store), row, "streams", kept) for row in rows)


def undisturbed(recipe: Recipe, images: list[Path]) -> list[Epoch]:
    """Train without Ray, in this process."""
    pixels = [np.asarray(Image.open(image)) for image in images]
    torch.manual_seed(recipe.seed)
    epochs: list[Epoch] = []
    Trainer(build("paper"), recipe, pixels[:-1], pixels[-1:]).run(epochs.append)
    return epochs


@pytest.mark.slow
def test_a_killed_training_goes_on_in_a_store_and_shows_no_credentials(
    server: str, store: str, images: Path, cluster: Cluster
) -> None:
    uri = f"{store.replace('//', '//KEY:SECRET@')}?region=us-east-1&scheme=http&endpoint_override={server}"
    options = {"epochs": 3, "steps": 2, "batch": 4, "crop": 16, "workers": 1, "validation": 1}
    (images / "damaged.png").unlink()
    command = ["train", "--images", images]
    command += [word for key, value in options.items() for word in ("--set", f"train.{key}={value}")]
    driver = start(*command, "--output", uri, cluster=cluster)
    run = RunFolder(store)
    while not len(run.epochs()):
        assert driver.poll() is None
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    said = aebench(*command, "--output", uri)
    assert "training paper: 1/3" not in said
    assert run.epochs()["epoch"].to_pylist() == [1, 2, 3]
    section = TrainSection(images=str(images), **options)
    whole = undisturbed(make_recipe(section, 1, Workers(1, cluster.cpus, gpu=False)), sorted(images.glob("*.png")))
    np.testing.assert_allclose(run.epochs()["train_loss"], [epoch.train_loss for epoch in whole], rtol=1e-5)
    best = min(whole, key=lambda epoch: epoch.validation_loss)
    assert read_weights(f"{store}/model/paper/model.safetensors").training["best_epoch"] == best.epoch

    said += aebench(*command, "--output", uri)
    assert f"training paper: {store}/model/paper is there already" in said
    said += aebench("status", uri)
    assert "SECRET" not in said
    assert len(list(below(run.path))) > 8
    for path in below(run.path):
        assert b"SECRET" not in path.read_bytes(), path
