"""Values given in another form than a numeric column's own: text for dates, numbers for decimals.

Where a column's dtype counts whole units, such as seconds, a value between two of them is read as the
lower one, and marked as lying above it.
"""

from __future__ import annotations

import bisect
import datetime
import decimal
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes

__all__ = ["UNREADABLE", "first_unreadable", "read_as"]

UNREADABLE = (TypeError, ValueError, ArithmeticError, NotImplementedError)
"""What :func:`read_as` raises."""

_OFFSET = r"\d[T ]\d\d[\d:.,]*\s?(?:Z|[+-]\d\d(?::?\d\d){0,2})$"
"""The end of a time in ISO 8601 that tells its offset from UTC; a date alone may also end with -01."""

NEAR = 1e-6
"""What is left of a float by the rounding errors of its decimals, in units of the last, at most."""


def read_as(series: pd.Series, dtype: Any) -> tuple[pd.Series, np.ndarray]:
    """Return values as those of a numeric column.

    Arguments
    ---------
    series : Series, shape (n,)
    dtype : dtype
        The column's.

    Returns
    -------
    own : Series, shape (n,)
        Of the column's dtype where it counts units of time or of a decimal; whole numbers and floats
        of any width for others.
    above : ndarray of bool, shape (n,)
        Whether a value lies between its own and the next that the dtype can hold.

    Raises
    ------
    TypeError, ValueError, ArithmeticError, NotImplementedError
        For a value that cannot be read (:data:`UNREADABLE`).
    """
    if isinstance(series.dtype, pd.ArrowDtype) and series.dtype.kind in "mM":
        series = series.astype(object)
    if dtypes.is_arrow_decimal(dtype):
        return _read_decimals(series, dtype)
    if dtypes.is_arrow_temporal(dtype):
        return _read_arrow_times(series, dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _read_zoned_times(series, dtype)
    if isinstance(dtype, pd.PeriodDtype):
        return _read_periods(series, dtype)
    if dtype.kind == "M":
        return _lower(_read_times(series), dtype)
    if dtype.kind == "m":
        return _lower(_read_spans(series), dtype)
    if pd.api.types.is_integer_dtype(dtype):
        return _exact(_whole_or_float(series))
    return _exact(_floats(series) if pd.api.types.is_float_dtype(dtype) else series.astype(dtype))


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


def _exact(own: pd.Series) -> tuple[pd.Series, np.ndarray]:
    return own, np.zeros(len(own), dtype=bool)


def _lower(exact: pd.Series, dtype: Any) -> tuple[pd.Series, np.ndarray]:
    """Return times or durations in a unit that may be coarser, rounded down, and where they were."""
    own = exact.astype(dtype)
    return own, (exact.notna() & (own != exact)).to_numpy(dtype=bool)


def _read_times(series: pd.Series) -> pd.Series:
    """Return dates and times given as such or in ISO 8601, without offsets; a number is read as text."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        # Newer versions of pandas take numbers for nanoseconds since 1970, whatever the format.
        series = series.astype(str)
    plain = isinstance(series.dtype, np.dtype) and series.dtype.kind == "M"
    if not plain and _tells_offset(series).any():
        raise ValueError("it tells an offset from UTC, which the column's times do not; drop the offset")
    return pd.to_datetime(series, format="ISO8601")


def _tells_offset(series: pd.Series) -> np.ndarray:
    text = np.array([isinstance(value, str) for value in series], dtype=bool)
    told = np.array([getattr(value, "tzinfo", None) is not None for value in series], dtype=bool)
    told[text] = series[text].astype(str).str.contains(_OFFSET).to_numpy(dtype=bool)
    return told


def _read_zoned_times(series: pd.Series, dtype: pd.DatetimeTZDtype) -> tuple[pd.Series, np.ndarray]:
    """Return times in a zone; those that tell no offset are read by the clock on its wall."""
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return _lower(series, dtype)
    index, series = series.index, series.reset_index(drop=True)
    told = _tells_offset(series)
    # Offsets differ by daylight saving, and pandas reads several of them by way of UTC alone.
    zoned, above = _lower(pd.to_datetime(series[told], format="ISO8601", utc=True), dtype)
    naive, naive_above = _lower(dtypes.localise(_read_times(series[~told]), dtype.tz), dtype)
    both = np.zeros(len(series), dtype=bool)
    both[told], both[~told] = above, naive_above
    return pd.concat([naive, zoned]).sort_index().set_axis(index), both


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


def _read_periods(series: pd.Series, dtype: pd.PeriodDtype) -> tuple[pd.Series, np.ndarray]:
    """Return periods; a time, or a shorter period, is one of them if it is where one begins."""
    own = series.astype(dtype)
    # Text as the column writes it; pandas would guess another frequency by it.
    other = ((own.astype(str) != series.astype(str)) & series.notna() & own.notna()).to_numpy(dtype=bool)
    above = np.zeros(len(series), dtype=bool)
    above[other] = [not _begins(*pair) for pair in zip(own[other], series[other])]
    return own, above


def _begins(own: pd.Period, value: Any) -> bool:
    if isinstance(value, str):
        try:
            value = pd.Period(value)
        except ValueError:  # in a form that only the column's own frequency can read
            return True
    if isinstance(value, (datetime.date, np.datetime64)):
        value = pd.Period(pd.Timestamp(value).tz_localize(None), freq="us")
    return not isinstance(value, pd.Period) or own.asfreq(value.freq, how="start") == value


def _read_arrow_times(series: pd.Series, dtype: Any) -> tuple[pd.Series, np.ndarray]:
    import pyarrow.types as pat

    arrow_type = dtype.pyarrow_dtype
    if pat.is_date(arrow_type):
        exact = _read_times(series)
        own = exact.dt.floor("D")
        return own.astype(dtype), (exact.notna() & (own != exact)).to_numpy(dtype=bool)
    if pat.is_time(arrow_type):
        return _read_arrow_clock(series, dtype)
    zone = getattr(arrow_type, "tz", None)
    plain: Any = pd.DatetimeTZDtype(arrow_type.unit, zone) if zone else np.dtype(dtype.numpy_dtype)
    own, above = read_as(series, plain)
    return own.astype(dtype), above


def _read_arrow_clock(series: pd.Series, dtype: Any) -> tuple[pd.Series, np.ndarray]:
    """Return times of day; Arrow would cut what is finer than their unit."""
    import pyarrow as pa

    finest = pd.ArrowDtype(pa.time64("ns"))
    counts, missing = dtypes.to_numbers(series.astype(finest))
    per_unit = 10 ** (9 - 3 * ("s", "ms", "us", "ns").index(dtype.pyarrow_dtype.unit))
    own = dtypes.restore_numbers(counts // per_unit, missing, dtype)
    return own.set_axis(series.index), ~missing & (counts % per_unit > 0)


def _read_decimals(series: pd.Series, dtype: Any) -> tuple[pd.Series, np.ndarray]:
    """Return Arrow decimals; floats are read by the decimals that they print with."""
    scale = dtype.pyarrow_dtype.scale
    values = list(series)
    if pd.api.types.is_float_dtype(series.dtype) and series.dtype.itemsize < 8:
        # pandas hands them out as doubles, which print with digits that these do not have.
        values = [value if pd.isna(value) else np.float32(value) for value in series]
    cells, above = [], np.zeros(len(series), dtype=bool)
    with decimal.localcontext(decimal.Context(prec=80)):
        for i, value in enumerate(values):
            units = _units(value, scale)
            lower = None if units is None else units.to_integral_value(decimal.ROUND_FLOOR)
            cells.append(None if lower is None else lower.scaleb(-scale))
            above[i] = units != lower
    return pd.Series(cells, index=series.index, dtype=dtype), above


def _units(value: Any, scale: int) -> decimal.Decimal | None:
    """Return a number in units of the last of ``scale`` decimals, None for no number."""
    if pd.isna(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        raise ValueError("it is not a number")
    if isinstance(value, numbers.Integral):
        value = int(value)
    in_floats = isinstance(value, numbers.Real) and not isinstance(value, int)
    try:
        units = decimal.Decimal(str(value) if in_floats else value).scaleb(scale)
    except (decimal.InvalidOperation, decimal.Overflow):
        raise ValueError("it is not a number") from None
    if units.is_nan():
        return None
    if not units.is_finite():
        raise ValueError("it is not finite")
    near = units.to_integral_value()
    return near if in_floats and abs(units - near) < NEAR else units


def _floats(series: pd.Series) -> pd.Series:
    return series.where(series.notna(), np.nan).astype(np.float64)


def _whole_or_float(series: pd.Series) -> pd.Series:
    """Return whole numbers with all their digits, which floats do not keep beyond 2**53."""
    try:
        return series.where(series.notna(), pd.NA).astype("Int64")
    except (TypeError, ValueError):
        return _floats(series)
