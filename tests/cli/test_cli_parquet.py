"""``macode sample`` of a model of a parquet file: its types come back, and are given as they print."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import error, ok

BIG = 2**60


def arrow_table(n=80):
    """Return a table as other programs than pandas write it, with gaps."""
    rng = np.random.default_rng(0)
    gap = rng.random(n) < 0.2
    days = [datetime.date(2024, 2, 1 + k) for k in rng.integers(0, 28, n)]
    return pa.table(
        {
            "id": pa.array(BIG + rng.permutation(n), mask=gap),
            "day": pa.array(days, mask=gap),
            "price": pa.array(
                [decimal.Decimal(int(k)).scaleb(-2) for k in rng.integers(1, 400, n)],
                pa.decimal128(8, 2),
            ),
            "clock": pa.array(rng.integers(0, 24, n) * 3_600_000, pa.int32()).cast(pa.time32("ms")),
            "flag": pa.array(np.arange(n) % 3 == 0),
        }
    )


@pytest.fixture(scope="module")
def arrow(tmp_path_factory):
    """A folder with such a table and a model of it that draws gaps. Do not change it: it is shared."""
    folder = tmp_path_factory.mktemp("arrow")
    pq.write_table(arrow_table(), folder / "data.parquet")
    args = ("--missing", "model", "--epochs", 1, "--device", "cpu", "--quiet")
    ok("fit", folder / "data.parquet", "-o", folder / "m.macode", *args)
    return folder


def draw(folder, out, *given):
    ok("sample", folder / "m.macode", "--seed", 0, *given, "-o", out)
    return pq.read_table(out)


def test_a_sample_has_the_tables_arrow_types(arrow, tmp_path):
    rows = draw(arrow, tmp_path / "s.parquet", "-n", 60)
    assert rows.schema.equals(arrow_table().schema)
    assert rows["id"].null_count > 0
    real = arrow_table()
    for name in ("id", "day", "price", "clock"):
        low, high = min(filter(None, real[name].to_pylist())), max(filter(None, real[name].to_pylist()))
        assert all(low <= value <= high for value in rows[name].to_pylist() if value is not None)


GIVEN = {
    "id": (BIG + 7, BIG + 7),
    "day": ("2024-02-03", datetime.date(2024, 2, 3)),
    "price": ("0.2", decimal.Decimal("0.20")),
    "clock": ("10:00", datetime.time(10)),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_value_is_given_as_it_prints(name, arrow, tmp_path):
    text, value = GIVEN[name]
    rows = draw(arrow, tmp_path / "s.parquet", "-n", 3, "--given", f"{name}={text}")
    assert rows[name].to_pylist() == [value] * 3
    assert rows.schema.equals(arrow_table().schema)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_gives_values_exactly(ending, arrow, tmp_path):
    known = tmp_path / f"known.{ending}"
    if ending == "csv":
        known.write_text(f"id,day,price,clock\n{BIG + 7},2024-02-03,0.20,10:00:00\n,,,\n")
    else:
        values = {name: pa.array([value, None]) for name, (_, value) in GIVEN.items()}
        pq.write_table(pa.table({**values, "price": [0.2, None]}), known)
    rows = draw(arrow, tmp_path / "s.parquet", "--given-file", known)
    for name, (_, value) in GIVEN.items():
        assert rows[name][0].as_py() == value
    assert rows.schema.equals(arrow_table().schema)


def test_a_decimal_of_more_digits_is_refused(arrow, tmp_path):
    known = tmp_path / "known.csv"
    known.write_text("price\n0.203\n")
    sample = ("sample", arrow / "m.macode", "-o", tmp_path / "s.parquet")
    for given in (("-n", 1, "--given", "price=0.203"), ("--given-file", known)):
        line = error(*sample, *given)
        assert "'price'" in line
        assert "0.203" in line
    assert "'cheap' cannot be read" in error(*sample, "-n", 1, "--given", "price=cheap")
    assert "'nan' cannot be read" in error(*sample, "-n", 1, "--given", "price=nan")


def test_an_index_of_pandas_is_learned_and_given(tmp_path):
    frame = pd.DataFrame({"id": np.arange(60) % 7, "x": np.arange(60) / 4})
    frame.set_index("id").to_parquet(tmp_path / "data.parquet")
    ok("fit", tmp_path / "data.parquet", "-o", tmp_path / "m.macode", "--epochs", 1, "--quiet")
    pd.DataFrame({"id": [3, 5], "x": [None, 2.5]}).set_index("id").to_parquet(tmp_path / "k.parquet")
    rows = draw(tmp_path, tmp_path / "s.parquet", "--given-file", tmp_path / "k.parquet").to_pandas()
    assert list(rows) == ["id", "x"]
    assert rows["id"].tolist() == [3, 5]
    assert rows["x"][1] == 2.5


def test_a_date_is_given_by_a_midnight_and_by_no_other_time(arrow, tmp_path):
    known = tmp_path / "known.parquet"
    times = pd.to_datetime(["2024-02-03", None])
    pd.DataFrame({"day": times}).to_parquet(known)
    rows = draw(arrow, tmp_path / "s.parquet", "--given-file", known)
    assert rows["day"][0].as_py() == datetime.date(2024, 2, 3)
    pd.DataFrame({"day": times + pd.Timedelta("10h")}).to_parquet(known)
    line = error("sample", arrow / "m.macode", "--given-file", known, "-o", tmp_path / "s.parquet")
    assert "'day'" in line
    assert "2024-02-03 10:00:00" in line


def test_the_file_s_own_dates_are_given_to_a_model_of_times(tmp_path):
    days = pd.to_datetime("2024-02-01") + pd.to_timedelta(np.arange(40) % 20, unit="D")
    pd.DataFrame({"day": days, "x": np.arange(40) / 4}).to_parquet(tmp_path / "data.parquet")
    ok("fit", tmp_path / "data.parquet", "-o", tmp_path / "m.macode", "--epochs", 1, "--quiet")
    pq.write_table(pa.table({"day": [datetime.date(2024, 2, 3), None]}), tmp_path / "k.parquet")
    rows = draw(tmp_path, tmp_path / "s.parquet", "--given-file", tmp_path / "k.parquet").to_pandas()
    assert rows["day"][0] == pd.Timestamp("2024-02-03")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_sample_is_compared_with_the_table(ending, arrow, tmp_path):
    sample = tmp_path / f"s.{ending}"
    ok("sample", arrow / "m.macode", "-n", 60, "-o", sample)
    for tables in ((arrow / "data.parquet", sample), (sample, arrow / "data.parquet")):
        assert "80 " in ok("evaluate", *tables)
