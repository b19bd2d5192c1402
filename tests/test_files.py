"""Tables read from files."""

import pandas as pd

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
