"""The paper's figures 5 and 7: an image and its reconstructions at one rate, with crops and difference maps."""

from __future__ import annotations

import io
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image, UnidentifiedImageError

from aebench.analysis.curves import RdCurve
from aebench.analysis.matched import nearest
from aebench.analysis.rows import image_names
from aebench.analysis.selection import TOLERANCE
from aebench.codecs.base import Rgb
from aebench.errors import ResultsError
from aebench.kept import image_path, kept_files, original_path
from aebench.report.figures.crops import Window, busiest, differences
from aebench.report.figures.look import WIDE, NothingToDrawError, below, drawing, folded, look
from aebench.report.layout import number, some
from aebench.storage import Place

if TYPE_CHECKING:
    from aebench.analysis.run import Run

Pixels = npt.NDArray[np.uint8]

HOW_TO_KEEP: Final = 'no reconstructions are kept; say keep = "images" under [evaluate] in the job, and run it again'

_ACROSS: Final = 6
_SIDE: Final = WIDE / 5
_MOST_ASPECT: Final = 1.5
_MOST_PIXELS: Final = 480
_FRAME: Final = "#ffe000"


@dataclass(frozen=True)
class Picture:
    """A reconstruction, with the rate in bits per pixel and the PSNR-RGB in dB that its row holds."""

    setting: str
    rgb: Rgb
    bpp: float
    psnr: float


def kept_images(run: Run) -> list[str]:
    """Name the images of which the run kept the original, sorted."""
    images = image_names(run.rows)
    files = kept_files(run.folder, images)
    return [image for image in images if original_path(run.folder, image) in files]


def pictures_figure(run: Run, image: str | None = None, bpp: float | None = None) -> Figure:
    """Draw an image and, for each variant, its reconstruction nearest to a rate: whole, a crop, where it differs.

    Parameters
    ----------
    run : Run
    image : str, optional
        The image's name in the rows; by default the first that was kept.
    bpp : float, optional
        Bits per pixel; by default the rate that most variants reach (`Run.at_rate`).

    Raises
    ------
    NothingToDrawError
        If the run kept no reconstruction of the image.
    ResultsError
        If a file cannot be read.
    """
    kept = kept_images(run)
    chosen = kept[0] if image is None and kept else image
    if chosen not in kept:
        raise NothingToDrawError(HOW_TO_KEEP if image is None else f"of {image}, {HOW_TO_KEEP}")
    target = run.at_rate().target if bpp is None else bpp
    found = _pictures(run, chosen, target)
    if not found:
        raise NothingToDrawError(f"of {chosen}, {HOW_TO_KEEP}")
    original = _read(original_path(run.folder, chosen))
    window = busiest(original)
    maps, amplification = differences(original, [picture.rgb for picture in found])
    with look():
        return _draw(chosen, original, found, maps, window, _notes(found, target, amplification, window))


def _pictures(run: Run, image: str, target: float) -> list[Picture]:
    """Read, for each variant, the kept reconstruction whose rate is nearest."""
    curves = run.rd_curves().images.get(image, {})
    files = kept_files(run.folder, [image])
    found = []
    for variant in run.variants:
        if variant in curves and (curve := _kept(run, image, curves[variant], files)).settings:
            i = nearest(curve, target)
            rgb = _read(image_path(run.folder, image, curve.settings[i]))
            found.append(Picture(curve.settings[i], rgb, curve.bpp[i], curve.values[i]))
    return found


def _kept(run: Run, image: str, curve: RdCurve, files: Container[Place]) -> RdCurve:
    """Leave out of a curve the settings whose reconstruction was not kept."""
    points = zip(curve.settings, curve.bpp, curve.values, strict=True)
    kept = [point for point in points if image_path(run.folder, image, point[0]) in files]
    settings, bpp, values = zip(*kept, strict=True) if kept else ((), (), ())
    return RdCurve(curve.variant, curve.codec, curve.metric, settings, bpp, values)


def _read(path: Place) -> Rgb:
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as file:
            return np.asarray(file.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise ResultsError(f"cannot read the kept image {path}: {error}") from error


def _draw(
    image: str, original: Rgb, found: Sequence[Picture], maps: Sequence[Pixels], window: Window, notes: list[str]
) -> Figure:
    """Lay the pictures out: columns in as many bands as it takes, each of three rows."""
    columns = len(found) + 1
    bands = -(-columns // _ACROSS)
    across = -(-columns // bands)
    aspect = min(original.shape[0] / original.shape[1], _MOST_ASPECT)
    names = ", ".join(picture.setting for picture in found)
    title = f"{image}: the original and {names}, with a crop and where they differ"
    figure = drawing(_SIDE * across, bands * (_SIDE * (2 * aspect + 1) + 0.65), title)
    grid = figure.subplots(3 * bands, across, squeeze=False, height_ratios=[aspect, 1, aspect] * bands)
    for axes in grid.ravel():
        axes.set_axis_off()
    _draw_column(grid[:3, 0], original, None, window, f"original\n{folded(image, 20)}", "")
    for i, (picture, difference) in enumerate(zip(found, maps, strict=True), 1):
        band, column = divmod(i, across)
        numbers = f"{number(picture.bpp, 3)} bpp, {number(picture.psnr, 2)} dB"
        panels = grid[3 * band : 3 * band + 3, column]
        _draw_column(panels, picture.rgb, difference, window, folded(picture.setting, 20), numbers)
    below(figure, [], notes)
    return figure


def _draw_column(
    panels: Iterable[Axes], rgb: Rgb, difference: Pixels | None, window: Window, title: str, numbers: str
) -> None:
    whole, crop, map_ = panels
    whole.imshow(_small(rgb), extent=(0, rgb.shape[1], rgb.shape[0], 0))
    corner = (window.left, window.top)
    whole.add_patch(Rectangle(corner, window.width, window.height, fill=False, edgecolor=_FRAME, linewidth=0.9))
    whole.set_title(title, fontsize=7, loc="center")
    whole.text(0.5, -0.03, numbers, transform=whole.transAxes, ha="center", va="top", fontsize=7)
    crop.imshow(window.of(rgb), interpolation="none")
    if difference is not None:
        map_.imshow(_small(difference), cmap="gray", vmin=0, vmax=255, extent=(0, rgb.shape[1], rgb.shape[0], 0))


def _small(pixels: Pixels) -> Pixels:
    """Shrink pixels to what print shows, so that a file of vectors stays small."""
    image = Image.fromarray(pixels)
    image.thumbnail((_MOST_PIXELS, _MOST_PIXELS), Image.Resampling.BOX)
    return np.asarray(image)


def _notes(found: Sequence[Picture], target: float, amplification: int, window: Window) -> list[str]:
    far = [f"{p.setting} ({number(p.bpp, 3)} bpp)" for p in found if abs(p.bpp - target) > TOLERANCE * target]
    return [
        f"Each at the setting whose rate is nearest {target:g} bpp; rate and PSNR-RGB of the whole image.",
        f"More than {TOLERANCE:.0%} off that rate: {some(far, 12)}." if far else "",
        f"Second row: the {window.width}×{window.height} pixels of the original with the largest variance of luma. "
        f"Third row: mean absolute difference of R, G and B, amplified {amplification} times; white is none.",
    ]
