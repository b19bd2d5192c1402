"""``macode sample --given``: categories of dates, durations and decimals as a CSV file writes them."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from command_line import error, ok

from macode_plugin import files

KINDS = {
    "day": pd.to_datetime(["2024-02-01", "2024-03-01"]),
    "moment": pd.to_datetime(["2024-02-01 00:00:00", "2024-03-01 10:00:00"]),
    "wait": pd.to_timedelta(["1 days", "2 days"]),
    "date": pd.array(
        [datetime.date(2024, 2, 1), datetime.date(2024, 3, 1)], dtype=pd.ArrowDtype(pa.date32())
    ),
    "price": pd.array(
        [decimal.Decimal("0.20"), decimal.Decimal("1.00")], dtype=pd.ArrowDtype(pa.decimal128(8, 2))
    ),
}
"""Two categories of each column, the one that is given first."""


@pytest.fixture(scope="module")
def dates(tmp_path_factory):
    """A folder with a model of two categories a column, and its sample as CSV. Do not change it."""
    folder = tmp_path_factory.mktemp("dates")
    table = pd.DataFrame({"x": np.arange(60.0), **{k: v[np.arange(60) % 2] for k, v in KINDS.items()}})
    files.write_table(table, folder / "data.parquet")
    named = [word for name in KINDS for word in ("--categorical", name)]
    args = ("--epochs", 1, "--device", "cpu", "--quiet")
    ok("fit", folder / "data.parquet", "-o", folder / "m.macode", *named, *args)
    ok("sample", folder / "m.macode", "-n", 30, "--seed", 0, "-o", folder / "sample.csv")
    return folder


@pytest.mark.parametrize(
    "given",
    [
        "day=2024-02-01",
        "day=2024-02-01 00:00:00",
        "moment=2024-02-01",
        "wait=1 days",
        "date=2024-02-01",
        "price=0.20",
        "price=0.2",
    ],
)
def test_a_category_is_given_as_a_file_may_have_it(given, dates, tmp_path):
    path = tmp_path / "s.parquet"
    ok("sample", dates / "m.macode", "-n", 3, "--given", given, "-o", path)
    name = given.split("=")[0]
    assert files.read_table(path)[name].tolist() == [KINDS[name][0]] * 3


def test_a_sample_can_be_given_back(dates, tmp_path):
    path = tmp_path / "s.csv"
    pd.read_csv(dates / "sample.csv", dtype=str)[list(KINDS)].to_csv(tmp_path / "known.csv", index=False)
    ok("sample", dates / "m.macode", "--given-file", tmp_path / "known.csv", "-o", path)
    sample, given = (pd.read_csv(file, dtype=str)[list(KINDS)] for file in (path, dates / "sample.csv"))
    pd.testing.assert_frame_equal(sample, given)


def test_a_parquet_file_may_have_dates_of_another_type(dates, tmp_path):
    known = tmp_path / "known.parquet"
    pd.DataFrame({"day": [datetime.date(2024, 2, 1), None], "price": [0.2, 1.0]}).to_parquet(known)
    ok("sample", dates / "m.macode", "--given-file", known, "-o", tmp_path / "s.parquet")
    rows = files.read_table(tmp_path / "s.parquet")
    assert rows["day"][0] == pd.Timestamp("2024-02-01")
    assert rows["price"].tolist() == [decimal.Decimal("0.20"), decimal.Decimal("1.00")]


@pytest.mark.parametrize("given", ["day=2024-02-02", "day=1", "wait=1", "price=0.201", "price=nan"])
def test_other_values_are_no_categories(given, dates, tmp_path):
    line = error("sample", dates / "m.macode", "-n", 3, "--given", given, "-o", tmp_path / "s.csv")
    assert "has no category" in line
    assert f"{given.split('=')[1]!r}" in line
