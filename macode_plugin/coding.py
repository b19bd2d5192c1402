"""Tables with the same columns as arrays of numbers, in which equal cells have equal codes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin.dtypes import is_arrow_decimal, is_numeric, plain, reason, to_numbers
from macode_plugin.grid import EXACT, distances
from macode_plugin.reading import UNREADABLE, first_unreadable, read_as

__all__ = ["Coded", "code_alike"]


@dataclass(frozen=True)
class Coded:
    """Tables as numbers, coded alike.

    Arguments
    ---------
    tables : tuple of ndarray, each of shape (n_i, p)
        Numbers, times in units of the first table's, places of categories; NaN where missing.
    categories : tuple of (list of str or None), length p
        The categories of each categorical column in the order of their codes, None for a numeric
        one.
    origins : tuple of int, length p
        The number that each column is counted from: its smallest for whole numbers beyond 2**53,
        neighbours of which would be one float, else 0.
    """

    tables: tuple[np.ndarray, ...]
    categories: tuple[list[str] | None, ...]
    origins: tuple[int, ...]


def code_alike(real: pd.DataFrame, *others: pd.DataFrame) -> Coded:
    """Code tables as numbers, so that one value has one code in all of them.

    The first table says what is numeric. Categories are compared by what they print as and coded
    by their declared order, else their sorted order.

    Raises
    ------
    ValueError
        For a table without rows, a column that one table lacks, that holds different kinds of
        values, or infinity.
    """
    for other in others:
        _check_alike(real, other)
    columns, categories, origins = [], [], []
    for name in real.columns:
        series = [frame[name] for frame in (real, *others)]
        order, origin = None, 0
        if is_numeric(real[name].dtype):
            codes, origin = _code_numbers(series)
        else:
            codes, order = _code_categories(series)
        columns.append(codes)
        categories.append(order)
        origins.append(origin)
    tables = tuple(np.column_stack(table) for table in zip(*columns))
    return Coded(tables, tuple(categories), tuple(origins))


def _check_alike(real: pd.DataFrame, other: pd.DataFrame) -> None:
    for first, second in ((real, other), (other, real)):
        if len(first) == 0:
            raise ValueError("a table without rows cannot be compared")
        if first.columns.has_duplicates:
            twice = first.columns[first.columns.duplicated()][0]
            raise ValueError(f"column {twice!r} occurs more than once in a table")
        lacking = [name for name in first.columns if name not in second.columns]
        if lacking:
            which = "synthetic" if first is real else "real"
            raise ValueError(f"column {lacking[0]!r} is absent from the {which} table")


def _code_numbers(columns: list[pd.Series]) -> tuple[list[np.ndarray], int]:
    """Return a column's numbers in every table, and the number that they are counted from."""
    real_too = is_arrow_decimal(columns[0].dtype)
    columns = [
        _without_decimals(series) if real_too or is_arrow_decimal(series.dtype) else series
        for series in columns
    ]
    numbers = [_read_numbers(series, columns[0].dtype) for series in columns]
    known = np.concatenate([values[~missing] for values, missing in numbers])
    large = known.dtype.kind == "i" and len(known) and (known.max() > EXACT or known.min() < -EXACT)
    origin = int(known.min()) if large else 0
    codes = []
    for values, missing in numbers:
        floats = (distances(values, origin) if origin else values).astype(np.float64)
        codes.append(np.where(missing, np.nan, floats))
    return codes, origin


def _without_decimals(series: pd.Series) -> pd.Series:
    """Return decimals, of whatever scale, or what may be one as text, as the plain numbers they are."""
    try:
        floats = series.astype(object).where(series.notna(), np.nan).astype(np.float64)
    except UNREADABLE as error:
        raise ValueError(
            f"column {series.name!r} holds decimals in the real table, but {series.dtype} values in the "
            f"other that are no numbers: {reason(error)}; correct them"
        ) from error
    return floats


def _read_numbers(series: pd.Series, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers or times, the latter in the unit of ``dtype``, and which are missing."""
    known = series.notna().to_numpy(dtype=bool)
    if not known.any():
        return np.zeros(len(series), dtype=np.int64), ~known
    own, gone = to_numbers(_in_unit(series[known], dtype))
    if np.isinf(own[~gone]).any():
        raise ValueError(f"column {series.name!r} holds infinity; replace it by missing values")
    values, missing = np.zeros(len(series), dtype=own.dtype), ~known
    values[known], missing[known] = own, gone
    return values, missing


def _in_unit(series: pd.Series, dtype: Any) -> pd.Series:
    """Return values, none of them missing, in the unit of ``dtype``; text is read as times."""
    # Plain numbers of any width compare as they are; anything else needs the very same dtype, or
    # nanoseconds would be compared with days.
    are_plain = [pd.api.types.is_any_real_numeric_dtype(kind) for kind in (dtype, series.dtype)]
    if all(are_plain) or series.dtype == dtype:
        return series
    if not any(are_plain):
        with contextlib.suppress(*UNREADABLE):
            return series.astype(dtype) if is_numeric(series.dtype) else _read_text(series, dtype)
    raise ValueError(
        f"column {series.name!r} holds {dtype} values in the real table, but {series.dtype} values in "
        f"the other, such as {_strange(series, dtype)!r}; correct them, or make the column text in both "
        f"tables to compare categories (on the command line: --text {series.name})"
    )


def _read_text(series: pd.Series, dtype: Any) -> pd.Series:
    """Read times, durations and the like that are written as in a CSV file."""
    read, finer = read_as(series.astype(object), dtype)
    if read.isna().any():
        raise ValueError("as text it means that there is no value")
    if finer.any():
        raise ValueError(f"it is finer than {dtype} can tell")
    return read


def _strange(series: pd.Series, dtype: Any) -> Any:
    """Return a value that is not one of ``dtype``."""
    if not is_numeric(series.dtype):
        try:
            _read_text(series, dtype)
        except UNREADABLE:
            return first_unreadable(series, lambda part: _read_text(part, dtype))
    return plain(series.iloc[0])


def _code_categories(columns: list[pd.Series]) -> tuple[list[np.ndarray], list[str]]:
    texts = [series.astype(object).map(_category_text, na_action="ignore") for series in columns]
    present = sorted({text for column in texts for text in column.dropna()})
    order = list(dict.fromkeys([*_declared_order(columns[0].dtype), *present]))
    codes = [pd.Categorical(column, categories=order).codes for column in texts]
    return [np.where(code < 0, np.nan, code.astype(np.float64)) for code in codes], order


def _category_text(value: Any) -> str:
    # A file with missing cells may bring whole numbers back as floats.
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _declared_order(dtype: Any) -> list[str]:
    ordered = isinstance(dtype, pd.CategoricalDtype) and dtype.ordered
    return [_category_text(value) for value in dtype.categories] if ordered else []
