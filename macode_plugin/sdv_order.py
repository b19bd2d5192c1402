"""Columns whose values ascend along each row, any of them with gaps, as what a model learns of them.

The first column stays. Each later one is told by three: whether it is known, how far it lies above the
nearest known column before it, and its own value where none before it is known. So gaps are learned and
drawn like anything else, and rows that are put together again are in order. Nothing of SDV is imported
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.grid import Grid
from macode_plugin.sdv_types import Dates, Numbers

__all__ = ["Later", "Order"]


@dataclass(frozen=True)
class Later:
    """A column after the first, and what a model learns of it.

    Arguments
    ---------
    name : str
        The column.
    known, distance, alone : str
        The learned columns: whether it is known, how far it lies above the nearest known one before it,
        and its own value where none before it is known. Where the latter two do not apply, they are
        missing.
    """

    name: str
    known: str
    distance: str
    alone: str

    @property
    def columns(self) -> tuple[str, str, str]:
        """The learned columns."""
        return self.known, self.distance, self.alone


@dataclass(frozen=True)
class _Cells:
    """Numbers of a column, int64 or float64, shape (n,), and where they have no meaning."""

    counts: np.ndarray
    missing: np.ndarray

    def filled_by(self, other: _Cells) -> _Cells:
        """Return these cells, and another column's where they are missing."""
        counts = np.where(self.missing, other.counts, self.counts)
        return _Cells(counts, self.missing & other.missing)


class Order:
    """Learned columns for columns in ascending order, and back.

    Arguments
    ---------
    first : str
    later : sequence of Later
    strict : bool
        Whether equal values break the order.
    """

    def __init__(self, first: str, later: Sequence[Later], strict: bool) -> None:
        self.first = first
        self.later = list(later)
        self.names = [first, *(one.name for one in later)]
        self.strict = strict

    def fit(self, table: pd.DataFrame, readers: Mapping[str, Dates | Numbers]) -> Order:
        """Learn how the columns' values are written and how far apart they are.

        Raises
        ------
        ValueError
            For dates of which some tell their zone and others do not.
        """
        learned = {name: readers[name].learn(table[name]) for name in self.names}
        dated = [series for name, series in learned.items() if isinstance(readers[name], Dates)]
        zones = {str(getattr(series.dtype, "tz", None)) for series in dated}
        if len(zones) > 1 and "None" in zones:
            raise ValueError(f"columns {self.names} are to be in order, but not all of them tell a zone")
        wall = len(zones) == 1 and all(map(dtypes.best_by_the_wall, dated))
        unit = max((series.dt.unit for series in dated), key=["s", "ms", "us", "ns"].index, default=None)
        self._ends = {name: _End(readers[name], learned[name], unit, wall) for name in self.names}
        self._has_gaps = {name: bool(table[name].isna().any()) for name in self.names}
        self._decimals = self._common_decimals()
        told = self.told(table)
        self._spans = {one.name: _span(told[one.distance]) for one in self.later}
        self._alone = {one.name: bool(told[one.alone].notna().any()) for one in self.later}
        return self

    def _common_decimals(self) -> int | None:
        """Return the decimals of distances; None where a column has no last decimal."""
        grids = [end.grid for end in self._ends.values()]
        return max(grid.decimals for grid in grids) if all(grid.whole for grid in grids) else None

    def kept_by(self, table: pd.DataFrame) -> np.ndarray:
        """Return whether each row, shape (n,), keeps the order, as far as its columns are there."""
        kept = np.ones(len(table), dtype=bool)
        names = [name for name in self.names if name in table.columns]
        cells = {name: self._ends[name].cells(table[name]) for name in names}
        for i, low in enumerate(names):
            for high in names[i + 1 :]:
                below = self._as_told_by(high, cells[low], [low])
                above = self._as_told_by(low, cells[high], [high])
                kept &= below.missing | above.missing | ~self._broken(below.counts, above.counts)
        return kept

    def _broken(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return high <= low if self.strict else high < low

    def _as_told_by(self, name: str, cells: _Cells, others: Sequence[str]) -> _Cells:
        """Return other columns' cells as a column writes them: hours are lost where it has only days."""
        end = self._ends[name]
        formats = {self._ends[other].format for other in others}
        if end.format is None or formats <= {None, end.format}:
            return cells
        return end.cells(end.series(cells, np.arange(len(cells.counts))))

    def told(self, known: pd.DataFrame) -> pd.DataFrame:
        """Return a table in which the later columns are told by what a model learns of them.

        What does not apply is missing. Where only some of the columns are known, it is told what
        nothing else is needed for.
        """
        base, before = None, [self.first]
        if self.first in known.columns:
            base = self._ends[self.first].cells(known[self.first])
        columns: dict[str, pd.Series] = {}
        for one in self.later:
            if one.name in known.columns:
                columns[one.known] = known[one.name].notna()
            if one.name in known.columns and base is not None:
                own = self._ends[one.name].cells(known[one.name])
                columns[one.distance] = self._distance(one.name, base, own, before, known.index)
                columns[one.alone] = _nullable(known[one.name]).where(base.missing)
                base = own.filled_by(base)
            else:
                base = None
            before.append(one.name)
        later = [one.name for one in self.later if one.name in known.columns]
        return known.drop(columns=later).assign(**columns)

    def _distance(
        self, name: str, base: _Cells, own: _Cells, before: Sequence[str], index: pd.Index
    ) -> pd.Series:
        distance = own.counts - self._as_told_by(name, base, before).counts
        if distance.dtype.kind == "f" and self._decimals is not None:
            distance = np.round(distance, self._decimals)
        missing = own.missing | base.missing
        if distance.dtype.kind == "i":
            return pd.Series(pd.array(distance, dtype="Int64"), index).mask(missing)
        return pd.Series(distance, index).mask(missing)

    def check_told(self, known: pd.DataFrame, told: pd.DataFrame) -> None:
        """Raise an error for conditions that training did not show.

        Raises
        ------
        ValueError
            The message names the column that was given, not those that are learned of it.
        """
        for one in self.later:
            if one.name not in known.columns:
                continue
            if known[one.name].isna().any() and not self._has_gaps[one.name]:
                raise ValueError(
                    f"column {one.name!r} cannot be drawn missing: it had no missing cell in training"
                )
            if one.alone in told and told[one.alone].notna().any() and not self._alone[one.name]:
                raise ValueError(
                    f"column {one.name!r} cannot be drawn known where those before it ({self.first!r} "
                    "first) are missing: it never was in training"
                )
            self._check_range(one.name, known[one.name])
            self._check_distance(one, known, told)

    def _check_range(self, name: str, known: pd.Series) -> None:
        end = self._ends[name]
        cells = end.cells(known)
        beyond = ~cells.missing & ((cells.counts < end.smallest) | (cells.counts > end.largest))
        if beyond.any():
            ends = _Cells(np.array([end.smallest, end.largest]), np.zeros(2, dtype=bool))
            low, high = end.series(ends, [0, 1])
            raise ValueError(
                f"conditions gives column {name!r} the value {known[beyond].iloc[0]}, outside the "
                f"training range {low} to {high}, where nothing was learned; clip it to the range"
            )

    def _check_distance(self, one: Later, known: pd.DataFrame, told: pd.DataFrame) -> None:
        low, high = self._spans[one.name]
        if one.distance not in told.columns:
            return
        outside = ~(told[one.distance].isna() | told[one.distance].between(low, high))
        if outside.any():
            names = self.names[: self.names.index(one.name) + 1]
            raise ValueError(
                f"conditions gives columns {names} the values "
                f"{known.loc[outside, names].iloc[0].tolist()}, farther apart or closer than any in "
                "training, where nothing was learned; give values at a distance that occurs there"
            )

    def lacking(self, told: pd.DataFrame) -> pd.DataFrame:
        """Return which cells of drawn rows are missing although they apply, shape (n, any)."""
        cells: dict[str, pd.Series] = {}
        if self.first in told.columns:  # it may be a later column of another order
            before = told[self.first].notna()
            # A column with a transformer of the user's has another name, and gaps of its own.
            for one in (one for one in self.later if set(one.columns) <= set(told.columns)):
                known = told[one.known].astype(bool)
                if not np.isnan(self._spans[one.name][0]):
                    cells[one.distance] = known & before & told[one.distance].isna()
                if self._alone[one.name]:
                    cells[one.alone] = known & ~before & told[one.alone].isna()
                before = before | known
        return pd.DataFrame(cells, index=told.index)

    def restored(self, told: pd.DataFrame) -> pd.DataFrame:
        """Return the table that :meth:`told` tells of, later columns on their own grids."""
        base, before = self._ends[self.first].cells(told[self.first]), [self.first]
        columns = {}
        for one in self.later:
            end = self._ends[one.name]
            own = self._above(end, self._as_told_by(one.name, base, before), told[one.distance])
            alone = end.cells(told[one.alone])
            own = own.filled_by(_Cells(alone.counts, alone.missing | ~base.missing))
            own = _Cells(own.counts, own.missing | ~told[one.known].to_numpy(dtype=bool))
            columns[one.name] = end.series(own, told.index)
            base = own.filled_by(base)
            before.append(one.name)
        learned = [name for one in self.later for name in one.columns]
        return told.drop(columns=learned).assign(**columns)

    def _above(self, end: _End, base: _Cells, distance: pd.Series) -> _Cells:
        """Return the cells that lie at a distance above others, where both are known."""
        apart, unknown = dtypes.to_numbers(pd.to_numeric(distance))
        if end.counts_whole and apart.dtype.kind == "f":
            apart = np.rint(np.nan_to_num(apart)).astype(np.int64)
        missing = base.missing | unknown
        values = np.where(missing, end.smallest, base.counts + apart)
        rounded = end.on_grid(values)
        # Rounding may go below the others' grid, and the largest value may be below what is drawn.
        rounded = np.where(self._broken(base.counts, rounded), end.on_grid(values, up=True), rounded)
        return _Cells(np.where(self._broken(base.counts, rounded), values, rounded), missing)


class _End:
    """One of the columns in order: its values as numbers, and numbers as its values.

    Arguments
    ---------
    reader : Dates or Numbers
    learned : Series, shape (n,)
        The training column as the reader reads it.
    unit : str or None
        What dates are counted in.
    wall : bool
        Whether by the clock on the wall.
    """

    def __init__(
        self, reader: Dates | Numbers, learned: pd.Series, unit: str | None, wall: bool
    ) -> None:
        self.reader = reader
        self.unit = unit
        self.wall = wall
        self.format = reader.format if isinstance(reader, Dates) and reader.written else None
        self.zone = getattr(learned.dtype, "tz", None)
        self.grid = Grid.none()
        cells = self._counted(learned)
        observed = cells.counts[~cells.missing]
        self.counts_whole = observed.dtype.kind == "i"
        self.smallest, self.largest = 0, 0
        if len(observed):
            self.smallest, self.largest = observed.min(), observed.max()
            single = pd.api.types.is_float_dtype(learned.dtype) and learned.dtype.itemsize == 4
            self.grid = Grid.fit(observed, single_precision=single)

    def cells(self, series: pd.Series) -> _Cells:
        """Return values of the column as numbers."""
        return self._counted(self.reader.given(series))

    def _counted(self, learned: pd.Series) -> _Cells:
        if self.unit is not None:
            learned = learned.dt.as_unit(self.unit)
        values, missing = dtypes.to_numbers(learned, wall=self.wall)
        if values.dtype.kind == "f" and self.grid.whole:
            values = np.round(values, self.grid.decimals)
        return _Cells(values, missing)

    def series(self, cells: _Cells, index: Any) -> pd.Series:
        """Return numbers as values of the column, shape (n,), with its dtype if that takes gaps."""
        if self.unit is None:
            missing = "Int64" if cells.counts.dtype.kind == "i" else "float64"
            return pd.Series(pd.array(cells.counts, dtype=missing), index).mask(cells.missing)
        dtype: Any = np.dtype(f"datetime64[{self.unit}]")
        if self.zone is not None:
            dtype = pd.DatetimeTZDtype(self.unit, self.zone)
        values = np.where(cells.missing, 0, cells.counts)
        dates = dtypes.restore_numbers(values, cells.missing, dtype, wall=self.wall)
        return self.reader.restore(dates).set_axis(index)

    def on_grid(self, values: np.ndarray, *, up: bool = False) -> np.ndarray:
        """Return numbers on the training column's grid, within its range; rounded, or up."""
        values = np.clip(values, self.smallest, self.largest)
        if not self.grid.whole:
            return values
        ticks = self.grid.ticks(values)
        return np.minimum(self.grid.values(np.ceil(ticks) if up else np.rint(ticks)), self.largest)


def _span(series: pd.Series) -> tuple[Any, Any]:
    """Return the smallest and the largest known value, NaN twice if there is none."""
    known = series.dropna()
    return (known.min(), known.max()) if len(known) else (np.nan, np.nan)


def _nullable(series: pd.Series) -> pd.Series:
    """Return whole numbers with a dtype that takes gaps, other values as they are."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iu":
        return series.convert_dtypes()
    return series
