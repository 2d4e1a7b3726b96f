"""A run, read: its rows, and every number that tables, figures and the page show, each from one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from aebench.analysis.bd import BdComparison, bd_against, compare_published
from aebench.analysis.curves import METRICS, RdCurves, metric_of, rd_curves
from aebench.analysis.matched import Matched, at_quality, at_rate, usual_quality, usual_rate
from aebench.analysis.published import Published
from aebench.analysis.rows import Basis, basis, codec_order, latest
from aebench.analysis.speed import Speeds, speeds
from aebench.analysis.summary import Summary, summarise
from aebench.errors import ResultsError
from aebench.results import RunFolder
from aebench.storage import Place
from aebench.suggest import did_you_mean

if TYPE_CHECKING:
    import pandas
    import polars
    from matplotlib.figure import Figure

ANCHOR = "jpeg"
"""What codecs are compared with where nothing else is asked for and the run has it."""


def read(path: str | Place, bpp: float | None = None, psnr: float | None = None, anchor: str | None = None) -> Run:
    """Read a run.

    Parameters
    ----------
    path : path or URI
        Its folder.
    bpp, psnr, anchor : optional
        What is compared where nothing else is said; see `Run`.

    Raises
    ------
    ResultsError
        If there is no run, or a file of it is damaged.
    """
    return Run(RunFolder(path).require(), bpp, psnr, anchor)


class Run:
    """What a run measured. Everything is computed when it is first asked for, from the Parquet files and ``run.json``.

    Parameters
    ----------
    folder : RunFolder
    bpp : float, optional
        Rate in bits per pixel that tables, page and figures compare at; by default one that most variants reach.
    psnr : float, optional
        PSNR-RGB in dB that they compare rates at; by default one that most variants reach.
    anchor : str, optional
        Variant that BD-rates are taken against; by default ``jpeg``, else the first.

    Attributes
    ----------
    folder : RunFolder
    bpp, psnr : float or None
        As given.
    info : dict
        What ``run.json`` holds: the job, versions, commit, hardware.
    rows : pyarrow.Table
        One measurement of every (image, setting); `aebench.results.ROWS` describes the columns.
    trainings : dict of str to pyarrow.Table
        The training curve of each network that was trained; `aebench.results.EPOCHS` describes the columns.
    """

    def __init__(
        self, folder: RunFolder, bpp: float | None = None, psnr: float | None = None, anchor: str | None = None
    ) -> None:
        self.folder = folder
        self.bpp, self.psnr, self._anchor = bpp, psnr, anchor
        self.info: dict[str, Any] = folder.info()
        self.rows: pa.Table = latest(folder.rows())
        self.trainings: dict[str, pa.Table] = folder.trainings()

    def __repr__(self) -> str:
        return f"<aebench run {self.name}: {len(self.rows)} rows, codecs {', '.join(self.codecs) or 'none'}>"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    def to_pandas(self) -> pandas.DataFrame:
        """Return `rows` as a pandas DataFrame; needs pandas."""
        return self.rows.to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """Return `rows` as a Polars DataFrame; needs Polars."""
        import polars

        frame = polars.from_arrow(self.rows)
        assert isinstance(frame, polars.DataFrame)
        return frame

    @property
    def default_settings(self) -> Mapping[str, str]:
        """Codec to its default setting, as the run recorded them, in the order of the job."""
        recorded = self.info.get("default_settings")
        return recorded if isinstance(recorded, Mapping) else {}

    @cached_property
    def codecs(self) -> list[str]:
        """Codecs in the order of the job."""
        return codec_order(self.rows, self.default_settings)

    @cached_property
    def variants(self) -> list[str]:
        """Variants, each of which has one curve, in the order of the codecs."""
        pairs = {(row["codec"], row["variant"]) for row in self.rows.select(["codec", "variant"]).to_pylist()}
        return [variant for _, variant in sorted(pairs, key=lambda pair: (self.codecs.index(pair[0]), pair[1]))]

    @cached_property
    def metrics(self) -> list[str]:
        """Columns of the metrics that the run measured."""
        return [column for column in METRICS if pc.count(self.rows[column]).as_py()]

    @cached_property
    def basis(self) -> Basis:
        """The images over which `summaries` are taken."""
        return basis(self.rows)

    @cached_property
    def summaries(self) -> list[Summary]:
        """Every setting over `basis`."""
        return summarise(self.rows, self.basis)

    def rd_curves(self, metric: str = "psnr_rgb") -> RdCurves:
        """Make the rate-distortion curves of every variant in one metric, of every image and of their mean.

        Raises
        ------
        ResultsError
            If there is no such metric.
        """
        if metric not in self._curves:
            self._curves[metric] = rd_curves(self.rows, metric_of(metric))
        return self._curves[metric]

    @property
    def anchor(self) -> str:
        """What codecs are compared with by default: what was chosen, else ``jpeg``, else the first variant."""
        if self._anchor is not None:
            return self._anchor
        return ANCHOR if ANCHOR in self.variants else (self.variants[0] if self.variants else ANCHOR)

    def known_variant(self, name: str | None = None) -> str:
        """Return a variant by its name, or the anchor for none.

        Raises
        ------
        ResultsError
            If the run has no such variant, with the nearest name.
        """
        chosen = self.anchor if name is None else name
        if chosen not in self.variants:
            known = ", ".join(self.variants)
            raise ResultsError(f"{self.name} has no {chosen!r}{did_you_mean(chosen, self.variants)}; it has: {known}")
        return chosen

    def bd_rate(self, anchor: str | None = None, metric: str = "psnr_rgb") -> dict[str, BdComparison]:
        """Compare every variant with one, the anchor (``jpeg`` by default): BD-rate and BD-PSNR.

        Raises
        ------
        ResultsError
            If the run has no such variant, or there is no such metric.
        """
        curves, chosen = self.rd_curves(metric), self.known_variant(anchor)
        if (metric, chosen) not in self._comparisons:
            self._comparisons[metric, chosen] = bd_against(curves, chosen, self.variants)
        return self._comparisons[metric, chosen]

    def bd_published(
        self, published: Sequence[Published], anchor: str | None = None, metric: str = "psnr_rgb"
    ) -> list[BdComparison]:
        """Compare published mean curves with the mean curve of one variant; files without the metric are left out.

        Raises
        ------
        ResultsError
            As `bd_rate`.
        """
        curves, chosen = self.rd_curves(metric), self.known_variant(anchor)
        found = [one.curve(curves.metric) for one in published]
        return [compare_published(curves, chosen, curve) for curve in found if curve is not None]

    def bd_matrix(self, metric: str = "psnr_rgb") -> dict[tuple[str, str], BdComparison]:
        """Compare every variant with every other: (anchor, test) to comparison."""
        return {
            (anchor, test): found for anchor in self.variants for test, found in self.bd_rate(anchor, metric).items()
        }

    def at_rate(self, bpp: float | None = None, metric: str = "psnr_rgb") -> Matched:
        """Read off every variant's quality at one rate in bits per pixel; by default that of the run."""
        curves, chosen = self.rd_curves(metric), self.bpp if bpp is None else bpp
        return at_rate(curves, self.variants, usual_rate(curves) if chosen is None else chosen)

    def at_quality(self, quality: float | None = None, metric: str = "psnr_rgb") -> Matched:
        """Read off every variant's rate at one quality on the metric's scale; by default that of the run."""
        curves = self.rd_curves(metric)
        chosen = self.psnr if quality is None and metric == "psnr_rgb" else quality
        return at_quality(curves, self.variants, usual_quality(curves) if chosen is None else chosen)

    @cached_property
    def speeds(self) -> Speeds:
        """How fast every variant encodes and decodes."""
        return speeds(self.rows, self.folder.times())

    def plot(self, metric: str = "psnr_rgb", image: str | None = None) -> Figure:
        """Draw the rate-distortion curves of every variant: their means, or those of one image.

        The figure shows itself in a notebook; ``figure.savefig(path)`` writes it.

        Raises
        ------
        ResultsError
            If there is no such metric or image, or it has no curve.
        """
        from aebench.report.figures import rd_figure

        return rd_figure(self, metric, image)

    @cached_property
    def _curves(self) -> dict[str, RdCurves]:
        return {}

    @cached_property
    def _comparisons(self) -> dict[tuple[str, str], dict[str, BdComparison]]:
        return {}
