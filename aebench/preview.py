"""Saying what a job would do, after every check that needs no cluster: ``aebench run --dry-run``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from aebench.images import ImageRef
from aebench.job import EvaluateSection, Job, TrainSection
from aebench.results import RunFolder
from aebench.run import check_training_set, find_images, open_run, ready, refuse_shared_images


def preview(job: Job, output: Path, console: Console) -> None:
    """Check a job as `run_job` does and print what it would do; write nothing but downloaded images, start no Ray.

    Raises
    ------
    Error
        Whatever would stop the job before its first step: images, weights, output.
    """
    run = open_run(output, fresh=False)
    job, train_images, test_images = find_images(job, console)
    if job.train:
        check_training_set(train_images, job.train.validation)
        refuse_shared_images(train_images, test_images)
        _say(console, _training(job.train, train_images))
    if job.evaluate:
        _say(console, _evaluation(job.evaluate, test_images, run, trained=job.train is not None))
    _say(console, f"would leave results in {run.path}")


def _training(section: TrainSection, images: list[ImageRef]) -> str:
    return (
        f"would train {section.model} on {len(images) - section.validation} images and validate on "
        f"{section.validation}: {section.epochs} epochs of {section.steps} steps"
    )


def _evaluation(section: EvaluateSection, images: list[ImageRef], run: RunFolder, trained: bool) -> str:
    settings = section.settings()
    if not trained:  # else the weights are still to come
        settings = [ready(codec, run) for codec in settings]
    names = ", ".join(dict.fromkeys(codec.name for codec in settings))
    return (
        f"would measure {len(settings)} settings of {names} on {len(images)} images: {len(settings) * len(images)} rows"
    )


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
