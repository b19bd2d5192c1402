"""Parquet files come back as they were written, by pandas or by other programs."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macode_plugin.files import read_table, write_table

ARROW = {
    "whole": pa.array([2**60 + 1, None, -5]),
    "narrow": pa.array([1, None, 3], pa.int32()),
    "unsigned": pa.array([1, None, 3], pa.uint16()),
    "full": pa.array([1, 2, 3], pa.int16()),
    "day": pa.array([datetime.date(2024, 2, 1), None, datetime.date(2024, 2, 29)]),
    "price": pa.array([decimal.Decimal("0.20"), None, decimal.Decimal("3.10")], pa.decimal128(8, 2)),
    "coarse": pa.array([datetime.time(10), None, datetime.time(11, 30)], pa.time32("ms")),
    "fine": pa.array([datetime.time(10), None, datetime.time(11, 30)], pa.time64("us")),
    "part": pa.array([1.5, None, 2.5]),
    "single": pa.array([1.5, None, 2.5], pa.float32()),
    "flag": pa.array([True, None, False]),
    "wait": pa.array([1, None, 5], pa.duration("us")),
    "moment": pa.array([1, None, 5], pa.timestamp("us", "Europe/Berlin")),
}
"""Columns as DuckDB, Spark and Arrow write them, without a word to pandas."""


@pytest.mark.parametrize("name", ARROW)
def test_what_arrow_wrote_is_written_back(name, tmp_path):
    written = pa.table({name: ARROW[name]})
    pq.write_table(written, tmp_path / "t.parquet")
    write_table(read_table(tmp_path / "t.parquet"), tmp_path / "back.parquet")
    back = pq.read_table(tmp_path / "back.parquet")
    assert back.schema.equals(written.schema)
    assert back.to_pylist() == written.to_pylist()


PANDAS = pd.DataFrame(
    {
        "whole": pd.array([1, None, 3], dtype="Int64"),
        "complete": pd.array([1, 2, 3], dtype="Int32"),
        "plain": [1, 2, 3],
        "part": [1.0, None, 3.0],
        "masked": pd.array([1.5, None, 3.0], dtype="Float64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "word": pd.array(["a", None, "c"], dtype="string"),
        "kind": pd.Categorical(["a", None, "c"], categories=["c", "b", "a"], ordered=True),
        "moment": pd.to_datetime(["2024-02-01", None, "2024-03-01"]).tz_localize("Europe/Berlin"),
        "month": pd.PeriodIndex(["2024-02", None, "2024-03"], freq="M"),
        "arrow": pd.array([1, None, 3], dtype="int64[pyarrow]"),
    }
)


def test_what_pandas_wrote_keeps_its_dtypes(tmp_path):
    PANDAS.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), PANDAS)


def test_numbers_may_be_labels(tmp_path):
    frame = pd.DataFrame({2020: pd.array([1, None], dtype="Int64"), 2021: [1.5, 2.5]})
    frame.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), frame)


def test_a_named_index_becomes_columns_again(tmp_path):
    frame = pd.DataFrame({"id": [2**60 + 1, 5, 9], "day": ["a", "b", "a"], "x": [1.5, 2.5, 3.5]})
    for names in ("id", ["day", "id"]):
        frame.set_index(names).to_parquet(tmp_path / "t.parquet")
        read = read_table(tmp_path / "t.parquet")
        assert list(read)[: len(read.columns) - 1] == list(frame.set_index(names).reset_index())[:-1]
        pd.testing.assert_frame_equal(read[list(frame)], frame)


def test_a_range_with_a_name_and_an_index_of_dates_are_columns_too(tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=pd.RangeIndex(2, name="row"))
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet")["row"].tolist() == [0, 1]
    days = [datetime.date(2024, 2, 1), datetime.date(2024, 2, 2)]
    frame.set_axis(pd.Index(days, name="day", dtype=object)).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet")["day"].dtype == pd.ArrowDtype(pa.date32())


@pytest.mark.parametrize("index", [None, [5, 7, 9], pd.Index([4, 5, 6], name="x")])
def test_other_indices_are_no_columns(index, tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "k": list("aba")}, index=index)
    frame.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), frame.reset_index(drop=True))


def test_whole_numbers_as_text_have_no_point(tmp_path):
    pq.write_table(pa.table({"code": [1, None, np.int64(2**60 + 1)]}), tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet", text=["code"])
    assert read["code"].dropna().tolist() == ["1", str(2**60 + 1)]
