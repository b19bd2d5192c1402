"""The part of the report that checks the measures by the paper's baseline rows."""

import functools
import math

import benchmark_runs
import pandas as pd
import pytest
from benchmark_runs import MEASURES, lines_of, write_report

from benchmarks import report_baseline

made_up = functools.partial(
    benchmark_runs.made_up, measures=MEASURES, model="baseline", n_train=80, n_columns=9, sample_s=2.0
)


@pytest.fixture
def published():
    """A table's baseline row, the mean of each measure 0.5 but for F1, and a rival's row."""
    names = MEASURES[:8]
    own = {"table": "abalone", "model": "Baseline", **dict.fromkeys(names, 0.5), "f1": 0.1}
    rival = {"table": "abalone", "model": "TVAE", **dict.fromkeys(names, 9.0)}
    errors = {f"{name}_se": 0.1 for name in names}
    return pd.DataFrame([{**own, **errors}, {**rival, **errors}])


def test_distances_are_in_standard_errors_of_the_difference(published):
    found = report_baseline.distances(made_up(["abalone"]), published)
    assert list(found.index) == ["abalone"]
    assert found.loc["abalone", "kl"] == pytest.approx(0)
    # Ours are .25, .5 and .75; a figure printed to three decimals is up to .0005 from its own.
    error = math.sqrt(0.25**2 / 3 + 0.1**2 + 0.001**2 / 12)
    assert found.loc["abalone", "f1"] == pytest.approx(0.4 / error)
    assert "detector_auc" not in found


def test_what_is_beyond_two_errors_is_counted_and_bold(published):
    runs = made_up(["abalone"])
    runs["kl"] = [0.8, 0.801, 0.802]
    (text,) = report_baseline.write(runs, published)
    assert "2 of 8 are beyond 2" in text
    assert "ours on 3 seeds" in text
    (line,) = lines_of(text, "| abalone")
    assert line.startswith("| abalone | **+3.0** | +0.0 |")


def test_one_seed_checks_nothing(published):
    assert report_baseline.write(made_up(["abalone"])[:1], published) == []


def test_rows_of_cut_tables_are_not_held_against_the_paper(tmp_path):
    whole = write_report(tmp_path, q1=made_up(["abalone"]))
    assert "## The measures, checked by the baseline" in whole
    cut = write_report(tmp_path, q1=made_up(["abalone"], max_rows=99.0))
    assert "checked by the baseline" not in cut
