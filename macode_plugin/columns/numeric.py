"""Numbers, dates, times and durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.cells import Cells, atom_cells, equal_width_cells
from macode_plugin.columns.base import Column
from macode_plugin.grid import Grid
from macode_plugin.reading import UNREADABLE, first_unreadable, read_as

if TYPE_CHECKING:
    from macode_plugin.constraints import Allowed

__all__ = ["NumericColumn"]


class NumericColumn(Column):
    """Numbers, dates, times and durations: tokens are cells of the column's range.

    Source: section 2.1 of the paper for bins on the empirical distribution function; atoms and
    the grid are this package's (see :mod:`macode_plugin.cells`).
    """

    kind = "numeric"
    ordered = True

    def __init__(
        self,
        name: Any,
        counts: np.ndarray,
        n_missing: int | None,
        *,
        dtype: Any,
        cells: Cells,
        grid: Grid,
        wall: bool = False,
    ) -> None:
        super().__init__(name, counts, n_missing)
        self.dtype = dtype
        self.wall = wall
        self.cells = cells
        self.grid = grid

    @classmethod
    def fit(cls, series: pd.Series, *, n_bins: int, atoms: bool, model_missing: bool) -> NumericColumn:
        """Cut the range of a training column into cells."""
        wall = dtypes.best_by_the_wall(series)
        values, missing = dtypes.to_numbers(series, wall=wall)
        observed = values[~missing]
        _check_finite(series.name, observed)
        n_missing = int(missing.sum()) if model_missing else None
        try:
            grid = _fit_grid(observed, series.dtype, atoms)
        except ValueError as error:
            raise ValueError(f"column {series.name!r}: {error}") from None
        if len(observed) == 0:
            nothing = np.empty(0)
            cells = Cells(np.zeros(1), nothing, nothing, nothing, nothing, nothing)
            return cls(series.name, nothing, n_missing, dtype=series.dtype, cells=cells, grid=grid)
        ticks = grid.on_grid(grid.ticks(observed))
        if not grid.whole:
            # Cells end on numbers of the column's own precision, so that no rounding crosses them.
            ticks = ticks.astype(_float_type(series.dtype))
        if atoms:
            cells = atom_cells(ticks, n_bins, whole=grid.whole)
        else:
            cells = equal_width_cells(ticks, n_bins)
        counts = np.bincount(cells.find(ticks), minlength=len(cells)).astype(float)
        return cls(series.name, counts, n_missing, dtype=series.dtype, cells=cells, grid=grid, wall=wall)

    @property
    def range(self) -> tuple[Any, Any]:
        """Smallest and largest training value, in the column's dtype."""
        series = self.restore(self._ends)
        return series.iloc[0], series.iloc[1]

    @property
    def precision(self) -> type[np.floating]:
        """The floating-point type that the column's values are stored with."""
        return _float_type(self.dtype)

    @property
    def _ends(self) -> np.ndarray:
        if self.grid.integer:  # the last cell of a coarse grid may end below the largest value
            return np.array([self.grid.origin, self.grid.top], dtype=np.int64)
        return self.grid.values(np.array([self.cells.low[0], self.cells.high[-1]]))

    @property
    def log_extent(self) -> np.ndarray:
        """Logarithm of each cell's number of grid values, or of its length if there is no grid."""
        return np.log(self.cells.extent(whole=self.grid.whole))

    def restore(self, values: np.ndarray) -> pd.Series:
        """Return ``int64`` or ``float64`` numbers, shape (n,), as values of the training dtype."""
        return dtypes.restore_numbers(
            values, np.zeros(len(values), dtype=bool), self.dtype, wall=self.wall
        )

    def ticks(self, series: pd.Series) -> np.ndarray:
        """Return values, none of them missing, as float64 ticks of the column's grid, shape (n,).

        A value between two that the dtype can hold lies between their ticks.

        Raises
        ------
        ValueError
            For values that cannot be read as this column's.
        """
        values, _, above = self._numbers(series)
        return self.grid.ticks(values, above)

    def numbers(self, series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return values, none of them missing, as numbers, and which lie above theirs, shape (n,).

        Raises
        ------
        ValueError
            For values that cannot be read as this column's.
        """
        values, _, above = self._numbers(series)
        return values, above

    def outside(self, series: pd.Series) -> np.ndarray:
        """Return True for each cell that has a value beyond the training range, shape (n,)."""
        values, missing, above = self._numbers(series)
        if self.grid.integer:
            beyond = (values > self.grid.top) | (above & (values == self.grid.top))
            return ~missing & ((values < self.grid.origin) | beyond)
        ticks = self.grid.ticks(values)
        return ~missing & ((ticks < self.cells.low[0]) | (ticks > self.cells.high[-1]))

    def cast(self, series: pd.Series) -> pd.Series:
        """Return values, none of them missing, in the training column's dtype."""
        if self._same_unit(series.dtype):
            return series.astype(self.dtype)
        return read_as(series, self.dtype)[0].astype(self.dtype)

    def _numbers(self, series: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return values as numbers, which are missing, and which lie above their number."""
        try:
            return self._read(series)
        except UNREADABLE as error:
            example = dtypes.plain(first_unreadable(series, self._read))
            raise ValueError(
                f"column {self.name!r} holds {self.dtype} values, and {example!r} "
                f"cannot be read as one: {dtypes.reason(error)}"
            ) from error

    def _read(self, series: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if dtypes.is_numeric(series.dtype) and self._same_unit(series.dtype):
            values, missing = dtypes.to_numbers(series, wall=self.wall)
            return self._decimals_of(values), missing, np.zeros(len(series), dtype=bool)
        own, above = read_as(series, self.dtype)
        values, missing = dtypes.to_numbers(own, wall=self.wall)
        values = self._decimals_of(values)
        if (missing & series.notna().to_numpy(dtype=bool)).any():
            raise ValueError("as text it means that there is no value; give None or NaN for that")
        return values, missing, above

    def _decimals_of(self, values: np.ndarray) -> np.ndarray:
        """Return the decimals that single-precision numbers of a column with decimals stand for."""
        if self.precision is not np.float32 or not self.grid.whole or self.grid.integer:
            return values
        with np.errstate(over="ignore", invalid="ignore"):
            decimals = np.round(values.astype(np.float64), self.grid.decimals)
            return np.where(decimals.astype(np.float32) == values.astype(np.float32), decimals, values)

    def _same_unit(self, dtype: Any) -> bool:
        plain = pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype)
        own = pd.api.types.is_integer_dtype(self.dtype) or pd.api.types.is_float_dtype(self.dtype)
        return (plain and own) or dtype == self.dtype

    def _strange_values(self, series: pd.Series) -> np.ndarray:
        values, missing, above = self._numbers(series)
        if len(self.cells) == 0:
            return ~missing
        return ~missing & (above | self._fractions(values))

    def _fractions(self, values: np.ndarray) -> np.ndarray:
        """Return which numbers a column of whole ones cannot hold."""
        if not (self.grid.integer and values.dtype.kind == "f"):
            return np.zeros(len(values), dtype=bool)
        return np.isfinite(values) & (np.floor(values) != values)

    def _encode_values(self, series: pd.Series) -> np.ndarray:
        values, missing, above = self._numbers(series)
        _check_finite(self.name, values[~missing])
        if len(self.cells) == 0:
            raise ValueError(f"column {self.name!r} had no value in training, so none can be given")
        if (fractions := self._fractions(values)).any():
            broken = values[fractions][0]
            raise ValueError(f"column {self.name!r} holds whole numbers, and {broken} is not one")
        if above.any():
            raise ValueError(
                f"column {self.name!r} holds {self.dtype} values, and "
                f"{dtypes.plain(series[above].iloc[0])!r} is finer than these; round it"
            )
        return self.cells.find(self.grid.ticks(values))

    def _decode_values(
        self, tokens: np.ndarray, u: np.ndarray, missing: np.ndarray, allowed: Allowed | None
    ) -> pd.Series:
        if len(self.cells) == 0:
            values = np.zeros(len(tokens), dtype=np.int64 if self.grid.integer else np.float64)
        else:
            ticks = self.cells.draw(tokens, u) if allowed is None else self._draw(tokens, u, allowed)
            values = self.grid.values(ticks)
        return dtypes.restore_numbers(values, missing, self.dtype, wall=self.wall)

    def _draw(self, tokens: np.ndarray, u: np.ndarray, allowed: Allowed) -> np.ndarray:
        """Draw ticks from the allowed part of tokens; given tokens outside it are left as they are."""
        inside = np.isfinite(allowed.log_weight[tokens])
        ticks = self.cells.draw(tokens, u)
        placed, low, high = allowed.place(tokens[inside], u[inside])
        ticks[inside] = np.clip(self.cells.draw(tokens[inside], placed), low, high)
        return ticks

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return a description in JSON's types, and the arrays that go with it."""
        spec = {
            "kind": self.kind,
            "name": dtypes.scalar_to_json(self.name),
            "dtype": dtypes.dtype_to_json(self.dtype),
            "n_missing": self.n_missing,
            "grid": vars(self.grid),
            "wall": self.wall,
        }
        return spec, {"counts": self.value_counts, **vars(self.cells)}

    @classmethod
    def from_json(cls, spec: dict[str, Any], arrays: dict[str, np.ndarray]) -> NumericColumn:
        """Return the column that :meth:`to_json` described."""
        arrays = dict(arrays)
        counts = arrays.pop("counts")
        return cls(
            dtypes.scalar_from_json(spec["name"]),
            counts,
            spec["n_missing"],
            dtype=dtypes.dtype_from_json(spec["dtype"]),
            cells=Cells(**arrays),
            grid=Grid(**spec["grid"]),
            wall=spec["wall"],
        )


def _fit_grid(observed: np.ndarray, dtype: Any, atoms: bool) -> Grid:
    """Find the column's grid; without atoms, as published, only integers are rounded."""
    if len(observed) == 0:
        return Grid(0, 0, 1, 0, integer=observed.dtype.kind == "i")
    if not atoms and observed.dtype.kind == "f":
        return Grid.none()
    return Grid.fit(observed, single_precision=_float_type(dtype) is not np.float64)


def _float_type(dtype: Any) -> type[np.floating]:
    """Return the precision that values of a dtype are stored with."""
    name = str(dtype).lower()
    if name.startswith(("float16", "halffloat")):
        return np.float16
    return np.float32 if name.startswith(("float32", "float[pyarrow")) else np.float64


def _check_finite(name: Any, values: np.ndarray) -> None:
    infinite = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(0, dtype=bool)
    if infinite.any():
        raise ValueError(
            f"column {name!r} holds {values[infinite][0]} in {int(infinite.sum())} cell(s); "
            "replace infinite values by numbers or by missing values"
        )
