"""Published curves in CompressAI's JSON format, and this run's own curves written in it.

The format: ``{"name": …, "description": …, "results": {"bpp": […], "psnr-rgb": […], "ms-ssim-rgb": […], …}}``, each
list holding one number a setting, means over the images of a set (CompressAI's repository, results/image).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aebench.analysis.curves import Metric, RdCurve
from aebench.errors import ResultsError

_NAMES: Final = {
    "psnr_rgb": ("psnr-rgb", "psnr"),
    "psnr_y": ("psnr-y",),
    "psnr_yuv": ("psnr-yuv",),
    "ms_ssim": ("ms-ssim-rgb", "ms-ssim"),
    "ssimulacra2": ("ssimulacra2",),
}
"""Columns, and what the format calls them; the first is what is written."""

_WEAK_JPEG2000: Final = (2.39732, 39.79200)
_CAVEAT: Final = (
    "{name} is the curve usually published for JPEG 2000: it went through 8-bit YUV in ffmpeg and lies up to 2.5 dB "
    "under OpenJPEG proper, so that beating it says little."
)


@dataclass(frozen=True)
class Published:
    """A published curve.

    Attributes
    ----------
    name, description : str
        As the file says.
    bpp : tuple of float
        Bits per pixel.
    columns : dict
        Column of the rows to values in its unit, as many as `bpp`.
    """

    name: str
    description: str
    bpp: tuple[float, ...]
    columns: dict[str, tuple[float, ...]]

    def curve(self, metric: Metric) -> RdCurve | None:
        """Return the curve in one metric, by rising rate; None where the file does not have it."""
        if metric.column not in self.columns:
            return None
        bpp, values = zip(*sorted(zip(self.bpp, self.columns[metric.column], strict=True)), strict=True)
        return RdCurve(self.name, self.name, metric, ("",) * len(bpp), bpp, values)

    @property
    def caveat(self) -> str:
        """What has to be said wherever the curve is shown; mostly nothing."""
        points = zip(self.bpp, self.columns.get("psnr_rgb", ()), strict=False)
        weak = any(math.dist(point, _WEAK_JPEG2000) < 1e-3 for point in points)
        return _CAVEAT.format(name=self.name) if weak else ""


def read_published(path: str | Path) -> Published:
    """Read a curve in CompressAI's JSON format.

    Raises
    ------
    ResultsError
        If the file cannot be read, is not in this format, or holds lists of different lengths.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise ResultsError(f"cannot read the published curve {path}: {error.strerror}") from error
    except ValueError as error:
        raise ResultsError(f"{path} is not JSON: {error}") from error
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict) or not _is_numbers(results.get("bpp")):
        raise ResultsError(f"{path} is not a curve in CompressAI's format, with 'results' of 'bpp' and 'psnr-rgb'")
    columns = {}
    for column, names in _NAMES.items():
        name = next((name for name in names if name in results), None)
        if name is None:
            continue
        if not _is_numbers(results[name]) or len(results[name]) != len(results["bpp"]):
            raise ResultsError(f"{path}: {name!r} must hold {len(results['bpp'])} numbers, as 'bpp' does")
        columns[column] = tuple(map(float, results[name]))
    if not columns:
        raise ResultsError(f"{path} holds no quality known here: {', '.join(names[0] for names in _NAMES.values())}")
    name = str(content.get("name") or path.stem)
    return Published(name, str(content.get("description", "")), tuple(map(float, results["bpp"])), columns)


def published_json(name: str, description: str, curves: Sequence[RdCurve]) -> str:
    """Write one variant's mean curves, one for each metric and all of the same settings, in the format."""
    results: dict[str, Sequence[float]] = {"bpp": curves[0].bpp}
    for curve in curves:
        results[_NAMES[curve.metric.column][0]] = curve.values
    return json.dumps({"name": name, "description": description, "results": results}, indent=2) + "\n"


def _is_numbers(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) > 0
        and all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)
    )
