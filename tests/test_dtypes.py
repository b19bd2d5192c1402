"""Columns as numbers and back, and dtypes and values as JSON and back."""

from __future__ import annotations

import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import CATEGORICAL, KINDS, NUMERIC, column_of, equals

from macode_plugin import dtypes

COUNTS = [-(2**30), -1, 0, 3, 1_600_000_000]
SMALL = [0, 1, 2, 100, 127]


def counts_of(dtype, values=COUNTS):
    return pd.Series(np.array(values, dtype=np.int64)).astype(dtype)


def arrow(values, arrow_type):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, type=arrow_type)))


INTEGERS = [f"{kind}{bits}" for kind in ("int", "uint", "Int", "UInt") for bits in (8, 16, 32, 64)]
UNITS = ("s", "ms", "us", "ns")
DAY = 86_400_000
EVERY_DTYPE = {
    **{kind: column_of(kind, 60) for kind in NUMERIC},
    **{name: counts_of(name, SMALL) for name in INTEGERS},
    **{
        f"{name} beyond floats": pd.Series([0, None, 2**60 + 1], dtype=name)
        for name in ("Int64", "UInt64")
    },
    **{name: pd.Series([0.5, -1.25, 100.0], dtype=name) for name in ("float16", "float32", "Float32")},
    **{f"datetime64[{unit}]": counts_of(f"datetime64[{unit}]") for unit in UNITS},
    **{f"timedelta64[{unit}]": counts_of(f"timedelta64[{unit}]") for unit in UNITS},
    "missing dates": pd.Series(pd.to_datetime(["2020-02-29", None, "1812-06-24"])),
    "clock goes back": pd.Series(
        pd.to_datetime(["2021-10-31 00:30", "2021-10-31 01:30"], utc=True).tz_convert("Europe/Berlin")
    ),
    "missing tz dates": pd.Series(pd.to_datetime(["2020-02-29", None], utc=True)),
    "missing timedelta": pd.Series(pd.to_timedelta(["1 days", None, "-3 hours"])),
    **{
        f"period[{freq}]": pd.Series(pd.period_range("2019-12-31", periods=5, freq=freq))
        for freq in ("D", "M", "Q", "Y", "h")
    },
    "missing period": pd.Series(pd.PeriodIndex(["2020-01", None], freq="M")),
    "arrow int32": arrow([1, None, -5], pa.int32()),
    "arrow uint8": arrow([1, None, 255], pa.uint8()),
    "arrow double": arrow([0.1, None, -3.5], pa.float64()),
    "arrow float": arrow([0.5, None, -3.5], pa.float32()),
    **{f"arrow timestamp {unit}": arrow(COUNTS, pa.timestamp(unit)) for unit in UNITS},
    "arrow timestamp tz": arrow([0, None, 1_600_000_000], pa.timestamp("s", tz="America/Lima")),
    **{f"arrow duration {unit}": arrow(COUNTS, pa.duration(unit)) for unit in UNITS},
    "arrow date32": arrow([datetime.date(1950, 1, 31), None], pa.date32()),
    "arrow date64": arrow([0, None, -7 * DAY], pa.date64()),
    "arrow time32": arrow([datetime.time(23, 59, 59), None], pa.time32("s")),
    "arrow time64": arrow([datetime.time(0, 0, 0, 7), None], pa.time64("us")),
    "arrow decimal": arrow([decimal.Decimal("-12.50"), None], pa.decimal128(8, 2)),
    "sparse": pd.Series(pd.arrays.SparseArray([0.0, 0.0, 1.5])),
    "sparse int": pd.Series(pd.arrays.SparseArray([0, 0, 7])),
}


@pytest.mark.parametrize("name", EVERY_DTYPE)
def test_numbers_and_back_is_the_column(name):
    series = EVERY_DTYPE[name]
    before = series.copy(deep=True)
    values, missing = dtypes.to_numbers(series)
    again = dtypes.restore_numbers(values, missing, series.dtype)
    assert values.dtype in (np.dtype("int64"), np.dtype("float64"))
    assert missing.tolist() == series.isna().tolist()
    assert again.dtype == series.dtype
    assert equals(again, series).all()
    pd.testing.assert_series_equal(series, before)


@pytest.mark.parametrize("name", EVERY_DTYPE)
def test_no_rows_keep_the_dtype(name):
    series = EVERY_DTYPE[name]
    values, missing = dtypes.to_numbers(series.iloc[:0])
    again = dtypes.restore_numbers(values, missing, series.dtype)
    assert len(again) == 0
    assert again.dtype == series.dtype


@pytest.mark.parametrize("name", EVERY_DTYPE)
def test_numbers_keep_the_order_of_values(name):
    series = EVERY_DTYPE[name].dropna()
    values, _ = dtypes.to_numbers(series)
    by_number = series.iloc[np.argsort(values, kind="stable")].tolist()
    assert by_number == sorted(series.tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_which_kinds_are_numeric(kind):
    assert dtypes.is_numeric(column_of(kind, 20).dtype) == (kind in NUMERIC)


def test_missing_in_a_float_is_nan_and_in_a_masked_float_is_either():
    assert dtypes.to_numbers(pd.Series([1.0, np.nan]))[1].tolist() == [False, True]
    assert dtypes.to_numbers(pd.Series([1.0, None], dtype="Float64"))[1].tolist() == [False, True]
    ratio = pd.Series([0.0, 1.0], dtype="Float64") / pd.Series([0.0, 1.0], dtype="Float64")
    assert dtypes.to_numbers(ratio)[1].tolist() == [True, False]


def test_integers_beyond_int64_are_refused_by_value():
    series = pd.Series([1, 2**64 - 1], dtype="uint64", name="serial")
    with pytest.raises(ValueError, match=r"'serial' holds 18446744073709551615"):
        dtypes.to_numbers(series)


def test_complex_numbers_are_refused():
    with pytest.raises(TypeError, match="complex"):
        dtypes.is_numeric(np.dtype("complex128"))


def listed_dtypes():
    series = {**EVERY_DTYPE, **{kind: column_of(kind, 20) for kind in CATEGORICAL}}
    return {k: v.dtype for k, v in series.items() if not isinstance(v.dtype, pd.CategoricalDtype)}


LISTED = {
    **listed_dtypes(),
    "string python": pd.StringDtype("python"),
    "string pyarrow": pd.StringDtype("pyarrow"),
    "arrow dictionary": pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string())),
    "interval": pd.IntervalDtype("float64", closed="left"),
}


@pytest.mark.parametrize("name", LISTED)
def test_a_dtype_survives_json(name):
    dtype = LISTED[name]
    again = dtypes.dtype_from_json(json.loads(json.dumps(dtypes.dtype_to_json(dtype))))
    assert again == dtype
    assert getattr(again, "na_value", None) is getattr(dtype, "na_value", None)


def through_json(value):
    return dtypes.scalar_from_json(json.loads(json.dumps(dtypes.scalar_to_json(value))))


moments = st.datetimes(min_value=datetime.datetime(1700, 1, 1), max_value=datetime.datetime(2200, 1, 1))
plain = st.one_of(
    st.text(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    moments,
    st.dates(),
    st.times(),
    moments.map(pd.Timestamp),
    moments.map(lambda moment: pd.Timestamp(moment, tz="Asia/Tokyo")),
    st.integers(-(2**62), 2**62).map(pd.Timedelta),
    st.integers(-900, 900).map(lambda month: pd.Period(ordinal=month, freq="M")),
    st.builds(pd.Interval, st.integers(-9, 9), st.integers(10, 99), st.just("left")),
)


@given(st.one_of(plain, st.tuples(plain, st.tuples(plain))))
def test_a_value_survives_json(value):
    again = through_json(value)
    assert type(again) is type(value)
    assert again == value


NUMPY_SCALARS = [
    (np.int8(3), 3),
    (np.float32(0.5), 0.5),
    (np.bool_(True), True),
    (np.str_("a"), "a"),
    (np.datetime64("2020-01-02", "ns"), pd.Timestamp("2020-01-02")),
    (np.timedelta64(3, "s"), pd.Timedelta(3, unit="s")),
]


def test_numpy_scalars_become_python_ones():
    for value, plain_value in NUMPY_SCALARS:
        assert through_json(value) == plain_value
        assert type(through_json(value)) is type(plain_value)


def test_a_value_that_no_file_can_hold_is_named():
    with pytest.raises(TypeError, match=r"bytes.*b'raw'"):
        dtypes.scalar_to_json(b"raw")
