"""``macode sample``: the rows it writes, its seeds, and the values it is given."""

import pandas as pd
import pytest
from command_line import ok, run

from macode_plugin import files


def test_sample_writes_rows_like_the_table(folder, tmp_path):
    path = tmp_path / "s.csv"
    said = ok("sample", folder / "m.macode", "-n", 30, "--seed", 7, "-o", path)
    assert said == f"wrote 30 rows to {path} (seed 7)\n"
    rows = files.read_table(path)
    assert rows.dtypes.equals(files.read_table(folder / "data.csv").dtypes)
    assert len(rows) == 30
    assert rows["grade"].isin([1, 2, 3]).all()
    assert rows.notna().all(axis=None)


def test_sample_to_parquet_keeps_types(folder, tmp_path):
    path = tmp_path / "s.parquet"
    ok("sample", folder / "missing.macode", "-n", 200, "--seed", 1, "-o", path)
    rows = pd.read_parquet(path)
    assert rows.dtypes.equals(pd.read_parquet(folder / "data.parquet").dtypes)
    assert rows["visits"].isna().any()
    assert rows["dose"].notna().all()


def test_seeds_repeat_and_no_seed_does_not(folder, tmp_path):
    def draw(*seed):
        ok("sample", folder / "m.macode", "-n", 20, *seed, "-o", tmp_path / "s.csv")
        return (tmp_path / "s.csv").read_text()

    assert draw("--seed", 3) == draw("--seed", 3)
    assert draw() != draw()


@pytest.mark.parametrize(
    ("given", "column", "value"),
    [
        ("dose=10.5", "dose", 10.5),
        ("visits=3", "visits", 3),
        ("grade=2", "grade", 2),
        ("kind=b", "kind", "b"),
        ("flag=True", "flag", True),
        ("flag=false", "flag", False),
        ("day=2021-05-01", "day", pd.Timestamp("2021-05-01")),
        ("a=b=3", "a=b", 3),
    ],
)
def test_given_values_are_read_as_the_column_s_own(folder, tmp_path, given, column, value):
    path = tmp_path / "s.parquet"
    ok("sample", folder / "m.macode", "-n", 5, "--given", given, "-o", path)
    assert pd.read_parquet(path)[column].tolist() == [value] * 5


def test_given_nothing_asks_for_missing_cells(folder, tmp_path):
    path = tmp_path / "s.csv"
    given = ("--given", "visits=", "--given", "kind=a")
    ok("sample", folder / "missing.macode", "-n", 5, *given, "-o", path)
    rows = pd.read_csv(path)
    assert rows["visits"].isna().all()
    assert rows["kind"].eq("a").all()


def test_given_file_fills_rows_in(folder, tmp_path):
    known = tmp_path / "known.csv"
    known.write_text("grade,flag,visits,day\n1,,4,2021-03-01\n,true,,\n3,False,0,2021-04-01\n")
    path = tmp_path / "s.parquet"
    ok("sample", folder / "m.macode", "--given-file", known, "--given", "kind=a", "-o", path)
    rows = pd.read_parquet(path)
    assert rows.shape == (3, 7)
    assert rows.notna().all(axis=None)
    assert rows["grade"][[0, 2]].tolist() == [1, 3]
    assert rows["flag"][[1, 2]].tolist() == [True, False]
    assert rows["visits"][[0, 2]].tolist() == [4, 0]
    assert rows["day"][[0, 2]].dt.month.tolist() == [3, 4]
    assert rows["kind"].tolist() == ["a"] * 3


def test_given_file_as_parquet(folder, tmp_path):
    known = tmp_path / "known.parquet"
    pd.DataFrame({"grade": [1, 2], "dose": [9.5, None]}).to_parquet(known)
    ok("sample", folder / "m.macode", "--given-file", known, "-o", tmp_path / "s.parquet")
    rows = pd.read_parquet(tmp_path / "s.parquet")
    assert rows["grade"].tolist() == [1, 2]
    assert rows["dose"][0] == 9.5
    assert rows["dose"].notna().all()


def test_codes_are_written_as_they_were_read(codes, tmp_path):
    path = tmp_path / "s.csv"
    ok("sample", codes / "m.macode", "-n", 60, "--seed", 0, "-o", path)
    rows = pd.read_csv(path, dtype="string", keep_default_na=False)
    assert set(rows["zip"]) == {"07804", "01234", "10001"}
    assert set(rows["land"]) == {"NA", "DE"}
    assert set(rows["ward"]) == {"3", "12"}


def test_codes_can_be_given(codes, tmp_path):
    path = tmp_path / "s.parquet"
    given = ("--given", "zip=01234", "--given", "land=NA", "--given", "ward=12")
    ok("sample", codes / "m.macode", "-n", 4, *given, "-o", path)
    rows = pd.read_parquet(path)
    assert rows[["zip", "land", "ward"]].to_numpy().tolist() == [["01234", "NA", "12"]] * 4


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_model_says_what_is_text_in_a_given_file(codes, tmp_path, ending):
    known = tmp_path / f"known.{ending}"
    if ending == "csv":
        known.write_text("land,ward,x\nNA,12,007\n,3,NA\n")
    else:
        pd.DataFrame({"land": ["NA", None], "ward": [12, 3], "x": [7, None]}).to_parquet(known)
    path = tmp_path / "s.parquet"
    result = run("sample", codes / "m.macode", "--given-file", known, "-o", path)
    assert (result.exit_code, result.stderr) == (0, "")
    rows = pd.read_parquet(path)
    assert rows["land"][0] == "NA"
    assert rows["ward"].tolist() == ["12", "3"]
    assert rows["x"][0] == 7
    assert rows.notna().all(axis=None)


def test_marks_leave_a_given_cell_free_where_no_text_is(folder, tmp_path):
    known = tmp_path / "known.csv"
    known.write_text("grade,flag,day\nNA,NA,NA\n3,TRUE,2021-03-01\n")
    ok("sample", folder / "m.macode", "--given-file", known, "-o", tmp_path / "s.parquet")
    rows = pd.read_parquet(tmp_path / "s.parquet")
    assert rows.notna().all(axis=None)
    assert rows[["grade", "flag"]].iloc[1].tolist() == [3, True]
