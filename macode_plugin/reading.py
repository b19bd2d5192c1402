"""Values in another form than a column's own, such as text for dates, read as its dtype."""

from __future__ import annotations

import bisect
import datetime
import decimal
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes

__all__ = ["UNREADABLE", "first_unreadable", "read_as"]

UNREADABLE = (TypeError, ValueError, OverflowError)
"""What :func:`read_as` raises."""

_OFFSET = r"\d:?\d\d(?:\.\d+)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)$"
"""The end of a time in ISO 8601 that tells its offset from UTC; a date alone also ends with -01."""


def read_as(series: pd.Series, dtype: Any) -> pd.Series:
    """Read values given in another form as those of a numeric dtype.

    Numbers come back as ``Int64`` or ``float64``, anything else in the dtype itself.

    Arguments
    ---------
    series : Series, shape (n,)
        Strings for dates, objects for numbers, and the like.
    dtype : dtype
        One that :func:`macode_plugin.dtypes.is_numeric` lets pass.

    Raises
    ------
    TypeError, ValueError, OverflowError
        For a value that cannot be read as one of the dtype.
    """
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _read_zoned_times(series, dtype)
    if getattr(dtype, "kind", "O") == "M" and isinstance(dtype, np.dtype):
        return _read_times(series).astype(dtype)
    if getattr(dtype, "kind", "O") == "m" and isinstance(dtype, np.dtype):
        return _read_spans(series).astype(dtype)
    if pd.api.types.is_integer_dtype(dtype):
        return _whole_or_float(series)
    if pd.api.types.is_float_dtype(dtype):
        return series.astype(np.float64)
    if dtypes.is_decimal(dtype):
        return _read_decimals(series, dtype)
    return _cast(series, dtype)


def first_unreadable(series: pd.Series, read: Callable[[pd.Series], Any]) -> Any:
    """Return the first value that cannot be read beside those before it, where one cannot."""

    def fails(n: int) -> bool:
        try:
            read(given.iloc[:n])
        except UNREADABLE:
            return True
        return False

    given = series.dropna()
    return given.iloc[bisect.bisect_left(range(1, len(given)), 1, key=fails)]


def _read_times(series: pd.Series) -> pd.Series:
    """Return dates and times given as such or in ISO 8601, which a number is not."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        # Newer versions of pandas take numbers for nanoseconds since 1970, whatever the format.
        series = series.astype(str)
    return pd.to_datetime(series, format="ISO8601")


def _read_zoned_times(series: pd.Series, dtype: pd.DatetimeTZDtype) -> pd.Series:
    """Return times in a zone; those that tell no offset are read by the clock on its wall."""
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return series.astype(dtype)
    index, series = series.index, series.reset_index(drop=True)
    told = series.astype(str).str.contains(_OFFSET).to_numpy(dtype=bool)
    naive = dtypes.localise(_read_times(series[~told]).astype(f"datetime64[{dtype.unit}]"), dtype.tz)
    # Offsets differ by daylight saving, and pandas reads several of them by way of UTC alone.
    zoned = pd.to_datetime(series[told], format="ISO8601", utc=True).astype(dtype)
    return pd.concat([naive, zoned]).sort_index().set_axis(index)


def _read_spans(series: pd.Series) -> pd.Series:
    """Return durations given as such or in words; pandas takes plain numbers for nanoseconds."""
    if series.dtype.kind != "m" and any(_is_number(value) for value in series):
        raise ValueError("a number has no unit; give a Timedelta, or text such as '5 min'")
    return pd.to_timedelta(series)


def _is_number(value: Any) -> bool:
    if isinstance(value, datetime.timedelta):
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _read_decimals(series: pd.Series, dtype: pd.ArrowDtype) -> pd.Series:
    """Return decimals of all the digits given; pandas and Arrow would round floats, some also text."""
    import pyarrow as pa

    is_float = pd.api.types.is_float_dtype(series.dtype)
    digits = _DIGITS[series.dtype.itemsize if is_float else 8]
    cells = [None if gone else _decimal(cell, digits) for cell, gone in zip(series, series.isna())]
    array = pa.array(cells, type=dtype.pyarrow_dtype)
    return pd.Series(pd.arrays.ArrowExtensionArray(array), index=series.index)


_DIGITS = {2: 3, 4: 6, 8: 15}
"""Decimal digits that floats of so many bytes hold for certain."""


def _decimal(value: Any, digits: int) -> decimal.Decimal:
    text = f"{value:.{digits}g}" if isinstance(value, float) else str(value)
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError("it is no decimal number") from None


def _cast(series: pd.Series, dtype: Any) -> pd.Series:
    """Return periods and Arrow's times; pandas would cut what is finer, such as a date's time of day."""
    read = series.astype(dtype)
    in_counts = getattr(series.dtype, "kind", "O") in "mM"
    if in_counts and (read.astype(series.dtype) != series)[series.notna()].any():
        raise ValueError(f"it is finer than {dtype} can tell")
    return read


def _whole_or_float(series: pd.Series) -> pd.Series:
    """Return whole numbers with all their digits, which floats do not keep beyond 2**53."""
    try:
        return series.astype("Int64")
    except (TypeError, ValueError):
        return series.astype(np.float64)
