"""Saying what a job would do, after every check that needs no cluster: ``aebench run --dry-run``."""

from __future__ import annotations

from rich.console import Console

from aebench.images import ImageRef
from aebench.images.uris import redacted
from aebench.job import EvaluateSection, Job, TimeSection, TrainSection
from aebench.results import RunFolder
from aebench.run import check_trainings, find_images, open_run, ready
from aebench.storage import Place


def preview(job: Job, output: Place, console: Console) -> None:
    """Check a job as `run_job` does and print what it would do; write nothing but downloaded images, start no Ray.

    Raises
    ------
    Error
        Whatever would stop the job before its first step: images, weights, output.
    """
    run = open_run(output, fresh=False)
    job, images = find_images(job, console)
    check_trainings(job, images)
    for section in job.train:
        _say(console, _training(section, images[section.images]))
    if job.evaluate:
        count, what = _settings(job.evaluate, images[job.evaluate.images], run, bool(job.train))
        _say(console, f"would measure {what}: {count} rows")
    if job.time:
        count, what = _settings(job.time, images[job.time.images], run, bool(job.train))
        _say(console, f"would time {what}: {count * job.time.repeats} rows")
    _say(console, f"would leave results in {run.path}")


def _training(section: TrainSection, images: list[ImageRef]) -> str:
    start = "" if section.start is None else f" from {redacted(section.start)}"
    return (
        f"would train {section.model}{start} on {len(images) - section.validation} images and validate on "
        f"{section.validation}: {section.epochs} epochs of {section.steps} steps"
    )


def _settings(
    section: EvaluateSection | TimeSection, images: list[ImageRef], run: RunFolder, trained: bool
) -> tuple[int, str]:
    """Count settings times images, and name them."""
    settings = section.settings()
    if not trained:  # else the weights are still to come
        settings = [ready(codec, run) for codec in settings]
    names = ", ".join(dict.fromkeys(codec.name for codec in settings))
    return len(settings) * len(images), f"{len(settings)} settings of {names} on {len(images)} images"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
