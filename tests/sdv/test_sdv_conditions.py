"""Known values: they come back exactly, in their order, whatever they are and however many."""

import time
from datetime import date

import numpy as np
import pandas as pd
import pytest
from both_lines import (
    COLUMNS,
    TINY,
    describe,
    fit,
    from_conditions,
    guests,
    make,
    remaining,
    sample,
    written_to,
)
from sdv.sampling import Condition, DataFrameCondition

from macode_plugin import MaCoDESynthesizer
from macode_plugin.sdv_types import Dates

KNOWN = ["size", "count", "kind", "grade", "truth", "day", "written", "label", "email"]


@pytest.fixture(autouse=True)
def _reset(fitted):
    fitted.reset_sampling()


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_column_of_every_sdtype_comes_back(fitted, table, name):
    known = table[[name]].sample(40, random_state=1)
    drawn = remaining(fitted, known)
    pd.testing.assert_frame_equal(drawn[[name]], known)
    assert list(drawn.columns) == list(table.columns)
    assert drawn["key"].is_unique


def test_all_columns_known_at_once(fitted, table):
    drawn = remaining(fitted, table[KNOWN])
    pd.testing.assert_frame_equal(drawn[KNOWN], table[KNOWN])
    pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)


def test_order_and_index_are_kept(fitted, table):
    known = table[["size", "kind"]].sample(30, random_state=2).set_axis(list("zyxwvutsrq" * 3))
    known.index.name = "guest"
    for batch_size in (None, 7, 30, 100):
        drawn = remaining(fitted, known, batch_size=batch_size)
        pd.testing.assert_frame_equal(drawn[["size", "kind"]], known)


def test_the_conditions_are_not_modified(fitted, table):
    known = table[["size", "day"]].head(9)
    before = known.copy(deep=True)
    remaining(fitted, known)
    pd.testing.assert_frame_equal(known, before)


def test_conditions_come_in_the_order_asked(fitted):
    asked = [
        Condition({"kind": "b", "truth": True}, num_rows=3),
        DataFrameCondition(pd.DataFrame({"kind": ["c", "a"], "truth": [None, False]})),
        Condition({"kind": "a", "truth": False}, num_rows=2),
    ]
    drawn = from_conditions(fitted, asked, batch_size=2)
    assert drawn["kind"].tolist() == ["b", "b", "b", "c", "a", "a", "a"]
    assert drawn["truth"].iloc[:3].tolist() == [True] * 3
    assert pd.isna(drawn["truth"].iloc[3])
    assert drawn["truth"].iloc[4:].tolist() == [False] * 3


def test_conditions_on_different_columns(fitted):
    asked = [Condition({"size": -2.25}, num_rows=4), Condition({"kind": "c"}, num_rows=5)]
    drawn = from_conditions(fitted, asked)
    assert (drawn["size"].iloc[:4] == -2.25).all()
    assert (drawn["kind"].iloc[4:] == "c").all()


def test_numbers_between_those_of_the_data(fitted):
    known = pd.DataFrame({"size": [-1.23456, 0.5, 2.00001], "count": [3.5, 7.0, 11.0]})
    pd.testing.assert_frame_equal(remaining(fitted, known)[["size", "count"]], known)


def test_dates_given_otherwise_than_the_column_has_them(fitted):
    known = pd.DataFrame({"day": ["2021-03-04", "2022-05-06"]})
    assert remaining(fitted, known)["day"].tolist() == [
        pd.Timestamp("2021-03-04"),
        pd.Timestamp("2022-05-06"),
    ]
    known = pd.DataFrame({"written": pd.to_datetime(["2021-03-04", None])})
    written = remaining(fitted, known)["written"]
    assert written.iloc[0] == "04/03/2021"
    assert pd.isna(written.iloc[1])


THIRD_OF_APRIL = [pd.Timestamp("2020-04-03"), np.datetime64("2020-04-03"), date(2020, 4, 3)]


@pytest.mark.parametrize("proper", THIRD_OF_APRIL, ids=lambda value: type(value).__name__)
def test_dates_proper_among_written_ones_change_nothing_of_these(proper):
    written = Dates(pd.Series(["13/04/2020"]), "%d/%m/%Y")
    mixed = pd.Series([proper, "03/04/2020", None], dtype=object)
    assert written.given(mixed).tolist() == [pd.Timestamp("2020-04-03")] * 2 + [pd.NaT]


def test_known_values_decide_the_others():
    frame = guests(800)[["size", "kind", "count"]]
    columns = {name: COLUMNS[name] for name in frame.columns}
    synthesizer = fit(make(columns, epochs=40, width=32, lr=1e-2), frame)
    drawn = remaining(synthesizer, pd.DataFrame({"kind": ["a", "b"] * 400}))
    means = drawn.groupby("kind")["size"].mean()
    assert means.to_numpy() == pytest.approx([-3.0, 1.0], abs=0.5)
    drawn = remaining(synthesizer, pd.DataFrame({"count": [np.nan] * 300}))
    assert (drawn["kind"] == "a").mean() > 0.9


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("kind", "purple", "purple"),
        ("grade", 77, "77"),
        ("truth", "maybe", "maybe"),
        ("size", 1e6, "1000000"),
        ("day", pd.Timestamp("1950-01-01"), "1950"),
        ("written", "not a date", "not a date"),
        ("size", "big", "big"),
        ("size", None, "missing"),
    ],
)
def test_what_training_did_not_show_is_named(fitted, column, value, named):
    known = pd.DataFrame({column: [value]})
    for ask in (
        lambda: remaining(fitted, known),
        lambda: from_conditions(fitted, [Condition({column: value})]),
    ):
        with pytest.raises(ValueError, match=named) as caught:
            ask()
        assert repr(column) in str(caught.value)


def test_a_column_that_is_not_there_or_is_the_key_is_refused(fitted):
    for column in ("colour", "key"):
        with pytest.raises(ValueError, match=column):
            remaining(fitted, pd.DataFrame({column: [1]}))


def test_known_rows_may_be_none_at_all(fitted):
    assert len(remaining(fitted, pd.DataFrame({"kind": pd.Series(dtype=object)}))) == 0


def test_batches_are_drawn_one_by_one(fitted, monkeypatch):
    sizes = []
    draw = type(fitted)._sample
    monkeypatch.setattr(
        type(fitted), "_sample", lambda self, n, given=None: sizes.append(n) or draw(self, n, given)
    )
    remaining(fitted, pd.DataFrame({"size": np.linspace(-3, 2, 25)}), batch_size=10)
    assert sizes == [10, 10, 5]


def test_conditional_rows_are_written_to_a_file(fitted, tmp_path):
    where, file = written_to(tmp_path)
    known = pd.DataFrame({"kind": ["a", "c", "b"] * 4})
    drawn = remaining(fitted, known, batch_size=5, **where)
    written = pd.read_csv(file)
    assert written["kind"].tolist() == known["kind"].tolist()
    assert written["key"].tolist() == drawn["key"].tolist()


def test_conditions_of_several_kinds_are_written_to_one_file(fitted, tmp_path):
    where, file = written_to(tmp_path)
    asked = [Condition({"kind": "a"}, num_rows=7), Condition({"truth": True}, num_rows=3)]
    drawn = from_conditions(fitted, asked, **where)
    assert pd.read_csv(file)["key"].tolist() == drawn["key"].tolist()


def test_sampling_under_conditions_is_reset_as_well(fitted):
    known = pd.DataFrame({"kind": ["a", "b"] * 10})
    first, second = remaining(fitted, known), remaining(fitted, known)
    assert not first["size"].equals(second["size"])
    fitted.reset_sampling()
    pd.testing.assert_frame_equal(remaining(fitted, known), first)


def test_temperature_of_a_conditional_call():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": rng.choice(["u", "v"], 600), "rare": rng.choice([0, 1], 600, p=[0.95, 0.05])}
    )
    synthesizer = fit(make({"x": "categorical", "rare": "categorical"}), frame)
    known = pd.DataFrame({"x": ["u"] * 1000})
    flat = remaining(synthesizer, known, temperature=5.0)["rare"].mean()
    assert flat > 0.25 > remaining(synthesizer, known)["rare"].mean()
    asked = [Condition({"x": "u"}, num_rows=1000)]
    assert from_conditions(synthesizer, asked, temperature=5.0)["rare"].mean() > 0.25


@pytest.mark.slow
def test_ten_thousand_distinct_rows_cost_a_few_times_their_sampling():
    frame = guests(500)[["size", "count", "kind", "day"]]
    synthesizer = fit(make({name: COLUMNS[name] for name in frame.columns}), frame)
    known = pd.DataFrame({"size": np.linspace(-4, 2, 10_000)})
    start = time.perf_counter()
    sample(synthesizer, 10_000)
    free = time.perf_counter() - start
    start = time.perf_counter()
    drawn = remaining(synthesizer, known)
    assert time.perf_counter() - start < 4 * free
    pd.testing.assert_frame_equal(drawn[["size"]], known)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64"])
def test_numbers_given_as_text_are_numbers(dtype):
    frame = pd.DataFrame({"n": pd.Series(np.arange(90), dtype=dtype), "x": np.arange(90.0)})
    synthesizer = fit(make({"n": "numerical", "x": "numerical"}), frame)
    drawn = from_conditions(synthesizer, [Condition({"n": "40"}, num_rows=3)])
    assert drawn["n"].tolist() == [40] * 3
    assert drawn["n"].dtype == frame["n"].dtype


def test_times_without_an_offset_are_those_on_the_columns_own_wall():
    days = pd.date_range("2020-01-01", periods=90, freq="D")
    frame = pd.DataFrame({"time": days.tz_localize("Europe/Berlin"), "x": np.arange(90.0)})
    frame["written"] = [f"{day:%Y-%m-%d} 12:00:00+0200" for day in days]
    zoned = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %H:%M:%S%z"}
    synthesizer = fit(make({"time": "datetime", "x": "numerical", "written": zoned}), frame)
    for asked in (pd.Timestamp("2020-03-01"), "2020-03-01"):
        drawn = from_conditions(synthesizer, [Condition({"time": asked}, num_rows=2)])
        assert (drawn["time"] == pd.Timestamp("2020-03-01", tz="Europe/Berlin")).all()
        assert drawn["time"].dtype == frame["time"].dtype
    noon = Condition({"written": pd.Timestamp("2020-03-01 12:00")}, num_rows=2)
    assert from_conditions(synthesizer, [noon])["written"].tolist() == ["2020-03-01 12:00:00+0200"] * 2


def test_dates_may_be_given_in_iso_8601_whatever_format_was_detected(fitted):
    drawn = from_conditions(fitted, [Condition({"day": "2021-03-05T00:00:00"}, num_rows=2)])
    assert (drawn["day"] == pd.Timestamp("2021-03-05")).all()


def test_rows_cannot_share_an_alternate_key():
    frame = pd.DataFrame(
        {"key": range(60), "code": [f"u{i}" for i in range(60)], "kind": ["x", "y"] * 30}
    )
    columns = {"key": "id", "code": "id", "kind": "categorical"}
    synthesizer = MaCoDESynthesizer(
        describe(columns, primary_key="key", alternate_keys=["code"]), **TINY
    )
    fit(synthesizer, frame)
    drawn = remaining(synthesizer, frame[["code", "kind"]].head(9))
    assert drawn["code"].tolist() == frame["code"].head(9).tolist()
    with pytest.raises(ValueError, match=r"'code' is an alternate key.*'u1'"):
        from_conditions(synthesizer, [Condition({"code": "u1"}, num_rows=2)])


def test_no_tries_are_too_few(fitted):
    with pytest.raises(ValueError, match="Unable to sample any rows"):
        from_conditions(fitted, [Condition({"kind": "b"}, num_rows=2)], max_tries_per_batch=0)


@pytest.mark.parametrize("dtype", ["float32", "Float32"])
def test_single_precision_is_kept_beside_known_values(dtype):
    frame = pd.DataFrame({"size": np.arange(90) % 7 / 10, "kind": ["x", "y", "z"] * 30})
    frame = frame.astype({"size": dtype})
    synthesizer = fit(make({"size": "numerical", "kind": "categorical"}), frame)
    drawn = from_conditions(synthesizer, [Condition({"size": 0.3}, num_rows=4)])
    assert drawn["size"].dtype == dtype
    assert (drawn["size"] == np.float32(0.3)).all()
