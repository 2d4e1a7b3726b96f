"""A table as the page shows it: text that is ready, and the numbers by which a reader can sort it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """What stands in a cell.

    Attributes
    ----------
    text : str
    value : float or None
        What the cell sorts by, if it holds a number; NaN and None sort last.
    detail : str
        Stands small below the text.
    kind : str
        Class in the style sheet: ``bad`` for what failed or was refused, ``quiet`` for what is beside the point.
    """

    text: str
    value: float | None = None
    detail: str = ""
    kind: str = ""

    @property
    def key(self) -> str:
        """`value` for the script that sorts; empty where there is no number."""
        return "" if self.value is None or math.isnan(self.value) else repr(float(self.value))


@dataclass(frozen=True)
class Head:
    """The head of a column; a name stands at the left, a number at the right."""

    text: str
    detail: str = ""
    is_name: bool = False


@dataclass(frozen=True)
class PageTable:
    """A table with its caption; the first cell of a row is the row's head.

    Attributes
    ----------
    caption : str
    heads : sequence of Head
    rows : sequence of sequences of Cell
    foot : sequence of Cell
        The row of means; empty where there is none.
    notes : sequence of str
        Paragraphs below: over which images means are, what was left out.
    reasons : sequence of str
        Why figures were refused; a cell refers to the first as ``[1]``.
    sortable : bool
        Whether its order can be changed.
    metric : str
        Column of the metric it is in, where the page has the same table in several.
    """

    caption: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    foot: Sequence[Cell] = ()
    notes: Sequence[str] = ()
    reasons: Sequence[str] = ()
    sortable: bool = True
    metric: str = ""
