"""One HTML page of a run, complete in itself: it loads nothing but reconstructions that lie beside it.

The page is made once, here: every number in it comes from a `Run`, and its script only draws, sorts and shows. A
content security policy names the one script and style sheet by their hashes and forbids everything from a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from aebench.analysis.curves import METRICS
from aebench.report.heading import facts
from aebench.report.layout import count
from aebench.report.page.bd import bd_tables
from aebench.report.page.chart import chart_data, looks, sampled_images
from aebench.report.page.pictures import BUDGET, LADDER, Gallery, gallery, relative_link
from aebench.report.page.tables import comparison_tables, failures_table, summary_table, training_tables
from aebench.storage import Place, list_files, place, write_file

if TYPE_CHECKING:
    from aebench.analysis.published import Published
    from aebench.analysis.run import Run

NAME: Final = "report.html"
"""The page's file in the run's folder."""

_SCRIPTS: Final = ("marks.js", "plot.js", "chart.js", "viewer.js", "tables.js", "page.js")


def write_page(
    run: Run,
    path: str | Place | None = None,
    published: Sequence[Published] = (),
    budget: int = BUDGET,
) -> Place:
    """Write the page of a run.

    Parameters
    ----------
    run : Run
    path : path or URI, optional
        The file; by default ``report.html`` in the run's folder. Its links are relative to where it lies.
    published : sequence of Published
        Curves that are drawn beside the run's own.
    budget : int
        Bytes that embedded pictures may take.

    Returns
    -------
    Path or RemotePath
        The file.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    file = run.folder.path / NAME if path is None else place(path)
    write_file(file, _render(run, file.parent, published, budget).encode())
    return file


def _render(run: Run, folder: Place, published: Sequence[Published], budget: int) -> str:
    environment = Environment(
        loader=PackageLoader(__name__, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    images = sampled_images(run)
    pictures = gallery(run, images, folder, budget)
    script = "\n".join(_own_file(name) for name in _SCRIPTS)
    style = _own_file("page.css") + _colours(run, published)
    return environment.get_template("page.html").render(
        run=run,
        facts=facts(run.info, run.rows, run.codecs),
        provenance=_provenance(run.info),
        comparisons=comparison_tables(run),
        bd=bd_tables(run),
        metrics=[METRICS[column] for column in run.metrics],
        summary=summary_table(run) if len(run.rows) else None,
        failures=failures_table(run),
        trainings=training_tables(run),
        published=published,
        images=images,
        measured=len(run.rd_curves().images),
        pictures=pictures,
        picture_note=_picture_note(pictures, budget),
        figures=_figures(run, folder),
        rows_link=relative_link(run.folder.path / "rows", folder),
        data=_json({**chart_data(run, images, published), "pictures": _pictures(pictures)}),
        script=Markup(script),
        style=Markup(style),
        script_hash=_hash(script),
        style_hash=_hash(style),
        count=count,
    )


def _own_file(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Write the source expression of Content Security Policy Level 3, section 2.3.1, that allows one inline text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(data: Any) -> Markup:
    """Write JSON that can stand inside a script element, whatever its texts hold."""
    return htmlsafe_json_dumps(data, dumps=partial(json.dumps, allow_nan=False, separators=(",", ":")))


def _colours(run: Run, published: Sequence[Published]) -> str:
    """Write the style of every curve, by its index: names of codecs never reach the style sheet."""
    return "".join(
        f".v{index}{{--ink:light-dark({style.light},{style.dark})}}\n"
        for index, (_, style, _) in enumerate(looks(run, published))
    )


def _pictures(pictures: Gallery) -> dict[str, Any]:
    """Give the script of each picture its path, and its pixels where they are embedded."""
    return {
        image: {
            setting: [picture.path, picture.data]
            for setting, picture in {
                **({"": pictures.originals[image]} if image in pictures.originals else {}),
                **pictures.decoded.get(image, {}),
            }.items()
        }
        for image in dict.fromkeys([*pictures.originals, *pictures.decoded])
    }


def _picture_note(pictures: Gallery, budget: int) -> str:
    """Say which pictures are in the page."""
    stored, embedded = len(pictures.pictures), pictures.embedded
    if embedded == stored:
        return f"All {stored} pictures are in this page, without loss: the pixels shown are the pixels scored."
    return (
        f"{embedded} of {count(stored, 'picture')} are in this page, without loss: the pixels shown are the pixels "
        f"scored: of each image those nearest {', '.join(map(str, LADDER))} bits per pixel, in this order, as far as "
        f"{budget / 1e6:g} MB go. The others are loaded from the folder of the run, and are missing where the page "
        "lies elsewhere."
    )


def _provenance(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List what ``run.json`` holds: pairs of a key and its value, as JSON where it is more than a line."""
    return [
        (key, value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str))
        for key, value in info.items()
    ]


def _figures(run: Run, folder: Place) -> list[tuple[str, str]]:
    """Find the figures that were drawn of the run: pairs of a name and a relative link."""
    return [(path.stem, relative_link(path, folder)) for path in list_files(run.folder.path / "figures", "*.svg")]
