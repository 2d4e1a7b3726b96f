"""A job from its images to its page: what ``aebench run``, ``train``, ``evaluate`` and ``time`` do."""

from __future__ import annotations

from rich.console import Console

from aebench.analysis.rows import failures, image_names, latest
from aebench.analysis.run import Run
from aebench.job import Job
from aebench.report import show, write_report
from aebench.report.layout import title
from aebench.report.status_table import failure_sentence
from aebench.report.timing_table import show_timing
from aebench.run import output_folder, run_job


def perform(job: Job, output: str | None, console: Console, fresh: bool, retry_errors: bool) -> int:
    """Do a job, print its tables, write its page and figures; return how many rows of the run are failures.

    Parameters
    ----------
    job : Job
    output : path or URI, optional
        The run's folder; by default the one that the job's name stands for.
    console : Console
    fresh : bool
        Whether to remove what the folder holds of an earlier run.
    retry_errors : bool
        Whether to measure again what failed before.
    """
    outcome = run_job(job, output_folder(job, output), console, fresh, retry_errors)
    found = Run(outcome.run, job.report.bpp, job.report.psnr, job.report.anchor)
    if job.evaluate:
        show(found, console)
    if job.time:
        title(console, "Speed")
        show_timing(outcome.run.times(), console)
    console.print(f"\nresults: {outcome.run.path}", highlight=False, soft_wrap=True)
    if job.evaluate:
        write_report(found, console, figures=True)
    if outcome.failed:
        said = failure_sentence(outcome.failed, image_names(failures(latest(outcome.run.rows()))))
        hint = "the column 'error' says why, and --retry-errors tries again"
        console.print(f"{said}; {hint}", highlight=False, soft_wrap=True)
    return outcome.failed
