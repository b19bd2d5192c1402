"""``macode evaluate``: figures as a table and as JSON."""

import json
import re

from command_line import ok


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
