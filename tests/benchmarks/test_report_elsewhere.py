"""Tables from elsewhere in the report and on the page: shown, in no mean, and asked for again."""

import shlex

import benchmark_runs
import pandas as pd
import pytest
from benchmark_runs import MEASURES, lines_of, write_report
from results_pages import TAU_MEASURES, Page, render

from benchmarks import data, options, page_plots, q3

OTHERS = ["sklearn:wine", "file:my houses.csv#price class"]
NOTE = f"Below the means are tables from elsewhere, in none of them: {', '.join(OTHERS)}."


def q1(tables, **columns):
    size = {"n_train": 99, "n_columns": 5, "sample_s": 1.0}
    return benchmark_runs.made_up(tables, MEASURES, **{"model": "default", **size, **columns})


def q2(tables, **columns):
    return benchmark_runs.made_up(tables, ["smape", "f1"], mechanism="MAR", **columns)


def tau(tables, **columns):
    absent = dict.fromkeys(("domias_prior_auc", "domias_kde_auc", "synthcity"))
    return benchmark_runs.made_up(tables, TAU_MEASURES, tau=1, **absent, **columns)


def imputed(tables, **columns):
    measures = ["bias", "coverage", "width", "bias_fixed", "coverage_fixed", "width_fixed", "crps"]
    effort = {"m": 100, "n_rows": 99, "impute_s": 1.0}
    return benchmark_runs.made_up(tables, measures, mechanism="MAR", **effort, **columns)


MAKERS = {"q1": (q1, data.NAMES), "q2": (q2, data.NAMES), "tau": (tau, data.NAMES)}
FILES = {**MAKERS, "q3": (imputed, q3.TABLES)}


@pytest.fixture
def both(tmp_path):
    """Return a function that reports on tables of the paper, with others and without."""

    def write(name):
        make, tables = FILES[name]
        paper, others = make(tables), make(OTHERS, smape=9.0, f1=9.0, bias=9.0)
        whole = write_report(tmp_path, **{name: pd.concat([paper, others], ignore_index=True)})
        return whole, write_report(tmp_path, **{name: paper})

    return write


@pytest.mark.parametrize("name", MAKERS)
def test_tables_from_elsewhere_stand_below_the_means_and_the_rest_is_as_without(name, both):
    whole, paper = both(name)
    assert NOTE in whole
    assert "from elsewhere" not in paper
    kept = [line for line in whole.splitlines() if not any(other in line for other in OTHERS)]
    shown = [line for line in paper.splitlines() if not line.startswith("python -m")]
    assert [line for line in kept if line not in ("", NOTE)] == [line for line in shown if line]
    # Each table of figures ends with the two, below its last mean.
    parts = [part.splitlines() for part in whole.split("\n\n") if "| **mean** |" in part]
    assert len(parts) == len(lines_of(paper, "| **mean** |"))
    for rows in parts:
        assert [row.split(" | ")[0] for row in rows[-2:]] == [f"| {other}" for other in OTHERS]
        assert len({row.count("|") for row in rows}) == 1


@pytest.mark.parametrize("name", MAKERS)
def test_beside_them_nothing_is_published(name, both):
    whole, _ = both(name)
    (smape,) = [part for part in whole.split("\n\n") if "| 9.000 ± 0.000 (3)" in part][:1]
    cells = smape.splitlines()[-1].strip("| ").split(" | ")
    assert cells[1] == "9.000 ± 0.000 (3)"
    assert set(cells[2:]) == {"n/a"}


def test_they_are_in_no_mean_of_imputations(both):
    whole, paper = both("q3")
    assert lines_of(whole, "| macode | 0.500") == lines_of(paper, "| macode | 0.500")
    for other in OTHERS:
        (row,) = lines_of(whole, f"| {other} | macode |")
        assert row.startswith(f"| {other} | macode | 9.000 ± 0.000 (3) |")


@pytest.mark.parametrize("name", FILES)
def test_the_call_that_repeats_the_runs_asks_for_them(name, both):
    whole, _ = both(name)
    (call,) = [line for line in whole.splitlines() if line.startswith("python -m")]
    words = shlex.split(call)
    assert options.names(words[words.index("--tables") + 1]) == [*FILES[name][1], *OTHERS]


@pytest.mark.parametrize("name", FILES)
def test_they_are_on_the_page(name, tmp_path, monkeypatch):
    for plot in ("bars", "scatter", "trade_off"):
        monkeypatch.setattr(page_plots, plot, lambda *arguments: "")
    make, tables = FILES[name]
    page = Page(render(tmp_path, **{name: make([*tables, *OTHERS])}))
    drilled = {label for _, label in page.tables}
    assert {*tables, *OTHERS} <= drilled
    if name == "q1":
        told = f"on 9 tables ({', '.join(sorted(tables))})"
        assert any(told in text for text in page.texts)  # the models of the paper beside ours
