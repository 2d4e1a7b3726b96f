"""The command line: parses, calls, prints. No logic of its own.

Exit codes: 0 all measured; 1 `compare` found a regression; 2 the input was wrong, or something aebench needs is
missing; 3 all measured, but some rows are failures; 130 interrupted. ``aebench submit`` returns the code of its job:
those, 130 also if somebody stopped it, 1 if it crashed, and 128 and the signal's number if it was killed.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aebench.errors import Error

if TYPE_CHECKING:
    from rich.console import Console

    from aebench.job import Job

EXIT_REGRESSION, EXIT_INPUT, EXIT_FAILED_ROWS, EXIT_INTERRUPTED = 1, 2, 3, 130

_EXAMPLES = """\b
Examples:
  aebench run jobs/quickstart.toml                      train, evaluate, print the tables
  aebench run jobs/paper.toml --set train.epochs=100    change one value of a job
  aebench evaluate --images kodak --codecs 'jpeg,jpeg2000,bpg[qp=22..37:5]' --output results/baselines
  aebench report results/baselines                      the same tables and page again, from the Parquet files
  aebench report results/new --reference hm.json        with a published curve beside the run's own
  aebench compare results/old results/new               what changed, and 1 as exit code if anything got worse
  aebench export results/new --format csv -o rows.csv   every measurement, for a spreadsheet
  aebench submit jobs/paper.toml --address URL          run a job on a Ray cluster, and follow it
  aebench status results/paper                          how far a run is, and how to go on with it
  aebench codecs                                        what can be measured, at which settings
  aebench images 'kodak[17:]'                           what is in a set, and where it comes from

\b
Codecs and settings:    jpeg    jpeg[quality=50]    jpeg[quality=10|30|50]    bpg[qp=22..37:5]
Image sets:             kodak   samples   FOLDER    'photos/*.png'    s3://bucket/folder    kodak[:17]
"""


@click.group(epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="aebench")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens inside.")
def cli(verbose: bool) -> None:
    """A distributed benchmark of image codecs: every number has its bits, every bit is in a file that decodes."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


_above_zero = click.FloatRange(min=0, min_open=True)
_output = click.option(
    "-o", "--output", metavar="RUN", help="Folder of the run, or its s3:// URI.  [default: results/NAME of the job]"
)
_fresh = click.option("--fresh", is_flag=True, help="Remove what the output holds of an earlier run first.")
_retry = click.option("--retry-errors", is_flag=True, help="Measure again what failed in an earlier run.")
_set = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value: train.epochs=5.")


@cli.command()
@click.argument("job", metavar="JOB.toml", type=click.Path(path_type=Path))
@_output
@_set
@_fresh
@click.option("--resume", metavar="RUN", help="As --output, for a run that exists.")
@_retry
@click.option("--dry-run", is_flag=True, help="Check the job and its images, say what would be done, start no Ray.")
def run(
    job: Path,
    output: str | None,
    overrides: tuple[str, ...],
    fresh: bool,
    resume: str | None,
    retry_errors: bool,
    dry_run: bool,
) -> None:
    """Do all that a job file says: train, evaluate, time, print the tables.

    Run again with the same output, it measures only what is missing, and an interrupted training goes on.
    """
    from aebench.job import read_job

    checked = read_job(job, overrides)
    if resume is not None:
        if output is not None or fresh:
            raise click.UsageError("--resume names the output, and keeps what is in it: leave out --output and --fresh")
        from aebench.run import existing

        output = existing(resume)
    if not dry_run:
        _do(checked, output, fresh, retry_errors)
        return
    from aebench.preview import preview
    from aebench.run import output_folder

    preview(checked, output_folder(checked, output), _console())


@cli.command()
@click.argument("job", metavar="JOB.toml", type=click.Path(path_type=Path))
@_output
@_set
@_fresh
@_retry
@click.option("--address", metavar="URL", help="Dashboard of the Ray, such as http://127.0.0.1:8265.  [RAY_ADDRESS]")
@click.option("--install", is_flag=True, help="Install what aebench depends on where the job runs: takes minutes.")
@click.option("--no-wait", is_flag=True, help="Do not follow the job.")
def submit(
    job: Path,
    output: str | None,
    overrides: tuple[str, ...],
    fresh: bool,
    retry_errors: bool,
    address: str | None,
    install: bool,
    no_wait: bool,
) -> None:
    """Submit a job file to a Ray, follow its log, and exit with its exit code.

    The Ray is that of --address or RAY_ADDRESS, else the one that 'ray start --head' started on this machine, else
    one that is started for the while. Ctrl-C asks whether to stop the job or to leave it running.
    """
    from aebench.cluster.submission import Order
    from aebench.cluster.submission import submit as submit_order

    order = Order(job, overrides, output, fresh, install, retry_errors)
    sys.exit(submit_order(order, address, wait=not no_wait))


@cli.command()
@click.argument("folder", metavar="RUN")
def status(folder: str) -> None:
    """Say how far a run is, from its files alone: while it is written, after it broke off, or when it is complete."""
    from aebench.analysis.status import read_status
    from aebench.report.status_table import show_status

    show_status(read_status(folder), _console())


@cli.command()
@click.option("--images", required=True, metavar="SET", help="Training images, such as 'kodak[:17]'.")
@click.option("--model", default="paper", show_default=True, metavar="NAME", help="Network: paper, or module:Class.")
@click.option("--seed", default=1, show_default=True, help="Of the weights, the crops and their order.")
@_set
@_output
@_fresh
def train(images: str, model: str, seed: int, overrides: tuple[str, ...], output: str | None, fresh: bool) -> None:
    """Train a network with Ray Train, leaving its weights in OUTPUT/model.

    Every key of a job's [train] section can be set: --set train.epochs=50 --set train.workers=2
    """
    from aebench.job import command_job

    _do(command_job("train", overrides, seed=seed, train={"images": images, "model": model}), output, fresh)


_EVALUATE_EXAMPLES = """\b
Examples:
  aebench evaluate --images kodak --codecs 'jpeg,jpeg2000,bpg[qp=22..37:5]' -o results/baselines
  aebench evaluate --images kodak --codecs 'paper[weights=results/quickstart],jpeg' -o results/mine
  aebench evaluate --images kodak --codecs jpeg --metrics psnr,ms-ssim,ssimulacra2 --keep images -o results/baselines

\b
Metrics:
  psnr         of RGB, luma and YCbCr 6:1:1; always computed
  ms-ssim      that of pytorch-msssim; null where a side has 160 pixels or less
  ssimulacra2  version 2.1, some four times the CPU time of MS-SSIM; null where a side has 112 pixels or less

\b
Kept files:
  streams      RUN/streams/IMAGE/SETTING.jpg, .jp2, ...: the very bytes that were counted
  images       those, and RUN/images/IMAGE/SETTING.png, original.png: the very pixels that were scored
"""


@cli.command(epilog=_EVALUATE_EXAMPLES)
@click.option("--images", required=True, metavar="SET", help="Test images, such as 'kodak[17:]'.")
@click.option("--codecs", required=True, metavar="LIST", help="Codecs and settings, such as 'jpeg,bpg[qp=22..37:5]'.")
@click.option(
    "--metrics", default="psnr,ms-ssim", show_default=True, metavar="LIST", help="What to measure; see below."
)
@click.option("--keep", type=click.Choice(["streams", "images"]), help="Files to keep in the run's folder; see below.")
@_set
@_output
@_fresh
@_retry
def evaluate(
    images: str,
    codecs: str,
    metrics: str,
    keep: str | None,
    overrides: tuple[str, ...],
    output: str | None,
    fresh: bool,
    retry_errors: bool,
) -> None:
    """Send every image through every codec at every setting with Ray Data, and print the tables.

    A codec of your own is named module:Class. A network takes the weights in OUTPUT/model, or those you name:
    'paper[weights=results/quickstart]'.

    Run again with the same output, it measures only what is missing: settings, images, metrics, kept files. A codec
    that takes too long or too much memory on an image is ended: --set evaluate.time_limit=60 (seconds of one encode
    or decode), --set evaluate.memory_limit=8GB.
    """
    from aebench.job import command_job

    asked = [metric.strip() for metric in metrics.split(",")]
    section = {"images": images, "codecs": [codecs], "metrics": asked, "keep": keep}
    _do(command_job("evaluate", overrides, evaluate=section), output, fresh, retry_errors)


@cli.command()
@click.option("--images", required=True, metavar="SET", help="Images, such as 'kodak[17:]'.")
@click.option("--codecs", required=True, metavar="LIST", help="Codecs and settings, such as 'jpeg[quality=75],bpg'.")
@click.option("--repeats", default=3, show_default=True, help="So often, after once for warming up.")
@_output
@_fresh
def time(images: str, codecs: str, repeats: int, output: str | None, fresh: bool) -> None:
    """Time encoding and decoding for publication: one task a node, one thread, and print speeds with their spread.

    Every call adds its repeats to OUTPUT/times. Stop whatever else runs on the machines: the spread shows it.
    """
    from aebench.job import command_job

    _do(command_job("time", (), time={"images": images, "codecs": [codecs], "repeats": repeats}), output, fresh)


@cli.command()
@click.argument("folder", metavar="RUN")
@click.option("--bpp", type=_above_zero, help="Compare at this rate, and at the settings nearest to it.")
@click.option("--psnr", type=_above_zero, help="Compare the rates at this PSNR-RGB, in dB.")
@click.option("--anchor", metavar="NAME", help="What BD-rates are taken against.  [default: jpeg]")
@click.option(
    "--reference", "references", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
    help="A published curve in CompressAI's JSON format, to compare as well; may be repeated.",
)  # fmt: skip
@click.option("--figures", is_flag=True, help="Draw the figures anew, RUN/figures.")
def report(
    folder: str,
    bpp: float | None,
    psnr: float | None,
    anchor: str | None,
    references: tuple[Path, ...],
    figures: bool,
) -> None:
    """Print the tables of a run from its Parquet files alone, and write its page, RUN/report.html."""
    from aebench.analysis.published import read_published
    from aebench.analysis.run import read
    from aebench.report import show, write_report

    published = [read_published(path) for path in references]
    found, console = read(folder, bpp, psnr, anchor), _console()
    show(found, console, published)
    console.print()
    write_report(found, console, published, figures)


@cli.command()
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@click.option(
    "--threshold", type=click.FloatRange(min=0), default=0.5, show_default=True, metavar="PERCENT",
    help="A loss of more than this is a regression.",
)  # fmt: skip
@click.option(
    "--metric", default="psnr_rgb", show_default=True, metavar="COLUMN", help="Quality to compare at, such as ms_ssim."
)
def compare(run_a: str, run_b: str, threshold: float, metric: str) -> None:
    """Say what changed from RUN_A to RUN_B, codec by codec; exit with 1 if anything got worse.

    Images are those with the same pixels in both runs. Worse is a BD-rate of B against A above the threshold, of the
    mean curve or as the mean over images; where that of the mean curve is refused, a setting that takes more bits or
    has more error by more than the threshold; and a measurement that failed. Times are shown and not judged.

    \b
    As a step of continuous integration:
      aebench evaluate --images samples --codecs my_codec:MyCodec --output results/new
      aebench compare results/reference results/new --threshold 0.5

    \b
    Exit codes: 0 nothing got worse; 1 something did; 2 the runs cannot be compared.
    """
    from aebench.analysis.difference import difference
    from aebench.analysis.run import read
    from aebench.report.difference_table import show_difference

    a, b = read(run_a), read(run_b)
    found = difference(a, b, metric)
    show_difference(a, b, found, threshold, _console())
    if found.regressions(threshold):
        sys.exit(EXIT_REGRESSION)


@cli.command()
@click.argument("folder", metavar="RUN")
@click.option("--format", "kind", type=click.Choice(["csv", "compressai"]), required=True, help="What to write.")
@click.option(
    "-o", "--output", metavar="PATH",
    help="CSV: the file.  [default: standard output]  CompressAI: the folder, which gets a file for each codec.",
)  # fmt: skip
def export(folder: str, kind: str, output: str | None) -> None:
    """Write a run for other tools: every row as CSV, or mean curves in CompressAI's JSON format.

    \b
      aebench export results/kodak --format csv | head
      aebench export results/kodak --format compressai -o curves
      python -m compressai.utils.plot -f curves/*.json
    """
    from aebench.analysis.run import read
    from aebench.export import write_compressai, write_csv

    if kind == "csv":
        write_csv(read(folder), output)
    elif output is None:
        raise click.UsageError("--format compressai writes several files: name a folder with -o")
    else:
        paths, notes = write_compressai(read(folder), output)
        for line in [*map(str, paths), *notes]:
            click.echo(line)


@cli.command()
def codecs() -> None:
    """List the codecs: parameters, default settings, versions."""
    from aebench.listing import show_codecs

    show_codecs(_console())


@cli.command()
@click.argument("spec", metavar="SET")
def images(spec: str) -> None:
    """List what is in an image set, and where it comes from."""
    from aebench.listing import show_images

    show_images(spec, _console())


@cli.command()
@click.argument("image", metavar="IMAGE")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--codec", "setting", required=True, help="Codec at one setting, such as 'jpeg[quality=50]'.")
def encode(image: str, output: Path, setting: str) -> None:
    """Compress one image to a file."""
    from aebench.files import encode_file

    _console().print(encode_file(image, output, setting), highlight=False, soft_wrap=True)


@cli.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Image to write, such as out.png.")
@click.option("--codec", "setting", required=True, help="The codec that made the file.")
def decode(file: Path, output: Path, setting: str) -> None:
    """Reconstruct the image in a compressed file."""
    from aebench.files import decode_file

    _console().print(decode_file(file, output, setting), highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; every expected failure is one sentence and an exit code."""
    sys.path.insert(0, str(Path.cwd()))  # codecs named module:Class stand in the working directory
    try:
        cli.main(standalone_mode=False)
    except Error as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_INPUT)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was measured is kept, and running again goes on from there", err=True)
        sys.exit(EXIT_INTERRUPTED)


def _do(job: Job, output: str | None, fresh: bool, retry_errors: bool = False) -> None:
    from aebench.perform import perform

    if perform(job, output, _console(), fresh, retry_errors):
        sys.exit(EXIT_FAILED_ROWS)


def _console(**options: Any) -> Console:
    from rich.console import Console

    return Console(**options)
