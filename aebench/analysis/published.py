"""Published curves in CompressAI's JSON format, and this run's own curves written in it.

The format: ``{"name": …, "description": …, "results": {"bpp": […], "psnr-rgb": […], "ms-ssim-rgb": […], …}}``, each
list holding one number a setting, means over the images of a set (CompressAI's repository, results/image).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

_TIMES: Final = {"encode_seconds": ("encoding_time",), "decode_seconds": ("decoding_time",)}

_DECIBELS: Final = {"ms_ssim": ("ms-ssim-db-rgb",)}
"""Columns that some files hold as ``-10 log10(1 - value)``."""

_LARGEST: Final = sys.float_info.max

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
    seconds : dict
        Column of the rows to wall time in seconds an image, as many as `bpp`; empty where the file has none.
    """

    name: str
    description: str
    bpp: tuple[float, ...]
    columns: dict[str, tuple[float, ...]]
    seconds: dict[str, tuple[float, ...]] = field(default_factory=dict)

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
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"cannot read the published curve {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is not JSON: {error}") from error
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict) or not _is_numbers(results.get("bpp")):
        raise ResultsError(f"{path} is not a curve in CompressAI's format, with 'results' of 'bpp' and 'psnr-rgb'")
    columns = _columns(path, results, _NAMES)
    for column, decibels in _columns(path, results, _DECIBELS).items():
        if min(decibels) < 0:
            raise ResultsError(
                f"{path}: {_DECIBELS[column][0]!r} holds {min(decibels)}; a similarity has no dB below 0"
            )
        columns.setdefault(column, tuple(1 - 10 ** (-value / 10) for value in decibels))
    seconds = _columns(path, results, _TIMES)
    if min(results["bpp"]) <= 0:
        raise ResultsError(f"{path}: 'bpp' holds {min(results['bpp'])}; a rate is above 0")
    if not columns:
        raise ResultsError(f"{path} holds no quality known here: {', '.join(names[0] for names in _NAMES.values())}")
    name = str(content.get("name") or path.stem)
    return Published(name, str(content.get("description", "")), tuple(map(float, results["bpp"])), columns, seconds)


def published_json(published: Published) -> str:
    """Write a curve in the format, all of its numbers being finite."""
    qualities = {_NAMES[column][0]: values for column, values in published.columns.items()}
    times = {_TIMES[column][0]: values for column, values in published.seconds.items()}
    results = {"bpp": published.bpp, **qualities, **times}
    content = {"name": published.name, "description": published.description, "results": results}
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _columns(
    path: Path, results: Mapping[str, Any], known: Mapping[str, Sequence[str]]
) -> dict[str, tuple[float, ...]]:
    """Find the lists of some columns by the names that the format has for them."""
    found = {}
    for column, names in known.items():
        name = next((name for name in names if name in results), None)
        if name is None:
            continue
        if not _is_numbers(results[name]) or len(results[name]) != len(results["bpp"]):
            raise ResultsError(f"{path}: {name!r} must hold {len(results['bpp'])} numbers, as 'bpp' does")
        found[column] = tuple(map(float, results[name]))
    return found


def _is_numbers(values: Any) -> bool:
    return isinstance(values, list) and len(values) > 0 and all(map(_is_number, values))


def _is_number(value: Any) -> bool:
    # JSON's whole numbers have no largest, floats do
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST
