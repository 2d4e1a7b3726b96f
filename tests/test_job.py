from __future__ import annotations

from pathlib import Path

import pytest

from aebench.containment import Limits
from aebench.errors import JobError
from aebench.job import command_job, read_job

GOOD = """
seed = 3

[train]
images = "kodak[:17]"
epochs = 5

[evaluate]
images = "kodak[17:]"
codecs = ["jpeg[quality=10|50]", "jpeg2000"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "experiment.toml"
    path.write_text(text)
    return path


def test_a_job_is_read_with_its_defaults(tmp_path: Path) -> None:
    job = read_job(write(tmp_path, GOOD))
    assert job.name == "experiment"
    assert job.seed == 3
    (train,) = job.train
    assert (train.epochs, train.batch, train.model) == (5, 8, "paper")
    assert job.evaluate is not None
    settings = [codec.setting for codec in job.evaluate.settings()]
    assert settings[:2] == ["jpeg[quality=10]", "jpeg[quality=50]"]
    assert len(settings) > 8


def test_a_training_may_start_from_weights(tmp_path: Path) -> None:
    job, changed = (read_job(write(tmp_path, GOOD), more) for more in ([], ["train.start=results/paper"]))
    assert (job.train[0].start, changed.train[0].start) == (None, "results/paper")


FAMILY = """
[[train]]
model = "paper"
images = "cid22"

[[train]]
model = "lapped"
images = "cid22"
epochs = 5
"""


def test_a_job_may_train_several_networks(tmp_path: Path) -> None:
    job = read_job(write(tmp_path, FAMILY), ["train.images=samples", "train.steps=3"])
    assert [(one.model, one.images, one.epochs, one.steps) for one in job.train] == [
        ("paper", "samples", 20, 3),
        ("lapped", "samples", 5, 3),
    ]
    text = FAMILY.replace("epochs = 5", "epochs = 0")
    with pytest.raises(JobError, match=r"line 9: train\.epochs: .*greater than or equal to 1, not 0"):
        read_job(write(tmp_path, text))
    with pytest.raises(JobError, match=r"line 6: train: batch = 8 cannot be shared"):
        read_job(write(tmp_path, FAMILY.replace("epochs = 5", "workers = 3")))
    with pytest.raises(JobError, match=r"train: 2 \[\[train\]\] train the same network, 'paper'"):
        read_job(write(tmp_path, FAMILY), ["train.model=paper"])


def test_metrics_and_files_have_defaults(tmp_path: Path) -> None:
    job = read_job(write(tmp_path, GOOD), ["time.images=samples", "time.codecs=['jpeg']"])
    assert job.evaluate is not None
    assert job.time is not None
    assert (job.evaluate.metrics, job.evaluate.keep, job.time.repeats) == (["psnr", "ms-ssim"], None, 3)
    changed = read_job(write(tmp_path, GOOD), ["evaluate.metrics=['ssimulacra2']", "evaluate.keep=images"])
    assert changed.evaluate is not None
    assert (changed.evaluate.metrics, changed.evaluate.keep) == (["ssimulacra2"], "images")


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.parent.glob("jobs/*.toml")), ids=lambda path: path.name)
def test_jobs_that_ship_are_valid(path: Path) -> None:
    assert read_job(path).name == path.stem


@pytest.mark.parametrize(("text", "memory"), [("'4GB'", 4 * 10**9), ("'1.5GiB'", 3 * 2**29), ("2000000000", 2 * 10**9)])
def test_limits_are_read(tmp_path: Path, text: str, memory: int) -> None:
    job = read_job(write(tmp_path, GOOD), [f"evaluate.memory_limit={text}", "evaluate.time_limit=2.5"])
    assert job.evaluate is not None
    assert job.evaluate.limits() == Limits(seconds=2.5, memory=memory)


def test_values_are_overridden(tmp_path: Path) -> None:
    job = read_job(
        write(tmp_path, GOOD),
        ["train.epochs=9", "evaluate.codecs=['jpeg']", "train.images=samples[:6]", "name=other", "report.bpp=0.5"],
    )
    (train,) = job.train
    assert (train.epochs, train.images, job.name, job.report.bpp) == (9, "samples[:6]", "other", 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 5", "epoch = 5"), r"line 6: unknown key 'train\.epoch' \(did you mean 'epochs'\?\)"),
        (("[train]", "[trian]"), r"line 4: unknown key 'trian' \(did you mean 'train'\?\)"),
        (("epochs = 5", "epochs = 0"), r"line 6: train\.epochs: .*greater than or equal to 1, not 0"),
        (("epochs = 5", 'epochs = "5"'), r"line 6: train\.epochs: .*valid integer, not '5'"),
        (("epochs = 5", "learning_rate = -1.0"), r"line 6: train\.learning_rate: .*greater than 0"),
        (("epochs = 5", 'precision = "float61"'), r"line 6: train\.precision: .*'float32'"),
        (("epochs = 5", 'workers = "many"'), r"line 6: train\.workers: "),
        (("epochs = 5", "workers = 3"), r"line 4: train: batch = 8 cannot be shared equally by workers = 3"),
        (
            ("jpeg2000", "jpeg2001"),
            r"line 10: evaluate\.codecs: there is no codec 'jpeg2001' \(did you mean 'jpeg2000'",
        ),
        (("quality=10", "quality=101"), r"line 10: evaluate\.codecs: jpeg\[quality=…\] takes"),
        (('images = "kodak[17:]"', ""), r"the key 'evaluate\.images' is missing"),
        (
            ("[evaluate]", "[evaluate]\nmetrics = ['psnr', 'ms_sim']"),
            r"line 9: evaluate\.metrics: there is no metric 'ms_sim' \(did you mean 'ms-ssim'\?\); known: psnr, ",
        ),
        (("[evaluate]", "[evaluate]\nmetrics = []"), r"line 9: evaluate\.metrics: .*at least 1 item"),
        (("[evaluate]", "[evaluate]\nkeep = 'all'"), r"line 9: evaluate\.keep: .*'streams' or 'images', not 'all'"),
        (("[evaluate]", "[time]\nrepeats = 0"), r"line 9: time\.repeats: .*greater than or equal to 1, not 0"),
        (("[evaluate]", "[report]\npsnr = 0\n[evaluate]"), r"line 9: report\.psnr: .*greater than 0, not 0"),
        (
            ("[evaluate]", "[report]\nanchor = 'jpg'\n[evaluate]"),
            r"report\.anchor = 'jpg' is not measured \(did you mean 'jpeg'\?\); measured are: jpeg, jpeg2000",
        ),
        (("[evaluate]", "[evaluate]\nmemory_limit = 'much'"), r"line 9: evaluate\.memory_limit: .*byte.*'much'"),
        (("[evaluate]", "[evaluate]\ntime_limit = 0"), r"line 9: evaluate\.time_limit: .*greater than 0"),
        (("seed = 3", "seed = [3"), "is not valid TOML: "),
        (("seed = 3", 'name = "a/b"'), r"line 2: name: "),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(JobError, match=message):
        read_job(write(tmp_path, text))


def test_every_mistake_is_listed(tmp_path: Path) -> None:
    text = GOOD.replace("seed = 3", "seed = -1").replace("epochs = 5", "epochs = -1")
    with pytest.raises(JobError) as caught:
        read_job(write(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2


def test_a_job_must_do_something(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"needs a \[train\], an \[evaluate\] or a \[time\] section"):
        read_job(write(tmp_path, "seed = 1"))


def test_a_missing_file_names_those_beside_it(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(JobError, match=r"No such file.*experiment\.toml"):
        read_job(tmp_path / "experimant.toml")


@pytest.mark.parametrize("override", ["epochs", "=5", "train..epochs=1", "seed.x=1"])
def test_malformed_overrides_are_refused(tmp_path: Path, override: str) -> None:
    with pytest.raises(JobError, match="--set"):
        read_job(write(tmp_path, GOOD), [override])


def test_a_command_is_a_job() -> None:
    job = command_job("train", ["train.epochs=3"], seed=4, train={"images": "samples", "model": "paper"})
    assert (job.name, job.seed, job.train[0].epochs) == ("train", 4, 3)
    with pytest.raises(JobError, match=r"aebench train: unknown key 'train\.x'"):
        command_job("train", ["train.x=3"], train={"images": "samples"})


def test_a_mistake_is_told_without_the_secrets_in_an_address() -> None:
    with pytest.raises(JobError, match=r"credentials in s3://bucket/run") as caught:
        command_job("evaluate", (), evaluate={"images": "-", "codecs": ["paper[weights=s3://KEY:HIDDEN@bucket/run]"]})
    assert "HIDDEN" not in str(caught.value)
    with pytest.raises(JobError, match=r"not 's3://bucket/run'") as caught:
        command_job("evaluate", ["s3://KEY:HIDDEN@bucket/run"])
    assert "HIDDEN" not in str(caught.value)
