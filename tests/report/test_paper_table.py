from __future__ import annotations

import numpy as np
import pytest

from aebench.report.paper_table import COLUMNS, IMAGES, PSNR, paper_psnr


def test_figures_have_the_ranges_of_the_published_table() -> None:
    assert np.shape(PSNR) == (len(IMAGES), len(COLUMNS)) == (7, 4)
    assert np.mean(PSNR, axis=0)[0] == pytest.approx(25.60, abs=0.005)
    assert np.min(PSNR, axis=0) == pytest.approx([22.47, 9.00, 7.66, 7.67], abs=0.005)
    assert np.max(PSNR, axis=0) == pytest.approx([28.88, 12.72, 12.90, 13.66], abs=0.005)


@pytest.mark.parametrize("extension", ["", ".png"])
def test_rows_go_to_the_images_in_order(extension: str) -> None:
    found = paper_psnr([f"kodim{number}{extension}" for number in (24, 18, 19, 20, 21, 22, 23)])
    assert found[f"kodim18{extension}"][0] == 24.97723
    assert found[f"kodim24{extension}"] == (24.62789, 12.724757, 12.895276, 12.916949)


@pytest.mark.parametrize("numbers", [range(17, 24), range(18, 24), range(1, 25), ()])
def test_other_images_have_no_rows(numbers: range) -> None:
    assert paper_psnr([f"kodim{number:02}" for number in numbers]) == {}
