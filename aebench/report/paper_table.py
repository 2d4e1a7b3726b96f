"""The paper's own table 1, as data.

Source: Paka and Khatter, *Training Autoencoder For Image Compression*, table 1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from aebench.analysis.summary import mean

COLUMNS = ("model", "JPEG", "JPEG 2000", "BPG")
"""The paper's four columns; the first it calls "proposed model"."""

PSNR = (
    (24.97723, 9.003919, 12.656721, 13.656495),
    (27.05327, 11.538549, 12.354865, 12.408018),
    (28.8848, 9.139331, 7.6641064, 7.667928),
    (22.46803, 10.525949, 12.627939, 12.643165),
    (24.89617, 11.688374, 11.03956, 11.067859),
    (26.27813, 12.680623, 11.393139, 12.656573),
    (24.62789, 12.724757, 12.895276, 12.916949),
)
"""PSNR in dB, a row for each of the paper's images #1 to #7, in the order of `COLUMNS`."""

IMAGES = tuple(f"kodim{number}" for number in range(18, 25))
"""The images that are taken for #1 to #7: the seven that the split 1–17 and 18–24 leaves for the test."""

NOTE = (
    "their: PSNR in dB as printed in table 1 of the paper. It does not name its seven images, nor the colour space of "
    "its PSNR; that #1 to #7 are kodim18 to kodim24 is our mapping. It counts no bits. Its JPEG, JPEG 2000 and BPG "
    "columns cannot be reproduced by those codecs at any setting; they are consistent with mismatched image pairs, "
    "which is not proven."
)


def paper_psnr(images: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return the paper's row of every image, or nothing when the images are not the seven of Kodak's test part.

    Parameters
    ----------
    images : sequence of str
        Names of a run's images; an extension after ``kodim18`` does not matter.
    """
    ordered = sorted(images)
    if len(ordered) != len(IMAGES) or any(not name.startswith(own) for name, own in zip(ordered, IMAGES, strict=True)):
        return {}
    return dict(zip(ordered, PSNR, strict=True))


def columns(
    images: Sequence[str], shown: Sequence[str], over: Collection[str]
) -> list[tuple[str, tuple[float, ...], float]]:
    """Return the paper's own columns, where these are its images: of each its name, its values, and their mean.

    Parameters
    ----------
    images : sequence of str
        All images of the run.
    shown : sequence of str
        Those whose values are wanted, in their order.
    over : collection of str
        Those over which the mean is taken.
    """
    rows = paper_psnr(images)
    return [
        (head, tuple(rows[image][index] for image in shown), mean([rows[image][index] for image in sorted(over)]))
        for index, head in enumerate(COLUMNS if rows else ())
    ]
