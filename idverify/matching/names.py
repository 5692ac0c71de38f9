"""Stores the names of many rows as bytes of one width, that of the longest name; it sorts and checks nothing."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class Names:
    """One name, a text without NUL, for each of `rows` rows; all are empty at first."""

    def __init__(self, rows: int) -> None:
        self._cells: npt.NDArray[np.bytes_] = np.zeros(rows, "S16")

    @property
    def row_bytes(self) -> int:
        return self._cells.itemsize

    def put(self, start: int, names: Sequence[str]) -> None:
        """Name the rows from `start` on."""
        cells = np.array([name.encode() for name in names], np.bytes_)
        if cells.itemsize > self._cells.itemsize:
            self._cells = self._cells.astype(cells.dtype)
        self._cells[start : start + len(names)] = cells

    def move(self, source: int, target: int) -> None:
        self._cells[target] = self._cells[source]
        self._cells[source] = b""

    def rows_named(self, name: str, among: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Which of the rows `among` have this name."""
        named: npt.NDArray[np.bool_] = self._cells[among] == name.encode()
        return among[named]

    def at(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bytes_]:
        """The names of `rows`, in their shape; `.decode()` gives the text."""
        return self._cells[rows]
