"""The photographs inside the wheels of scikit-image and scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aebench.errors import ImageSetError
from aebench.images import describe, open_rgb, resolve, samples


def test_the_set() -> None:
    refs = resolve("samples")
    assert [ref.name for ref in refs] == [
        "astronaut.png",
        "china.jpg",
        "flower.jpg",
        "rocket.jpg",
        "retina.jpg",
        "hubble_deep_field.jpg",
        "chelsea.png",
        "coffee.png",
        "motorcycle_left.png",
    ]
    assert [open_rgb(ref.uri).shape[:2] for ref in refs] == [
        (512, 512),
        (427, 640),
        (427, 640),
        (427, 640),
        (1411, 1411),
        (872, 1000),
        (300, 451),
        (400, 600),
        (500, 741),
    ]


def test_the_table_in_the_docstring_names_every_image() -> None:
    for name in (path.name for path in samples.paths()):
        assert name in (samples.__doc__ or "")


def test_the_split() -> None:
    assert [ref.name for ref in resolve("samples[6:]")] == ["chelsea.png", "coffee.png", "motorcycle_left.png"]
    assert resolve("samples[:6]") + resolve("samples[6:]") == resolve("samples")
    assert "9 photographs from the scikit-image and scikit-learn wheels" in describe("samples[6:]")


def test_the_packages_are_not_imported() -> None:
    code = "import sys, aebench.images as i; i.resolve('samples'); "
    code += "print({'skimage', 'sklearn', 'torch', 'ray'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_wheel_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    for name in [name for name in sys.modules if name.partition(".")[0] in ("skimage", "sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    for function in (resolve, describe):
        with pytest.raises(ImageSetError, match="scikit-image, which is not installed: pip install scikit-image"):
            function("samples")


def test_a_wheel_without_the_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "skimage").mkdir()
    (tmp_path / "skimage" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "skimage"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImageSetError, match=r"scikit-image lacks its file data/astronaut\.png"):
        resolve("samples")
