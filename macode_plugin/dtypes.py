"""The pandas side of a column: its numbers, its dtype, and back again.

Everything the rest of the package needs to know about pandas dtypes is here: is a column
numeric, which numbers does it hold, and how does an array of numbers become a column of that
dtype again. Integers, dates, times, durations and periods are handled as exact ``int64`` counts
of their own unit; everything else numeric is ``float64``.
"""

from __future__ import annotations

import base64
import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin.grid import Grid

__all__ = [
    "best_by_the_wall",
    "dtype_from_json",
    "dtype_to_json",
    "is_arrow_decimal",
    "is_arrow_temporal",
    "is_numeric",
    "localise",
    "mark_missing",
    "plain",
    "reason",
    "restore_numbers",
    "scalar_from_json",
    "scalar_to_json",
    "to_numbers",
]


def _arrow_type(dtype: Any) -> Any:
    """Return the Arrow type behind ``dtype``, or None for a dtype that is not Arrow's."""
    return dtype.pyarrow_dtype if isinstance(dtype, pd.ArrowDtype) else None


def is_arrow_temporal(dtype: Any) -> bool:
    """Tell whether a dtype is Arrow's for times, dates or durations."""
    arrow_type = _arrow_type(dtype)
    if arrow_type is None:
        return False
    import pyarrow.types as pat

    return bool(pat.is_temporal(arrow_type) and not pat.is_interval(arrow_type))


def is_arrow_decimal(dtype: Any) -> bool:
    """Tell whether a dtype is Arrow's for decimals."""
    arrow_type = _arrow_type(dtype)
    if arrow_type is None:
        return False
    import pyarrow.types as pat

    return bool(pat.is_decimal(arrow_type))


def is_numeric(dtype: Any) -> bool:
    """Tell whether columns of ``dtype`` are continuous (numbers, dates, durations) by default."""
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return False
    if isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)):
        return True
    if is_arrow_temporal(dtype) or is_arrow_decimal(dtype):
        return True
    if pd.api.types.is_complex_dtype(dtype):
        raise TypeError("complex numbers are not supported; split them into two real columns")
    return bool(pd.api.types.is_numeric_dtype(dtype) or getattr(dtype, "kind", "O") in "mM")


def on_the_wall(series: pd.Series) -> bool:
    """Tell whether a column of zoned times can be counted by the clock on the wall.

    By that clock midnights stay on a grid of days when daylight saving begins; a column that uses
    an hour which the clock passes twice needs UTC.
    """
    if not isinstance(series.dtype, pd.DatetimeTZDtype):
        return False
    wall = localise(series.dt.tz_localize(None), series.dtype.tz)
    return bool((wall.isna() | (wall == series)).all())


def best_by_the_wall(series: pd.Series) -> bool:
    """Tell whether zoned times are counted by the clock on the wall, if they can be, or in UTC.

    By the one on whose grid fewer values are possible: midnights of UTC are days apart there, and
    hours on walls elsewhere.
    """
    known = series.dropna()
    if len(known) == 0 or not on_the_wall(known):
        return False
    by_wall, by_utc = (Grid.fit(to_numbers(known, wall=wall)[0]) for wall in (True, False))
    return by_wall.step >= by_utc.step


def localise(naive: pd.Series, zone: Any) -> pd.Series:
    """Read wall-clock times in a zone; an hour that occurs twice is taken as the second."""
    twice = np.zeros(len(naive), dtype=bool)
    return naive.dt.tz_localize(zone, ambiguous=twice, nonexistent="shift_forward")


def mark_missing(series: pd.Series) -> pd.Series:
    """Return a column whose cells without a number are missing to pandas.

    Masked and Arrow columns can hold NaN (such as 0 / 0) beside missing cells, and pandas does not
    count it as one.
    """
    if not isinstance(series.dtype, pd.api.extensions.ExtensionDtype):
        return series
    if not pd.api.types.is_float_dtype(series.dtype) or isinstance(series.dtype, pd.SparseDtype):
        return series
    nan = np.isnan(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return series.mask(nan) if (nan & series.notna().to_numpy(dtype=bool)).any() else series


def to_numbers(series: pd.Series, *, wall: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return a numeric column as numbers.

    Arguments
    ---------
    series : Series, shape (n,)
    wall : bool
        Count zoned times by the clock on the wall (:func:`on_the_wall`), not in UTC.

    Returns
    -------
    values : ndarray of int64 or float64, shape (n,)
        The numbers; what stands at missing places has no meaning.
    missing : ndarray of bool, shape (n,)
        True where the column has no value (None, NaN, NaT, NA).
    """
    dtype = series.dtype
    missing = series.isna().to_numpy(dtype=bool)
    if isinstance(dtype, pd.SparseDtype):
        return to_numbers(series.sparse.to_dense())
    if is_arrow_decimal(dtype):
        return _decimal_units(series), missing
    if is_arrow_temporal(dtype):
        return _arrow_counts(series), missing
    if isinstance(dtype, pd.PeriodDtype):
        return np.asarray(pd.PeriodIndex(series).asi8, dtype=np.int64), missing
    if isinstance(dtype, pd.DatetimeTZDtype):
        series = (series if wall else series.dt.tz_convert("UTC")).dt.tz_localize(None)
    if getattr(series.dtype, "kind", "O") in "mM":
        return series.to_numpy().view(np.int64).copy(), missing
    if pd.api.types.is_integer_dtype(dtype):
        return _integers(series), missing
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return values, missing | np.isnan(values)


def _integers(series: pd.Series) -> np.ndarray:
    largest = series.max(skipna=True)
    if largest is not pd.NA and largest > np.iinfo(np.int64).max:
        raise ValueError(
            f"column {series.name!r} holds {largest}, which is larger than a 64-bit signed "
            "integer; convert the column to float or to str"
        )
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy(dtype=np.int64)
    return series.to_numpy(dtype=np.int64, na_value=0)


def _arrow_counts(series: pd.Series) -> np.ndarray:
    import pyarrow as pa

    array = pa.chunked_array([pa.array(series.array)]) if len(series) == 0 else pa.array(series.array)
    storage = pa.int32() if array.type.bit_width == 32 else pa.int64()
    return array.cast(storage).cast(pa.int64()).fill_null(0).to_numpy()


def _decimal_units(series: pd.Series) -> np.ndarray:
    """Return Arrow decimals as counts of their last digit."""
    scale = series.dtype.pyarrow_dtype.scale
    units = [0 if cell is pd.NA or cell is None else int(cell.scaleb(scale)) for cell in series]
    if max(map(abs, units), default=0) > np.iinfo(np.int64).max:
        raise ValueError(
            f"column {series.name!r} holds decimals of more than 18 digits; convert it to float"
        )
    return np.array(units, dtype=np.int64)


def restore_numbers(
    values: np.ndarray, missing: np.ndarray, dtype: Any, *, wall: bool = False
) -> pd.Series:
    """Return numbers as a column of ``dtype``; the inverse of :func:`to_numbers`."""
    if is_arrow_temporal(dtype):
        return _restore_arrow_temporal(values, missing, dtype)
    if is_arrow_decimal(dtype):
        return _restore_arrow_decimal(values, missing, dtype)
    if isinstance(dtype, pd.PeriodDtype):
        series = pd.Series(pd.arrays.PeriodArray(values.astype(np.int64), dtype=dtype))
    elif isinstance(dtype, pd.DatetimeTZDtype):
        naive = pd.Series(values.astype(np.int64).view(f"datetime64[{dtype.unit}]"))
        if wall:
            series = localise(naive, dtype.tz)
        else:
            series = naive.dt.tz_localize("UTC").dt.tz_convert(dtype.tz)
    elif getattr(dtype, "kind", "O") in "mM":
        series = pd.Series(values.astype(np.int64).view(dtype))
    elif isinstance(dtype, pd.SparseDtype):
        series = pd.Series(np.where(missing, np.nan, values) if missing.any() else values)
        return series.astype(dtype)
    else:
        series = pd.Series(values).astype(dtype)
    return series.mask(missing) if missing.any() else series


def _restore_arrow_temporal(values: np.ndarray, missing: np.ndarray, dtype: Any) -> pd.Series:
    import pyarrow as pa

    arrow_type = dtype.pyarrow_dtype
    counts = pa.array(values.astype(np.int64), mask=missing)
    if arrow_type.bit_width == 32:
        counts = counts.cast(pa.int32())
    return pd.Series(pd.arrays.ArrowExtensionArray(counts.cast(arrow_type)))


def _restore_arrow_decimal(values: np.ndarray, missing: np.ndarray, dtype: Any) -> pd.Series:
    scale = dtype.pyarrow_dtype.scale
    cells = [
        None if gone else decimal.Decimal(int(value)).scaleb(-scale)
        for value, gone in zip(values, missing)
    ]
    return pd.Series(cells, dtype=dtype)


def dtype_to_json(dtype: Any) -> dict[str, Any]:
    """Describe a dtype with JSON's own types, so that a saved model can give it back."""
    if isinstance(dtype, pd.CategoricalDtype):
        raise TypeError("a categorical dtype is described by its column, which knows the categories")
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        schema = pa.schema([("column", dtype.pyarrow_dtype)]).serialize().to_pybytes()
        return {"kind": "arrow", "schema": base64.b64encode(schema).decode("ascii")}
    if isinstance(dtype, pd.SparseDtype):
        return {"kind": "sparse", "subtype": str(dtype.subtype), "fill": plain(dtype.fill_value)}
    if isinstance(dtype, pd.StringDtype):
        na_is_nan = getattr(dtype, "na_value", pd.NA) is not pd.NA
        return {"kind": "string", "storage": dtype.storage, "na_is_nan": na_is_nan}
    return {"kind": "name", "name": str(dtype)}


def dtype_from_json(spec: dict[str, Any]) -> Any:
    """Return the dtype that :func:`dtype_to_json` described."""
    if spec["kind"] == "arrow":
        import pyarrow as pa

        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(spec["schema"])))
        return pd.ArrowDtype(schema.field("column").type)
    if spec["kind"] == "sparse":
        return pd.SparseDtype(spec["subtype"], spec["fill"])
    if spec["kind"] == "string":
        if spec["na_is_nan"]:
            return pd.StringDtype(spec["storage"], na_value=np.nan)
        return pd.StringDtype(spec["storage"])
    return pd.api.types.pandas_dtype(spec["name"])


def plain(value: Any) -> Any:
    """Return numpy's scalars as Python's, its times as pandas's: they print without their type."""
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)  # numpy itself makes a bare number of nanoseconds
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)
    return value.item() if isinstance(value, np.generic) else value


def reason(error: Exception) -> str:
    """Return what an error says in its first line, without the advice that pandas begins there."""
    return str(error).splitlines()[0].removesuffix("You might want to try:").rstrip()


def scalar_to_json(value: Any) -> Any:
    """Describe one category value with JSON's own types.

    Raises
    ------
    TypeError
        For a type of value that no saved model can hold; the message names it.
    """
    value = plain(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    for kind, describe in _DESCRIBE.items():
        if isinstance(value, kind):
            return describe(value)
    raise TypeError(
        f"a value of type {type(value).__name__} ({value!r}) cannot be stored in a model file; "
        "convert the column to str before fit"
    )


def _describe_timestamp(value: pd.Timestamp) -> dict[str, Any]:
    stamp = value.tz_convert("UTC") if value.tz is not None else value
    zone = None if value.tz is None else str(value.tz)
    return {"timestamp": int(stamp.asm8.view("int64")), "unit": value.unit, "zone": zone}


def _describe_interval(value: pd.Interval) -> dict[str, Any]:
    ends = [scalar_to_json(value.left), scalar_to_json(value.right)]
    return {"interval": ends, "closed": value.closed}


# Subclasses stand before their bases: a Timestamp is a datetime, which is a date.
_DESCRIBE: dict[type, Callable[[Any], dict[str, Any]]] = {
    pd.Timestamp: _describe_timestamp,
    pd.Timedelta: lambda value: {"timedelta": int(value.asm8.view("int64")), "unit": value.unit},
    pd.Period: lambda value: {"period": value.ordinal, "freq": value.freqstr},
    pd.Interval: _describe_interval,
    datetime.datetime: lambda value: {"datetime": value.isoformat()},
    datetime.date: lambda value: {"date": value.isoformat()},
    datetime.time: lambda value: {"time": value.isoformat()},
    decimal.Decimal: lambda value: {"decimal": str(value)},
    tuple: lambda value: {"tuple": [scalar_to_json(item) for item in value]},
}


_SCALARS = {
    "timestamp": lambda spec: _timestamp(spec),
    "timedelta": lambda spec: pd.Timedelta(np.timedelta64(spec["timedelta"], spec["unit"])),
    "period": lambda spec: pd.Period(ordinal=spec["period"], freq=spec["freq"]),
    "interval": lambda spec: pd.Interval(
        *(scalar_from_json(end) for end in spec["interval"]), closed=spec["closed"]
    ),
    "datetime": lambda spec: datetime.datetime.fromisoformat(spec["datetime"]),
    "date": lambda spec: datetime.date.fromisoformat(spec["date"]),
    "time": lambda spec: datetime.time.fromisoformat(spec["time"]),
    "decimal": lambda spec: decimal.Decimal(spec["decimal"]),
    "tuple": lambda spec: tuple(scalar_from_json(item) for item in spec["tuple"]),
}


def _timestamp(spec: dict[str, Any]) -> pd.Timestamp:
    stamp = pd.Timestamp(np.datetime64(spec["timestamp"], spec["unit"]))
    return stamp if spec["zone"] is None else stamp.tz_localize("UTC").tz_convert(spec["zone"])


def scalar_from_json(spec: Any) -> Any:
    """Return the value that :func:`scalar_to_json` described."""
    return _SCALARS[next(iter(spec))](spec) if isinstance(spec, dict) else spec
