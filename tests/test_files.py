"""Tables read from files."""

import os
import warnings

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macode_plugin import files


def test_csv_files_are_read_as_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "whole,part,flag,day,time,notday,word\n"
        "1,1.5,True,2020-01-31,2020-01-01 10:00,2020-01-01,x\n"
        ",,,,,2020-06-31,\n"
    )
    frame = files.read_table(path)
    kinds = ["Int64", "Float64", "boolean", "datetime64", "datetime64", "string", "string"]
    assert [str(dtype).split("[")[0] for dtype in frame.dtypes] == kinds
    assert frame.iloc[1].isna().tolist() == [True] * 5 + [False, True]
    assert frame["time"][0] == pd.Timestamp("2020-01-01 10:00")


CODES = "zip,land,dose,day,flag\n07804,NA,1.5,2020-01-31,True\n10001,DE,NA,NA,NA\n,,,,\n"


def test_codes_and_text_keep_what_is_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CODES)
    with pytest.warns(UserWarning, match=r"column '(zip' has .*'07804'|land' has 'NA').*--text") as said:
        frame = files.read_table(path)
    assert len(said) == 2
    assert frame["zip"].dropna().tolist() == ["07804", "10001"]
    assert frame["land"].dropna().tolist() == ["NA", "DE"]
    assert frame[["zip", "land"]].isna().to_numpy().tolist() == [[False] * 2] * 2 + [[True] * 2]


def test_marks_among_numbers_dates_and_flags_are_missing(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CODES)
    frame = files.read_table(path, text=["zip", "land"])[["dose", "day", "flag"]]
    kinds = ["Float64", "datetime64", "boolean"]
    assert [str(dtype).split("[")[0] for dtype in frame.dtypes] == kinds
    assert frame.isna().to_numpy().tolist() == [[False] * 3, [True] * 3, [True] * 3]


def test_columns_named_as_text_are_text_without_a_word(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CODES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = files.read_table(path, text=[*CODES.splitlines()[0].split(","), "not there"])
    assert (frame.dtypes == "string").all()
    assert frame.iloc[0].tolist() == ["07804", "NA", "1.5", "2020-01-31", "True"]
    assert frame.iloc[1].tolist() == ["10001", "DE", "NA", "NA", "NA"]
    assert frame.iloc[2].isna().all()


def test_columns_of_parquet_named_as_text_are_text(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"ward": [7, 12], "kind": ["a", None], "x": [1.5, 2.5]}).to_parquet(path)
    frame = files.read_table(path, text=["ward", "kind"])
    assert frame["ward"].tolist() == ["7", "12"]
    assert frame["kind"].isna().tolist() == [False, True]
    assert frame["x"].dtype == "float64"


@pytest.mark.parametrize("large", [f"{2**63 + 5}", f"-{2**64}", f"{2**70}"])
def test_numbers_too_large_beside_gaps_are_text_and_it_is_said(large, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"x,y\n7,1\n{large},2\n,3\n")
    with pytest.warns(UserWarning, match=rf"column 'x' has numbers too large .*'{large}'.*--text x"):
        frame = files.read_table(path)
    assert frame["x"].dropna().tolist() == ["7", large]


@pytest.mark.parametrize("cells", ["0,10,-5", "00.5,1,2", "0.07,1,2"])
def test_other_zeros_make_no_text(cells, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x", *cells.split(",")]))
    frame = files.read_table(path)
    assert frame["x"].tolist() == [float(cell) for cell in cells.split(",")]


def test_a_word_far_down_makes_the_whole_column_text(tmp_path):
    # pandas reads so wide a table in pieces; those of numbers alone would lose their zeros.
    path = tmp_path / "t.csv"
    codes = [*(f"{i:06d}" for i in range(5000)), "none"]
    others = [f"x{j}" for j in range(127)]
    path.write_text("\n".join(",".join([code, *others]) for code in ["code", *codes]))
    assert files.read_table(path)["code"].tolist() == codes


def test_without_inference_pandas_says_what_other_columns_hold(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CODES)
    frame = files.read_table(path, text=["land"], infer=False)
    assert frame["zip"].dropna().tolist() == [7804, 10001]
    assert frame["land"].dropna().tolist() == ["NA", "DE"]
    assert frame["day"].dropna().tolist() == ["2020-01-31"]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_a_table_that_is_not_cut_at_commas_is_refused(mark, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(mark.join("abc") + "\n" + mark.join("123") + "\n")
    with pytest.raises(ValueError, match=r"separate cells by commas, not by"):
        files.read_table(path)
    decimals = [mark.join(row) for row in ("abc", ["P", "3", "7"], ["P", "3,5", "7"])]
    for lines in (decimals, decimals[::2]):  # pandas would call the first ragged, cut the second wrongly
        path.write_text("\n".join(lines))
        with pytest.raises(ValueError, match=r"separate cells by commas, not by .* with a point"):
            files.read_table(path)


def test_rows_longer_than_the_header_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2,3\n1,2,3\n")
    with pytest.raises(ValueError, match=r"more cells than its header \['a', 'b'\]"):
        files.read_table(path)


@pytest.mark.parametrize("infer", [True, False])
@pytest.mark.parametrize("header", ["a,b,a", '\ufeffa,"b", a ,"a"', "a,b,a,b,,"])
def test_two_columns_of_one_name_are_refused(header, infer, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n" + "1," * header.count(",") + "2\n")
    with pytest.raises(ValueError, match=r"column 'a' occurs more than once; rename or drop"):
        files.read_table(path, infer=infer)
    pq.write_table(pa.table([pa.array([1])] * 3, names=["a", "b", "a"]), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"column 'a' occurs more than once; rename or drop"):
        files.read_table(tmp_path / "t.parquet")


def test_columns_that_end_like_copies_are_no_copies(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,a.1,A,,\n1,2,3,4,5\n")
    assert list(files.read_table(path))[:3] == ["a", "a.1", "A"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_regular_file_is_called_so(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match=r"pipe.csv is no regular file.* save it to a .csv"):
        files.read_table(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match=r"is a folder"):
        files.read_table(tmp_path)


def test_another_encoding_is_told_of(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("a,b\nö,1\n".encode("latin-1"))
    with pytest.raises(ValueError, match="save it as UTF-8"):
        files.read_table(path)


def test_zoned_times_survive_a_csv_file(tmp_path):
    times = pd.date_range("2024-03-30", periods=5, freq="7h", tz="UTC")
    files.write_table(pd.DataFrame({"t": times}), tmp_path / "table.csv")
    read = files.read_table(tmp_path / "table.csv")["t"]
    assert read.tolist() == times.tolist()
    (tmp_path / "table.csv").write_text("t\n2024-03-30T10:00:00+01:00\n2024-04-30T10:00:00+02:00\n")
    hours = files.read_table(tmp_path / "table.csv")["t"].dt.hour
    assert hours.tolist() == [9, 8]  # in UTC


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "other.CSV"])
def test_a_result_does_not_take_a_tables_name(name, tmp_path):
    with pytest.raises(ValueError, match="name of a table's file"):
        files.check_writable(tmp_path / name)
