"""Doing what a job says: find the images, train, evaluate, time. The tables are another matter (`aebench.report`)."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from aebench.analysis.rows import failures, latest
from aebench.codecs.base import Codec
from aebench.errors import ImageError, ImageSetError, JobError, SettingError
from aebench.heartbeat import beating
from aebench.images import ImageRef, describe, open_rgb, pixel_digest, resolve
from aebench.images.uris import redacted
from aebench.job import EvaluateSection, Job, TimeSection, TrainSection
from aebench.progress import Meter
from aebench.provenance import provenance
from aebench.results import RunFolder
from aebench.storage import Place, RemotePath, place, remove_tree

if TYPE_CHECKING:
    from aebench.cluster import Cluster
    from aebench.measure import Row
    from aebench.training import Epoch

AnySection = TypeVar("AnySection", TrainSection, EvaluateSection, TimeSection)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a job came to: how many measurements it made now; how many rows of the run, and new times, are failures."""

    run: RunFolder
    measured: int
    failed: int


def run_job(
    job: Job, output: str | Place, console: Console, fresh: bool = False, retry_errors: bool = False
) -> Outcome:
    """Train, evaluate and time as the job says, leaving everything in a run folder.

    Parameters
    ----------
    job : Job
    output : path or URI
        The run's folder. What it holds already is kept and not measured again.
    console : Console
        Where progress goes.
    fresh : bool
        First remove what the folder holds of an earlier run.
    retry_errors : bool
        Measure anew what failed in an earlier run.
    """
    run = open_run(output, fresh)
    job, images = find_images(job, console)
    check_trainings(job, images)
    run.update_info(job=_with_earlier(job, run), started=datetime.now(UTC), **provenance())

    # Ray takes a second to import: not before the job is known to be sound
    from aebench.cluster import connected
    from aebench.cluster import describe as describe_cluster
    from aebench.cluster.watching import watching

    measured = failed_times = 0
    with beating(run.path), connected() as cluster, watching(_warning_on(console)):
        console.print(f"Ray: {cluster}", highlight=False)
        for section in job.train:
            train_model(section, job.seed, images[section.images], run, describe_cluster(), console)
        if job.evaluate:  # on the nodes that there are by now
            measured = evaluate_codecs(
                job.evaluate, images[job.evaluate.images], run, describe_cluster(), console, retry_errors
            )
        if job.time:
            failed_times = time_settings(job.time, images[job.time.images], run, console)
    run.update_info(finished=datetime.now(UTC))
    return Outcome(run, measured, len(failures(latest(run.rows()))) + failed_times)


def output_folder(job: Job, output: str | None) -> Place:
    """Return the run's folder; a submitted job, whose working directory is temporary, must be told an absolute one."""
    folder = place(output or f"results/{job.name}")
    submitted = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
    if submitted and isinstance(folder, Path) and not folder.is_absolute():
        raise JobError(
            f"the output {folder} is relative to the working directory of a submitted job, which Ray deletes: "
            "give an absolute --output on storage that stays (jobs/submit.sh does)"
        )
    return folder


def existing(folder: str) -> str:
    """Return the folder of a run that was begun, or raise `ResultsError`."""
    run = RunFolder(folder)
    if not (run.path / "run.json").is_file():
        run.require()
    return folder


def open_run(output: str | Place, fresh: bool) -> RunFolder:
    """Take a folder for a run; refuse one that holds something else, or a store that does not answer."""
    run = RunFolder(output)
    folder = run.path
    if isinstance(folder, RemotePath):
        folder.require_bucket()
    if folder.is_file():
        raise JobError(f"the output {folder} is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "run.json").is_file():
        raise JobError(f"the output {folder} is not empty and holds no run (no run.json in it); name another folder")
    if fresh:
        for part in ("rows", "times", "epochs", "streams", "images", "model", "training"):
            remove_tree(folder / part)
        (folder / "run.json").unlink(missing_ok=True)
    return run


def train_model(
    section: TrainSection, seed: int, images: list[ImageRef], run: RunFolder, cluster: Cluster, console: Console
) -> None:
    """Train one network with Ray Train, showing every epoch as it ends."""
    from aebench.train import train

    label = f"training {section.model}"
    with Meter(console, [(label, section.epochs)], "epoch") as meter:

        def show(epoch: Epoch) -> None:
            note = (
                f"loss {epoch.train_loss:.5f}, validation {epoch.validation_loss:.5f} ({epoch.validation_psnr:.2f} dB)"
            )
            meter.advance_to(label, epoch.epoch, note)

        trained = section.epochs == len(run.epochs_of(section.model))
        train(section, seed, images, run, cluster, show, _warning_on(console))
    if trained:
        console.print(f"{label}: {run.weights_of(section.model)} is there already", highlight=False, soft_wrap=True)


def evaluate_codecs(
    section: EvaluateSection,
    images: list[ImageRef],
    run: RunFolder,
    cluster: Cluster,
    console: Console,
    retry_errors: bool = False,
) -> int:
    """Measure with Ray Data, showing rows as they are made; return their number."""
    from aebench.evaluate import evaluate, plan

    settings = [ready(codec, run) for codec in section.settings()]
    work = plan(images, settings, run, section.metrics, section.keep, section.limits(), retry_errors)
    run.update_info(
        default_settings={family[0].name: _default_setting(family[0]) for family in work.families},
        expected={
            family[0].name: {"images": len(images), "settings": [codec.setting for codec in family]}
            for family in work.families
        },
    )
    counts: Counter[str] = Counter()
    totals = [(family[0].name, len(family) * len(images)) for family in work.families]
    with Meter(console, totals) as meter:

        def show(rows: list[Row]) -> None:
            for row in rows:
                counts["measured"] += 1
                meter.advance(row["codec"], failed=row["error"] is not None)

        evaluate(work, run, cluster, show)
    expected = sum(total for _, total in totals)
    if counts["measured"] < expected:
        known = expected - counts["measured"]
        console.print(f"{known} of {expected} measurements were in {run.path} already", highlight=False, soft_wrap=True)
    return counts["measured"]


def time_settings(section: TimeSection, images: list[ImageRef], run: RunFolder, console: Console) -> int:
    """Time with one task a node, showing settings as they are done; return the number of failures."""
    from aebench.evaluate import time_codecs

    settings = [ready(codec, run) for codec in section.settings()]
    families = Counter(codec.name for codec in settings)
    failures = 0
    totals = [(f"timing {name}", count * len(images)) for name, count in families.items()]
    with Meter(console, totals, "setting") as meter:

        def show(rows: list[Row]) -> None:
            nonlocal failures
            failures += sum(row.get("error") is not None for row in rows)
            meter.advance(f"timing {rows[0]['codec']}", len({row["setting"] for row in rows}))

        time_codecs(images, settings, section.repeats, run, show)
    return failures


def find_images(job: Job, console: Console) -> tuple[Job, dict[str, list[ImageRef]]]:
    """Return the job with the image sets that it really uses, and the images of each of these sets."""
    found: dict[str, list[ImageRef]] = {}
    used: dict[tuple[type, str, str | None], str] = {}

    def settled(section: AnySection) -> AnySection:
        wanted = (type(section), section.images, section.fallback)
        if wanted not in used:  # several trainings look for the same
            used[wanted], images = _find(section, console)
            found[used[wanted]] = images
        return section.model_copy(update={"images": used[wanted], "fallback": None})

    changed: dict[str, Any] = {"train": [settled(section) for section in job.train]}
    changed |= {name: settled(section) for name in ("evaluate", "time") if (section := getattr(job, name))}
    return job.model_copy(update=changed), found


def check_trainings(job: Job, images: Mapping[str, list[ImageRef]]) -> None:
    """Refuse trainings that cannot begin, or that would see a test image.

    Raises
    ------
    JobError
        If a training set has too few images, or shares one with the test set.
    WeightsError
        If weights to start from cannot be read, or the network has no place for them.
    """
    for section in job.train:
        check_training_set(images[section.images], section.validation)
        check_start(section)
    if job.evaluate:
        for spec in dict.fromkeys(section.images for section in job.train):
            refuse_shared_images(images[spec], images[job.evaluate.images])


def check_training_set(images: list[ImageRef], validation: int) -> None:
    """Refuse a training set that leaves nothing to train on."""
    if len(images) <= validation:
        raise JobError(
            f"train.images has {len(images)} images, of which train.validation = {validation} are held out: "
            "nothing is left to train on"
        )


def check_start(section: TrainSection) -> None:
    """Refuse weights to start from that cannot be read, or that the network has no place for."""
    if section.start is not None:
        from aebench.models.weights import build, read_weights

        read_weights(section.start, section.model).start(build(section.model))


def refuse_shared_images(training: list[ImageRef], test: list[ImageRef]) -> None:
    """Refuse to train on an image of the test set, recognised by its pixels."""
    with ThreadPoolExecutor() as pool:
        trained = dict(zip(pool.map(_digest, training), training, strict=True))
        tested = dict(zip(pool.map(_digest_if_readable, test), test, strict=True))
    shared = [(trained[digest], tested[digest]) for digest in trained.keys() & tested.keys()]
    if shared:
        first, second = min(shared, key=lambda pair: pair[0].name)
        more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise JobError(
            f"training and test set share images: {redacted(first.uri)} has the same pixels as "
            f"{redacted(second.uri)}{more}; a codec must not be tested on what it was trained on"
        )


def _with_earlier(job: Job, run: RunFolder) -> dict[str, Any]:
    """Return a job, without secrets, with the sections that only an earlier job on the same folder had."""
    said = {name: section for name, section in job.model_dump().items() if section not in (None, [])}
    for section in (*said.get("train", []), *(said[name] for name in ("evaluate", "time") if name in said)):
        section["images"] = redacted(section["images"])
        if section.get("start") is not None:
            section["start"] = redacted(section["start"])
    earlier = run.info().get("job", {})
    models = {section["model"] for section in said.get("train", [])}
    trained = [section for section in earlier.get("train", []) if section["model"] not in models]
    return {**earlier, **said, "train": trained + said.get("train", [])}


def _find(section: TrainSection | EvaluateSection | TimeSection, console: Console) -> tuple[str, list[ImageRef]]:
    """Resolve the images of a section, or those it falls back on, saying in one line which; return set and images."""
    kind = "training" if isinstance(section, TrainSection) else "timing" if isinstance(section, TimeSection) else "test"
    try:
        images, spec = resolve(section.images), section.images
    except ImageSetError as error:
        if section.fallback is None:
            raise
        _warning_on(console)(f"{error}; going on with {redacted(section.fallback)}")
        images, spec = resolve(section.fallback), section.fallback
    found = f"{kind} images: {len(images)} of {redacted(spec)} ({describe(spec)})"
    console.print(found, highlight=False, soft_wrap=True)
    return spec, images


def _warning_on(console: Console) -> Callable[[str], None]:
    """Return what prints a sentence that is to be noticed, also beside bars and from other threads."""
    return functools.partial(console.print, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _default_setting(codec: Codec) -> str:
    """Name the default setting of a codec; a codec that cannot be without its parameters stands for itself."""
    try:
        return type(codec)().setting
    except SettingError:
        return codec.setting


def ready(codec: Codec, run: RunFolder) -> Codec:
    """Give a network the weights of the run, in memory, so that they travel with it."""
    if not codec.batched:
        return codec
    from aebench.codecs.neural import NeuralCodec
    from aebench.models.weights import CONFIGURATION, read_weights

    assert isinstance(codec, NeuralCodec)
    trained = run.weights_of(codec.network_name)
    if not codec.weights and (trained / CONFIGURATION).is_file():
        codec = codec.bind(read_weights(trained))
    return codec.loaded()


def _digest(image: ImageRef) -> str:
    return pixel_digest(open_rgb(image.uri))


def _digest_if_readable(image: ImageRef) -> str:
    try:
        return _digest(image)
    except ImageError:  # it will be an error row
        return image.uri
