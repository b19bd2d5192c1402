"""``macode evaluate``: figures as a table and as JSON."""

import json
import re

import numpy as np
import pandas as pd
from command_line import error, ok

from macode_plugin import files


def test_evaluate_prints_a_table(folder):
    said = ok("evaluate", folder / "data.csv", folder / "other.csv", "--target", "kind")
    assert said.startswith("80 real rows, 60 synthetic rows\n")
    assert re.search(r"^marginal distance +0\.\d{3} +0$", said, re.M)
    assert re.search(r"^detector AUC +0\.\d{3} +0\.5$", said, re.M)
    assert re.search(r"^kind: ROC AUC +[01]\.\d{3} +[01]\.\d{3} +1$", said, re.M)


def test_evaluate_compares_files_of_two_formats(folder):
    figures = json.loads(ok("evaluate", folder / "data.csv", folder / "data.parquet", "--json"))
    assert figures["n_real"] == 80
    assert figures["marginal_distance"] == 0
    assert figures["association_difference"] == 0
    assert figures["target_score"] is None


def distance(tmp_path, real, synthetic, *args):
    """Return the mean marginal distance of two CSV files with these lines."""
    for name, text in (("real", real), ("synthetic", synthetic)):
        (tmp_path / f"{name}.csv").write_text(text)
    files = (tmp_path / "real.csv", tmp_path / "synthetic.csv")
    return json.loads(ok("evaluate", *files, "--json", *args))["marginal_distance"]


def test_what_is_text_in_the_real_table_is_text_in_the_other(tmp_path):
    # Alone, the second table's marks would be missing cells, and its codes numbers.
    found = distance(tmp_path, "land,zip\nNA,10001\nDE,01234\n", "land,zip\nNA,10001\nNA,10001\n")
    assert found == 0.5


def test_columns_can_be_compared_as_text(tmp_path):
    tables = ("ward,x\n1,5\n3,5\n", "ward,x\n2,5\n2,5\n")
    assert distance(tmp_path, *tables) == 0.5 / 2  # of the distribution functions
    assert distance(tmp_path, *tables, "--text", "ward") == 1 / 2


def test_a_column_named_as_text_has_to_be_there(folder):
    data = folder / "data.csv"
    line = error("evaluate", data, data, "--text", "nope")
    assert f"--text names 'nope', which is not a column of {data}" in line


def test_durations_are_compared_with_those_of_a_csv_file(tmp_path):
    waits = pd.to_timedelta(np.arange(40) * 7, unit="min")
    for ending in ("parquet", "csv"):
        files.write_table(pd.DataFrame({"wait": waits, "x": range(40)}), tmp_path / f"d.{ending}")
    said = ok("evaluate", tmp_path / "d.parquet", tmp_path / "d.csv", "--json")
    assert json.loads(said)["marginal_distance"] == 0
    (tmp_path / "d.csv").write_text("wait,x\n5 min,1\nsoon,2\n")
    line = error("evaluate", tmp_path / "d.parquet", tmp_path / "d.csv")
    assert "'soon'" in line
    assert "--text wait" in line
