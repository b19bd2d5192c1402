"""Conditions of a draw: which cells are given, as tokens and as the values to give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.columns import FREE, CategoricalColumn, Column, NumericColumn
from macode_plugin.table import Table, check_labels, frame_of

__all__ = ["MISSING", "Conditions", "read_conditions"]


class _Missing:
    """The type of :data:`MISSING`."""

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""Given for a cell, asks for rows in which it is missing. (None and NaN leave a cell free.)"""


@dataclass(frozen=True)
class Conditions:
    """Given cells of n rows.

    Arguments
    ---------
    tokens : ndarray of int64, shape (n, p)
        Tokens of given cells, ``FREE`` elsewhere.
    values : DataFrame, shape (n, any)
        The given values as they were given; missing where a cell is free.
    """

    tokens: np.ndarray
    values: pd.DataFrame

    def of(self, name: Any) -> pd.Series:
        """Return what was given for a column, length n, missing where a cell is free."""
        return self.values[name]

    def write_back(self, frame: pd.DataFrame, table: Table) -> pd.DataFrame:
        """Return a drawn frame with every given cell exactly as it was given."""
        frame = frame.copy()
        values = self.values.reset_index(drop=True)
        for name in values.columns:
            present = values[name].notna()
            if present.any():
                given = table[name].cast(values[name][present])
                drawn = frame[name][~present].astype(given.dtype)
                frame[name] = pd.concat([given, drawn]).sort_index()
        return frame.set_axis(self.values.index, axis=0)


def read_conditions(
    table: Table,
    conditions: Mapping[Any, Any] | pd.DataFrame,
    n: int | None,
    *,
    clip: bool = False,
) -> Conditions:
    """Read the conditions of a draw.

    Arguments
    ---------
    table : Table
    conditions : mapping or DataFrame
        A value for each given column, for every row alike; or a frame with a row per row wanted,
        whose missing cells are free. ``MISSING`` asks for a missing cell.
    n : int or None
        Rows wanted; None or the frame's length for a frame.
    clip : bool
        Whether a number beyond the training range stands for the nearest end of the range,
        rather than being an error.

    Raises
    ------
    ValueError
        For a column, a category or a number that training did not show.
    """
    if isinstance(conditions, pd.DataFrame):
        frame = conditions
        check_labels(frame)
        if n is not None and n != len(frame):
            raise ValueError(
                f"n is {n}, but conditions has {len(frame)} rows, one for each row wanted; "
                "leave n out, or give a mapping for all rows alike"
            )
    elif isinstance(conditions, Mapping):
        if n is None:
            raise ValueError("n, the number of rows wanted, is needed with conditions for all rows")
        frame = _repeat(table, conditions, n)
    else:
        raise TypeError(f"conditions must be a mapping or a DataFrame, got {type(conditions).__name__}")
    return _encode(table, frame, clip)


def _repeat(table: Table, conditions: Mapping[Any, Any], n: int) -> pd.DataFrame:
    columns = {}
    for name, value in conditions.items():
        if not _is_one_value(table[name], value):
            raise ValueError(
                f"conditions gives column {name!r} {value!r}, which is not one value; "
                "for different values by row, give a DataFrame"
            )
        columns[name] = pd.Series([value] * n, dtype=object if value is MISSING else None)
    return frame_of(columns, pd.RangeIndex(n))


def _is_one_value(column: Column, value: Any) -> bool:
    """Tell whether a value is one of a column's, and not a list of them; a tuple may be either."""
    if isinstance(value, tuple):
        known = list(column.values) if isinstance(column, CategoricalColumn) else []
        return any(isinstance(category, tuple) for category in known)
    return pd.api.types.is_scalar(value) or isinstance(value, (_Missing, pd.Interval))


def _encode(table: Table, frame: pd.DataFrame, clip: bool) -> Conditions:
    tokens = np.full((len(frame), len(table)), FREE, dtype=np.int64)
    values = {}
    for name in frame.columns:
        j, column = table.place(name), table[name]
        wants_missing = _asks_for_missing(frame[name])
        given = dtypes.mark_missing(frame[name])
        if wants_missing.any():
            given = given.mask(wants_missing)
            if column.missing_token is None:
                raise ValueError(
                    f"column {name!r} cannot be drawn missing: it had no missing cell in training, "
                    "or the model was not fitted with missing='model'"
                )
        if not clip:
            _check_range(column, given)
        tokens[:, j] = column.encode(given)
        if column.missing_token is not None:
            tokens[wants_missing, j] = column.missing_token
        values[name] = given
    return Conditions(tokens, frame_of(values, frame.index))


def _asks_for_missing(series: pd.Series) -> np.ndarray:
    if series.dtype != object and not isinstance(series.dtype, pd.CategoricalDtype):
        return np.zeros(len(series), dtype=bool)  # no other dtype can hold MISSING
    return series.map(lambda cell: cell is MISSING).to_numpy(dtype=bool)


def _check_range(column: Any, given: pd.Series) -> None:
    if not isinstance(column, NumericColumn) or given.isna().all():
        return
    outside = column.outside(given)
    if outside.any():
        low, high = column.range
        raise ValueError(
            f"conditions gives column {column.name!r} the value {given[outside].iloc[0]}, outside "
            f"the training range {low} to {high}, where nothing was learned; clip it to the range"
        )
