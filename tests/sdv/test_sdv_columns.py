"""Columns of every sdtype and dtype: what a sample of them holds."""

import numpy as np
import pandas as pd
import pytest
from both_lines import COLUMNS, TWO, fit, guests, make, remaining, sample, unpack

from macode_plugin.sdv_types import Dates


def draw_alone(column, values, n):
    """Return ``n`` cells drawn by a synthesizer of a table of one column."""
    return sample(fit(make({"x": column}), pd.DataFrame({"x": values})), n)["x"]


def test_gaps_keep_their_rates_and_what_they_depend_on():
    frame = guests(1500).drop(columns=["label", "email", "key"])
    columns = {name: COLUMNS[name] for name in frame.columns}
    drawn = sample(fit(make(columns, epochs=40, width=32, lr=1e-2), frame), 3000)
    rates = drawn.isna().mean()
    assert rates.to_numpy() == pytest.approx(frame.isna().mean().to_numpy(), abs=0.05)
    by_kind = drawn["count"].isna().groupby(drawn["kind"]).mean()
    assert by_kind["a"] > 0.45
    assert by_kind[["b", "c"]].max() < 0.1


def test_columns_without_any_value_and_with_one_value():
    frame = pd.DataFrame({"none": np.full(60, np.nan), "same": "x", "number": np.arange(60.0)})
    columns = {"none": "numerical", "same": "categorical", "number": "numerical"}
    drawn = sample(fit(make(columns), frame), 20)
    assert drawn["none"].isna().all()
    assert (drawn["same"] == "x").all()


NULLABLE = [
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float32",
    "Float64",
]


def test_nullable_numbers_keep_dtype_decimals_and_gaps():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(200) < 0.2, np.nan, rng.integers(0, 100, 200).astype(float))
    frame = pd.DataFrame({name: pd.array(values, dtype=name) for name in NULLABLE})
    frame["Float64"] = (frame["Float64"] / 8).round(1)
    drawn = sample(fit(make(dict.fromkeys(NULLABLE, "numerical")), frame), 300)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    assert drawn.isna().any().all()
    pd.testing.assert_series_equal(drawn["Float64"], drawn["Float64"].round(1))


def test_large_whole_numbers_are_exact():
    values = 2**62 + np.arange(100, dtype="int64")
    drawn = draw_alone("numerical", values, 50)
    assert drawn.dtype == "int64"
    assert drawn.between(values.min(), values.max()).all()


def test_negative_numbers():
    drawn = draw_alone("numerical", -np.arange(1.0, 101.0) / 4, 60)
    assert drawn.between(-25.0, -0.25).all()


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical(["lo", "hi", None, "mid"] * 30, ["lo", "mid", "hi", "never"], ordered=True),
        np.array([1, "one", True, None] * 30, dtype=object),
        np.array([1.5, 2.5, np.nan, 3.5] * 30),
        pd.array(["x", "y", None, "z"] * 30, dtype="string"),
        pd.array([1, 2, None, 3] * 30, dtype="Int64"),
    ],
    ids=["category", "mixed", "float", "string", "Int64"],
)
def test_categories_of_every_dtype(values):
    frame = pd.DataFrame({"c": values, "n": np.arange(120.0)})
    drawn = sample(fit(make({"c": "categorical", "n": "numerical"}), frame), 150)["c"]
    assert drawn.dtype == frame["c"].dtype
    assert drawn.isna().any()
    assert set(drawn.dropna()) <= set(frame["c"].dropna())


@pytest.mark.parametrize("dtype", [bool, object, "boolean", "category"])
def test_booleans_of_every_dtype(dtype):
    values = pd.Series([True, False, True] * 40).astype(dtype)
    drawn = draw_alone("boolean", values, 60)
    assert drawn.dtype == values.dtype
    assert set(drawn) == {True, False}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_counted_in_any_unit(unit):
    days = pd.Series(pd.date_range("2020-01-01", periods=90, freq="D")).astype(f"datetime64[{unit}]")
    drawn = draw_alone("datetime", days, 50)
    assert drawn.dtype == days.dtype
    assert drawn.isin(days).mean() > 0.9
    assert drawn.between(days.min(), days.max()).all()


ZONED = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %H:%M:%S%z"}


def test_dates_written_in_one_zone_keep_it():
    text = [f"2020-01-{day:02d} 12:00:00+0200" for day in range(1, 31)] * 3
    assert set(draw_alone(ZONED, text, 30)) <= set(text)


def test_dates_written_in_several_zones_become_utc():
    zones = ["+0000", "+0200", "-0500"]
    text = [f"2020-01-{day:02d} 12:00:00{zone}" for day in range(1, 31) for zone in zones]
    drawn = draw_alone(ZONED, text, 30)
    assert drawn.str.endswith("+0000").all()
    times = pd.to_datetime(pd.Series(text), utc=True)
    assert pd.to_datetime(drawn, utc=True).between(times.min(), times.max()).all()


NUMBERED = {"sdtype": "datetime", "datetime_format": "%Y%m%d"}


def test_dates_written_as_whole_numbers():
    days = pd.Series([20200101 + day for day in range(31)] * 3)
    drawn = draw_alone(NUMBERED, days, 40)
    assert drawn.dtype == days.dtype
    assert set(drawn) <= set(days)


@pytest.mark.parametrize("dtype", ["float64", "Float64", "Int64"])
def test_dates_written_as_whole_numbers_with_gaps(dtype):
    days = pd.Series([20200501.0 + day for day in range(31)] * 3 + [None] * 30, dtype=dtype)
    frame = pd.DataFrame({"x": days})
    synthesizer = fit(make({"x": NUMBERED}), frame)
    drawn = sample(synthesizer, 100)["x"]
    assert drawn.dtype == days.dtype
    assert drawn.isna().any()
    assert set(drawn.dropna()) <= set(days.dropna())
    known = frame.iloc[[3, -1, 30]]
    pd.testing.assert_frame_equal(remaining(synthesizer, known), known)


@pytest.mark.parametrize("dtype", ["float64", object])
def test_a_fraction_among_dates_written_as_whole_numbers_is_named(dtype):
    days = pd.Series([20200501.0, None, 20200502.5], name="day", dtype=dtype)
    dates = Dates(days, "%Y%m%d")
    for read in (dates.learn, dates.given):
        with pytest.raises(ValueError, match=r"'day'.*'%Y%m%d'.*20200502\.5"):
            read(days)


def test_column_labels_may_be_numbers():
    frame = pd.DataFrame({1: np.arange(60.0), 2: ["x", "y"] * 30})
    synthesizer = fit(make({"1": "numerical", "2": "categorical"}), frame)
    assert list(frame.columns) == [1, 2]
    assert list(sample(synthesizer, 10).columns) == [1, 2]


@pytest.mark.parametrize("columns", [{"k": "id"}, {"k": "id", "mail": {"sdtype": "email", "pii": True}}])
def test_a_table_of_generated_columns_alone(columns):
    frame = pd.DataFrame({"k": range(30), "mail": [f"real{i}@nowhere.invalid" for i in range(30)]})
    synthesizer = fit(make(columns, primary_key="k"), frame[list(columns)])
    drawn = sample(synthesizer, 25)
    assert len(drawn) == 25
    assert drawn["k"].is_unique
    assert synthesizer.get_loss_values().empty
    if "mail" in columns:
        known = pd.DataFrame({"mail": ["p@q.r", "s@t.u"]})
        got = unpack(synthesizer.sample_remaining_columns(known))
        assert got["mail"].tolist() == ["p@q.r", "s@t.u"]


@pytest.mark.skipif(not TWO, reason="SDV 1 has no ordinal columns")
def test_ordinal_numbers_have_their_own_order_and_words_that_of_the_metadata():
    frame = pd.DataFrame({"stars": [7, 2, 5, 1] * 10, "size": ["mid", "low", "high", "mid"] * 10})
    columns = {"stars": "ordinal", "size": "ordinal"}
    synthesizer = make(columns, epochs=1, width=16)
    described = synthesizer._data_processor.metadata.columns
    described["stars"]["range_values"] = [7, 2, 5, 1]
    described["size"]["range_values"] = ["low", "mid", "high"]
    table = fit(synthesizer, frame)._model.density.table_
    assert list(table["stars"].values) == [1, 2, 5, 7]
    assert list(table["size"].values) == ["low", "mid", "high"]


def test_two_values_of_many_digits_stay_these_two():
    values = [0.05068011873981862, -0.04464163650698914]
    column = {"sdtype": "numerical"} | ({"decimal_places": 15} if TWO else {})  # as SDV 2 detects them
    assert set(draw_alone(column, values * 60, 200)) == set(values)


def test_numbers_held_as_objects():
    drawn = draw_alone("numerical", pd.Series([1, 2, 3, None] * 40, dtype=object), 100)
    assert drawn.dtype == object
    assert set(drawn.dropna()) == {1, 2, 3}
    assert 0 < drawn.isna().sum() < 100


@pytest.mark.parametrize("written", ["%d/%m/%Y", None])
def test_dates_in_a_category_column_are_its_categories(written):
    dates = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(160) * 3 % 50, unit="D"))
    frame = dates if written is None else dates.dt.strftime(written)
    drawn = draw_alone(
        {"sdtype": "datetime", "datetime_format": written} if written else "datetime",
        frame.astype("category"),
        200,
    )
    assert drawn.notna().all()
    assert drawn.dtype == frame.astype("category").dtype


@pytest.mark.parametrize("kind", ["timestamp[us, tz=Europe/Berlin]", "date32[day]"])
def test_dates_of_arrow(kind):
    days = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(300), unit="D"))
    days = days.dt.tz_localize("Europe/Berlin") if "tz" in kind else days
    values = days.astype(f"{kind}[pyarrow]")
    drawn = draw_alone("datetime", values, 100)
    assert drawn.dtype == values.dtype
    assert drawn.isin(values).all()
