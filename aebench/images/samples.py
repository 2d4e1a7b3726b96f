"""Photographs that lie inside the wheels of scikit-image and scikit-learn: a set that needs no network.

``samples[:6]`` is meant to train and ``samples[6:]`` to test. No scene occurs twice (of the stereo pair only the
left image is taken). The three test images come as PNG. Those marked JPEG were compressed before, which flatters JPEG
when they are coded again at the same or a coarser quantisation: they only train.

==  =====================  =============  ===========  ==========================================================
 #  File                   Wheel          Size         Origin and licence, as the two projects state them
==  =====================  =============  ===========  ==========================================================
 0  astronaut.png          scikit-image   512×512      NASA, Eileen Collins; public domain
 1  china.jpg       (JPEG) scikit-learn   640×427      Daniel Büchele, flickr.com/photos/danielbuechele; CC BY 2.0
 2  flower.jpg      (JPEG) scikit-learn   640×427      vultilion, flickr.com/photos/vultilion; CC BY 2.0
 3  rocket.jpg      (JPEG) scikit-image   640×427      SpaceX, launch of DSCOVR; public domain
 4  retina.jpg      (JPEG) scikit-image   1411×1411    Mikael Häggström, Wikimedia Commons; CC0 1.0
 5  hubble_deep_field.jpg  scikit-image   1000×872     NASA, Hubble eXtreme Deep Field (JPEG); public domain
 6  chelsea.png            scikit-image   451×300      Stéfan van der Walt, a cat; CC0 1.0
 7  coffee.png             scikit-image   600×400      Rachel Michetti, Pikolo Espresso Bar; CC0 1.0
 8  motorcycle_left.png    scikit-image   741×500      Middlebury Stereo 2014, D. Scharstein et al. (GCPR 2014),
                                                       reduced four times; no licence stated
==  =====================  =============  ===========  ==========================================================

The statements are in ``skimage/data/_fetchers.py`` (scikit-image 0.26) and ``sklearn/datasets/images/README.txt``
(scikit-learn 1.9). Neither package is imported: both are slow to import, and only their files are wanted.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from aebench.errors import ImageSetError

_SKIMAGE = ("skimage", "scikit-image", "data")
_SKLEARN = ("sklearn", "scikit-learn", "datasets/images")

_FILES = (
    ("astronaut.png", _SKIMAGE),
    ("china.jpg", _SKLEARN),
    ("flower.jpg", _SKLEARN),
    ("rocket.jpg", _SKIMAGE),
    ("retina.jpg", _SKIMAGE),
    ("hubble_deep_field.jpg", _SKIMAGE),
    ("chelsea.png", _SKIMAGE),
    ("coffee.png", _SKIMAGE),
    ("motorcycle_left.png", _SKIMAGE),
)


def paths() -> list[Path]:
    """Return the files, in the order of the table above.

    Raises
    ------
    ImageSetError
        If a wheel is not installed, or no longer holds one of them.
    """
    found = []
    for name, (package, project, folder) in _FILES:
        path = _root(package, project) / folder / name
        if not path.is_file():
            raise ImageSetError(
                f"set `samples`: {project} lacks its file {folder}/{name}; pip install --force-reinstall {project}"
            )
        found.append(path)
    return found


def describe() -> str:
    """Say where the set comes from."""
    roots = (_root(package, project) for package, project, _ in (_SKIMAGE, _SKLEARN))
    where = " and ".join(map(str, roots))
    return f"{len(_FILES)} photographs from the scikit-image and scikit-learn wheels, in {where}"


def _root(package: str, project: str) -> Path:
    """Find the folder of a package without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImageSetError(
            f"set `samples` takes photographs from {project}, which is not installed: pip install {project}"
        )
    return Path(next(iter(spec.submodule_search_locations)))
