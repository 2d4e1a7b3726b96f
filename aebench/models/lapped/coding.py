"""Real bytes: integers through the range coder, each with the stored table of its member of the family."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from aebench.models.entropy import coding
from aebench.models.lapped.distribution import Members, offsets, table_of


class Tables(coding.Tables):
    """The stored tables.

    Parameters
    ----------
    frequencies : uint16 array
        All tables, one after the other.
    """

    def __init__(self, frequencies: npt.NDArray[np.uint16]) -> None:
        super().__init__(np.split(frequencies, offsets()[1:-1]))


class Writer:
    """Codes integers, phase by phase."""

    def __init__(self, tables: Tables) -> None:
        self._tables, self._writer = tables, coding.Writer()

    def put(self, q: Tensor, members: Members) -> None:
        """Code integers of any shape with as many members."""
        table, integer, negated = table_of(members)
        distance = q.cpu().numpy().astype(np.int32).ravel() - integer
        self._writer.put(self._tables, np.where(negated, -distance, distance), table)

    def finish(self) -> bytes:
        """Return all that was coded."""
        return self._writer.finish()


class Reader:
    """Decodes what `Writer` made."""

    def __init__(self, tables: Tables, data: bytes) -> None:
        self._tables, self._reader = tables, coding.Reader(data)

    def get(self, members: Members) -> Tensor:
        """Decode one integer a member."""
        table, integer, negated = table_of(members)
        distance = self._reader.get(self._tables, table)
        q = np.where(negated, -distance, distance) + integer
        return torch.from_numpy(q.astype(np.float32)).to(members.mean.device).view(members.mean.shape)
