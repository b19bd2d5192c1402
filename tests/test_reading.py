"""Values in another form than a column's own are read exactly, or refused by name."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macode_plugin.reading import UNREADABLE, first_unreadable, read_as

START = pd.Timestamp("2024-01-01")
COUNTS = np.arange(8).repeat(30)


def times(unit="s", start=START):
    return pd.Series(start + pd.to_timedelta(COUNTS, unit="s")).astype(f"datetime64[{unit}]")


def spans():
    return pd.Series(pd.to_timedelta(COUNTS - 4, unit="s")).astype("timedelta64[s]")


def periods(freq):
    return pd.Series(pd.period_range(START, periods=8, freq=freq)).repeat(30).reset_index(drop=True)


def decimals():
    cells = [decimal.Decimal(int(count)).scaleb(-2) for count in COUNTS]
    return pd.Series(cells, dtype=pd.ArrowDtype(pa.decimal128(10, 2)))


def arrow(series, arrow_type):
    return series.astype(pd.ArrowDtype(arrow_type))


def at(seconds, **options):
    return pd.Timestamp(START, **options) + pd.Timedelta(seconds=seconds)


# Values of a column, one between the third of them and the fourth, and other forms of the third.
FINER = {
    "times": (times(), at(2.5), [at(2), "2024-01-01 00:00:02", np.datetime64("2024-01-01T00:00:02")]),
    "times as text": (times(), "2024-01-01 00:00:02.5", []),
    "times as numpy's": (times(), np.datetime64("2024-01-01T00:00:02.500"), []),
    "times in microseconds": (times("us"), at(2) + pd.Timedelta(1, unit="ns"), [at(2)]),
    "times before 1970": (times(start=pd.Timestamp("1960-01-01")), "1960-01-01 00:00:02.5", []),
    "zoned times": (
        times().dt.tz_localize("Asia/Tokyo"),
        at(2.5, tz="Asia/Tokyo").tz_convert("UTC"),
        [at(2, tz="Asia/Tokyo"), "2024-01-01 00:00:02", "2024-01-01 00:00:02+09:00"],
    ),
    "zoned times without an offset": (times().dt.tz_localize("Asia/Tokyo"), "2024-01-01 00:00:02.5", []),
    "durations": (spans(), pd.Timedelta("-1.5s"), [pd.Timedelta("-2s"), datetime.timedelta(seconds=-2)]),
    "durations as text": (spans(), "-1.5s", ["-2s"]),
    "days": (
        periods("D"),
        pd.Timestamp("2024-01-03 12:00"),
        [START + pd.Timedelta(days=2), "2024-01-03"],
    ),
    "days as text": (periods("D"), "2024-01-03 12:00", []),
    "hours of days": (periods("D"), pd.Period("2024-01-03 12:00", freq="h"), []),
    "months": (periods("M"), datetime.date(2024, 3, 15), [datetime.date(2024, 3, 1), "2024-03"]),
    "Arrow's times": (arrow(times(), pa.timestamp("s")), at(2.5), [at(2), "2024-01-01 00:00:02"]),
    "Arrow's zoned times": (
        arrow(times().dt.tz_localize("UTC"), pa.timestamp("s", tz="UTC")),
        at(2.5, tz="UTC"),
        [at(2, tz="UTC")],
    ),
    "Arrow's durations": (arrow(spans(), pa.duration("s")), pd.Timedelta("-1.5s"), ["-2s"]),
    "Arrow's dates": (
        arrow(periods("D").dt.start_time, pa.date32()),
        pd.Timestamp("2024-01-03 12:00"),
        [datetime.date(2024, 1, 3), "2024-01-03"],
    ),
    "decimals": (decimals(), decimal.Decimal("0.025"), [decimal.Decimal("0.020"), 0.02, "0.02"]),
    "decimals as floats": (decimals(), 0.025, [np.float64(0.01) + 0.01]),
    "decimals as text": (decimals(), "0.025", []),
}


@pytest.fixture(params=FINER)
def finer(request, tiny):
    """A model of one column, its third value, one between it and the next, and its other forms."""
    column, between, same = FINER[request.param]
    return tiny(epochs=1).fit(pd.DataFrame({"x": column})), column.iloc[60], between, same


def test_rules_compare_values_finer_than_the_columns_unit(finer):
    model, value, between, _ = finer

    def drawn(operator):
        return model.sample(200, constraints=[("x", operator, between)], random_state=0)["x"]

    for operator in ("<", "<="):
        assert drawn(operator).max() == value
    for operator in (">", ">="):
        assert drawn(operator).min() > value
    with pytest.raises(ValueError, match="nothing in the training data satisfies x =="):
        drawn("==")


def test_a_finer_value_is_never_given_and_has_no_probability(finer):
    model, value, between, _ = finer
    with pytest.raises(ValueError, match=r"column 'x' holds .* values, and .* is finer than these"):
        model.sample(2, conditions={"x": between})
    with pytest.raises(ValueError, match="finer than these"):
        model.log_prob(pd.DataFrame({"x": [between]}))
    found = model.conditional("x")
    assert found.pdf(between) == 0
    assert found.cdf(between) == found.cdf(value)


def test_the_same_value_in_other_forms_is_that_value(finer):
    model, value, _, same = finer
    found = model.conditional("x")
    for form in [value, *same]:
        assert model.sample(2, conditions={"x": form})["x"].tolist() == [value] * 2
        assert model.sample(50, constraints=[("x", "<=", form)], random_state=0)["x"].max() == value
        assert found.pdf(form) == found.pdf(value) > 0


def test_a_value_just_beyond_the_range_is_outside_it(tiny):
    model = tiny(epochs=1).fit(pd.DataFrame({"x": times()}))
    with pytest.raises(
        ValueError, match=r"'x' the value 2024-01-01 00:00:07\.5.*, outside the training"
    ):
        model.sample(2, conditions={"x": at(7.5)})


def test_a_finer_value_stays_in_imputations_and_says_nothing(tiny):
    frame = pd.DataFrame({"x": times(), "y": COUNTS})
    rows = pd.DataFrame({"x": [at(2.5), at(2), None], "y": [np.nan] * 3})
    with pytest.warns(UserWarning, match=r"'x' holds values that training did not show, in 1 cell"):
        filled = tiny(epochs=1).fit(frame).impute(rows, random_state=0)
    assert filled["x"].iloc[:2].tolist() == [at(2.5), at(2)]
    assert filled.notna().all(axis=None)


MONEY = pd.ArrowDtype(pa.decimal128(10, 2))


@pytest.mark.parametrize("number", [99, np.int8(99), np.uint64(99), 99.0, "99", decimal.Decimal(99)])
def test_whole_numbers_are_decimals(number):
    for series in (pd.Series([number]), pd.Series([None, number], dtype=object)):
        own, above = read_as(series, MONEY)
        assert own.dtype == MONEY
        assert own.iloc[-1] == 99
        assert not above.any()


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=9))
def test_floats_are_decimals_by_what_they_print(cents):
    own, above = read_as(pd.Series(cents) / 100, MONEY)
    assert [cell.scaleb(2) for cell in own] == cents
    assert not above.any()


@pytest.mark.parametrize("dtype", ["datetime64[s]", "timedelta64[s]", "period[D]", MONEY])
def test_missing_values_stay_missing(dtype):
    own, above = read_as(pd.Series([None, np.nan], dtype=object), pd.Series(dtype=dtype).dtype)
    assert own.isna().all()
    assert not above.any()


@pytest.mark.parametrize(
    ("value", "words"),
    [("many", "'many' .* not a number"), (np.inf, "inf .* not finite"), (10**12, "1000000000000")],
)
def test_what_is_no_decimal_is_named(tiny, value, words):
    model = tiny(epochs=1).fit(pd.DataFrame({"x": decimals()}))
    with pytest.raises(ValueError, match=f"'x' holds decimal.*{words}"):
        model.sample(2, conditions={"x": value})


def test_times_without_zones_are_read_without_offsets(tiny):
    model = tiny(epochs=1).fit(pd.DataFrame({"x": times()}))
    for value in ("2024-01-01T00:00:02Z", "2024-01-01 00:00:02+02:00", at(2, tz="Asia/Tokyo")):
        with pytest.raises(ValueError, match=r"'x' holds .* tells an offset from UTC.*drop the offset"):
            model.sample(2, conditions={"x": value})


@pytest.mark.parametrize("zone", [None, "America/New_York"])
@pytest.mark.parametrize(
    "text", ["2024-01", "20240101", "2024-01-01T00", "2024-01-01 00:00", "2024-01-01T00:00:00.0"]
)
def test_dates_and_times_of_any_length_tell_no_offset(zone, text):
    dtype = times().dt.tz_localize(zone).dtype
    own, above = read_as(pd.Series([text]), dtype)
    assert own.tolist() == [pd.Timestamp(START, tz=zone)]
    assert not above.any()


@pytest.mark.parametrize("text", ["2024-01-01T05Z", "2024-01-01T00:00-05", "20240101T070000+0200"])
def test_offsets_of_any_length_are_told(text):
    dtype = times().dt.tz_localize("America/New_York").dtype
    assert read_as(pd.Series([text]), dtype)[0].tolist() == [pd.Timestamp(START, tz="America/New_York")]


DATE, PRICE = pd.ArrowDtype(pa.date32()), pd.ArrowDtype(pa.decimal128(8, 2))
FINE = decimal.Decimal("0.20")


def read_exactly(series, dtype):
    """Return values as a dtype's; what lies between two of these is refused."""
    own, above = read_as(series, dtype)
    if above.any():
        raise ValueError(f"finer than {dtype}")
    return own


@pytest.mark.parametrize(
    "cells",
    [
        np.array([0.2]),
        np.array([0.1 + 0.1 + 1e-16]),
        np.array([0.2], dtype=np.float32),
        pd.array([0.2], dtype="Float64"),
        pd.array(["0.2"], dtype="string"),
        np.array(["0.20"], dtype=object),
        np.array([decimal.Decimal("0.200")], dtype=object),
    ],
)
def test_decimals_are_read_to_the_digit(cells):
    read = read_exactly(pd.Series(cells, index=[7]), PRICE)
    assert read.dtype == PRICE
    assert read.to_dict() == {7: FINE}
    beside_a_gap = pd.Series(cells).reindex([0, 1])
    assert read_exactly(beside_a_gap, PRICE).isna().tolist() == [False, True]


@pytest.mark.parametrize("cell", [0.203, "0.203", "cheap", np.inf, 1e9, decimal.Decimal("1e-3"), True])
def test_what_a_decimal_column_cannot_hold_is_refused(cell):
    with pytest.raises(UNREADABLE):
        read_exactly(pd.Series([cell], dtype=object), PRICE)


@pytest.mark.parametrize(
    "days",
    [pd.to_datetime(["2024-02-01", None]), ["2024-02-01", None], [datetime.date(2024, 2, 1), None]],
)
def test_dates_are_read_from_times_and_text(days):
    read = read_exactly(pd.Series(days), DATE)
    assert read[0] == datetime.date(2024, 2, 1)
    assert read.isna()[1]


def test_a_time_is_no_date():
    with pytest.raises(ValueError, match="date32"):
        read_exactly(pd.Series(pd.to_datetime(["2024-02-01 10:00", None])), DATE)


def test_the_first_value_that_cannot_be_read_is_found():
    cells = pd.Series(["0.2", None, "1", "cheap", "dear"], dtype=object)
    assert first_unreadable(cells, lambda part: read_exactly(part, PRICE)) == "cheap"


@pytest.mark.parametrize("frequency", ["W", "W-WED", "2W", "Q-NOV", "Y-MAR", "D", "M"])
def test_periods_are_read_as_they_are_written(frequency):
    written = pd.Series(pd.period_range("2015-01-01", periods=40, freq=frequency))
    own, above = read_as(written.astype(str), written.dtype)
    pd.testing.assert_series_equal(own, written)
    assert not above.any()


@pytest.mark.parametrize(("unit", "finer"), [("s", "12:00:00.9"), ("ms", "12:00:00.0009")])
def test_times_of_day_are_not_cut(unit, finer):
    dtype = pd.ArrowDtype(pa.time32(unit))
    for values in (
        pd.Series(["12:00:00", finer, None]),
        pd.Series(["12:00:00", finer, None], dtype=object),
    ):
        own, above = read_as(values, dtype)
        assert own.dtype == dtype
        assert own[:2].tolist() == [datetime.time(12)] * 2
        assert above.tolist() == [False, True, False]


def test_numbers_of_single_precision_are_decimals_by_their_own_digits():
    values = pd.Series([1234.57, 48.98, np.nan], dtype="float32")
    own, above = read_as(values, pd.ArrowDtype(pa.decimal128(10, 2)))
    assert own[:2].tolist() == [decimal.Decimal("1234.57"), decimal.Decimal("48.98")]
    assert not above.any()


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "Int32"])
def test_gaps_among_objects_are_gaps_of_numbers(dtype, gap):
    own, _ = read_as(pd.Series([5, gap, "7"], dtype=object), pd.api.types.pandas_dtype(dtype))
    assert own.isna().tolist() == [False, True, False]
    assert own[[0, 2]].tolist() == [5, 7]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(5, pa.time32("s")), (pd.Timedelta(1, "s"), pa.time32("s")), ("1e999999", pa.decimal128(10, 2))],
    ids=str,
)
def test_what_cannot_be_read_is_told_in_one_way(value, dtype):
    with pytest.raises(UNREADABLE):
        read_exactly(pd.Series([value], dtype=object), pd.ArrowDtype(dtype))
