"""The benchmark from the table to the report, in miniature."""

import functools

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("geomloss", reason="the bench extra is not installed")

import benchmark_runs
from benchmark_runs import MEASURES, ORIGIN, assert_refused, call, lines_of, write_report

from benchmarks import data, ledger, q1

SMALL = {"tables": "breast", "max_rows": 200, "epochs": 2}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of a model and of the baseline."""
    path = tmp_path_factory.mktemp("results") / "new" / "q1.csv"
    q1.main(**SMALL, seeds="0", out=path)
    q1.main(**SMALL, seeds="0", half_real=True, out=path)
    return path


def test_each_run_is_a_row_with_every_measure(results):
    rows = pd.read_csv(results)
    assert rows["model"].tolist() == ["default", "baseline"]
    assert rows[MEASURES].notna().all(axis=None)
    assert rows["f1"].between(0, 1).all()


def test_a_row_tells_size_effort_and_origin(results):
    rows = pd.read_csv(results)
    model, baseline = rows.iloc[0], rows.iloc[1]
    assert (model["n_train"], model["n_columns"], model["epochs_run"]) == (160, 31, 2)
    assert model["fit_s"] > 0
    assert model["sample_s"] > 0
    assert baseline["n_train"] == 80
    assert baseline[["fit_s", "sample_s", "epochs_run"]].isna().all()
    assert rows[list(ORIGIN)].notna().all(axis=None)


def test_a_finished_run_is_not_run_again(results):
    before = results.read_bytes()
    q1.main(**SMALL, seeds="0", out=results)
    q1.main(**SMALL, seeds="0", half_real=True, out=results)
    assert results.read_bytes() == before


def test_a_wrong_table_is_refused_before_any_run(tmp_path):
    out = tmp_path / "q1.csv"
    assert_refused(q1.main, r"must be one of .*'iris'", out, tables="breast,iris", seeds="0")
    assert_refused(q1.main, "--data-dir", out, tables="breast,abalone", seeds="0")


def test_the_command_line_takes_the_settings_it_names(results):
    before = results.read_bytes()
    line = f"--tables breast --seeds 0 --preset default --max-rows 200 --epochs 2 --out {results}"
    call(q1.main, line)
    assert results.read_bytes() == before  # so these are the settings of the runs already there


def test_a_table_is_read_with_its_column_types(tmp_path):
    columns = [
        *("Age", "Experience", "Income", "Family", "CCAvg", "Education", "Mortgage"),
        *("Personal Loan", "Securities Account", "CD Account", "Online", "CreditCard"),
    ]
    pd.DataFrame(np.arange(120).reshape(10, 12), columns=columns).to_parquet(tmp_path / "loan.parquet")
    table = data.load("loan", tmp_path)
    assert table.continuous == ["Age", "Experience", "Income", "CCAvg", "Mortgage"]
    assert table.target == "Personal Loan"
    assert list(table.frame) == table.continuous + table.categorical
    assert sorted([*table.frame, "Education"]) == sorted(columns)


def test_the_offline_table_is_whole_and_can_be_cut():
    table = data.load("breast")
    assert table.frame.shape == (569, 31)
    assert table.frame["Diagnosis"].value_counts().to_dict() == {"benign": 357, "malignant": 212}
    cut = data.load("breast", max_rows=100)
    assert len(cut.frame) == 100
    pd.testing.assert_frame_equal(cut.frame, data.load("breast", max_rows=100).frame)


def test_held_out_rows_are_a_fifth_and_apart_from_the_training_rows():
    frame = data.load("breast").frame
    train, test = data.split(frame, seed=3)
    assert len(test) == 114
    assert len(train) + len(test) == len(frame)
    assert not set(map(tuple, train.to_numpy())) & set(map(tuple, test.to_numpy()))
    again, _ = data.split(frame, seed=3)
    other, _ = data.split(frame, seed=4)
    assert train.equals(again)
    assert not train.equals(other)


def test_categories_are_coded_by_their_order_in_the_whole_table():
    table = data.load("breast")
    malignant = table.frame[table.frame["Diagnosis"] == "malignant"]
    # Although it is the only category here, malignant is the second of the table.
    assert data.code(table, malignant)["Diagnosis"].unique().tolist() == [2]
    assert malignant["Diagnosis"].iloc[0] == "malignant"
    with pytest.raises(ValueError, match="'unsure'"):
        data.code(table, malignant.assign(Diagnosis="unsure"))


def test_the_baseline_sets_one_half_of_the_training_rows_against_the_other(monkeypatch):
    seen = []
    monkeypatch.setattr(q1, "quality", lambda comparison, rows: seen.append(comparison) or {})
    table = data.load("breast", max_rows=200)
    q1.measure(ledger.Run("breast", "baseline", 0), table)
    train, test = data.split(table.frame, 0)
    (comparison,) = seen
    halves = pd.concat([comparison.synthetic, comparison.train])
    ordered = sorted(map(tuple, halves.to_numpy()))
    assert ordered == sorted(map(tuple, data.code(table, train).to_numpy()))
    assert len(comparison.synthetic) == len(comparison.train)
    pd.testing.assert_frame_equal(comparison.test, data.code(table, test))


def test_rows_that_training_rows_repeat_are_found_by_all_their_cells():
    train = pd.DataFrame({"x": [1.5, 2.5, 2.5], "k": ["a", "b", "b"]})
    asked = pd.DataFrame({"x": [2.5, 2.5, 1.5, 3.0], "k": ["b", "a", "a", "b"]})
    assert data.repeated(asked, train).tolist() == [True, False, True, False]


def test_prediction_is_measured_without_repeated_rows_too(monkeypatch):
    table = data.load("breast", max_rows=200)
    train, test = data.split(table.frame, 0)
    # As many rows again, all of which training rows repeat; the split is as it was.
    both = pd.concat([test, train[: len(test)]], ignore_index=True)
    monkeypatch.setattr(data, "split", lambda frame, seed, test_size=0.2: (train, both))
    run = ledger.Run("breast", "default", 0, None, 1)
    measured = q1.measure(run, table)
    assert measured["repeated_share"] == 0.5
    monkeypatch.setattr(data, "split", lambda frame, seed, test_size=0.2: (train, test))
    without = q1.measure(run, table)
    assert without["repeated_share"] == 0
    for measure in ("smape", "f1", "model_selection"):
        assert measured[f"{measure}_unrepeated"] == pytest.approx(without[measure])
        assert without[f"{measure}_unrepeated"] == pytest.approx(without[measure])


made_up = functools.partial(
    benchmark_runs.made_up, measures=MEASURES, model="default", n_train=160, n_columns=31, sample_s=2.0
)


def test_the_report_sets_our_figures_beside_the_published_ones(tmp_path):
    text = write_report(tmp_path, q1=made_up(["abalone"]))
    # Of the values .25, .5 and .75 the standard error is .25 / sqrt(3); the first measure is KL.
    assert lines_of(text, "| abalone")[0] == (
        "| abalone | 0.500 ± 0.144 (3) | 0.017 ± 0.002 | 0.003 ± 0.000 (TabMT) | 0.006 ± 0.000 |"
    )
    # The baseline is no model, so it is not the best one where its MMD is lowest.
    assert lines_of(text, "| abalone")[2].endswith(
        "| 0.005 ± 0.001 | 0.005 ± 0.000 (DistVAE) | 0.001 ± 0.000 |"
    )
    # F1 is best where it is highest.
    assert lines_of(text, "| abalone")[5] == (
        "| abalone | 0.500 ± 0.144 (3) | 0.217 ± 0.003 | 0.247 ± 0.003 (TVAE) | 0.229 ± 0.003 |"
    )


def test_the_report_says_how_much_of_the_protocol_it_rests_on(tmp_path):
    whole, cut = made_up(["abalone", "loan"]), made_up(["loan"], epochs=5)
    beyond = pd.concat([made_up(["loan"], seed=10), made_up(["sklearn:wine"])])
    text = write_report(tmp_path, q1=pd.concat([whole, cut, beyond]))
    told = "The full protocol is 90 runs (nine tables, seeds 0 to 9)."
    assert f"{told} Of these there are: macode 6, macode (5 epochs) 3." in text


def test_figures_too_small_for_three_decimals_get_four(tmp_path):
    text = write_report(tmp_path, q1=made_up(["abalone"], kl=0.00123))
    assert lines_of(text, "| abalone")[0].startswith("| abalone | 0.0012 ± 0.0000 (3) | 0.017 ± ")


def test_the_report_says_which_figure_is_best_and_what_the_paper_lacks(tmp_path):
    text = write_report(tmp_path, q1=made_up(["abalone"]))
    assert "### KL\n\nLower is better.\n" in text
    assert "### F1\n\nHigher is better.\n" in text
    assert "### Detector AUC\n\n0.5 is best; not in the paper.\n" in text


def test_the_report_gives_a_mean_only_over_all_nine_tables(tmp_path):
    whole = write_report(tmp_path, q1=made_up(data.NAMES))
    assert lines_of(whole, "| macode |")[0].startswith("| macode | 0.500 | 0.500 |")
    part = write_report(tmp_path, q1=made_up(data.NAMES[1:]))
    assert lines_of(part, "| macode |")[0].startswith("| macode | n/a | n/a |")


def test_the_report_recomputes_the_published_means_without_covtype(tmp_path):
    text = write_report(tmp_path, q1=made_up(["abalone"]))
    (line,) = lines_of(text, "| published MaCoDE |")
    # (.017 + .031 + .036 + .089 + .011 + .095 + .031 + .022 + .01) / 9, and of GoF likewise.
    assert line.startswith("| published MaCoDE | 0.038 | 0.077 |")


def test_the_report_tells_seconds_command_versions_machine_and_date(tmp_path):
    text = write_report(tmp_path, q1=made_up(["abalone", "loan"]))
    assert "| macode | abalone | 160 | 31 | 7.0 | 11.0 | 2.0 | 1 |" in text
    assert "--tables abalone,loan --seeds 0,1,2 --preset default\n" in text
    assert "2 CPU cores; 2030-01-01; macode-plugin 1.0, torch 1.0" in text


def test_the_report_keeps_cut_runs_apart(tmp_path):
    both = pd.concat([made_up(["abalone"]), made_up(["abalone"], max_rows=300, epochs=2, kl=9.0)])
    text = write_report(tmp_path, q1=both)
    assert lines_of(text, "| Table | macode | macode (300 rows, 2 epochs) |")
    assert lines_of(text, "| abalone | 0.500 ± 0.144 (3) | 9.000 ± 0.000 (3) |")
    assert "--preset default --max-rows 300 --epochs 2\n" in text


def test_the_report_reads_what_the_benchmark_wrote(results, tmp_path):
    rows = pd.read_csv(results)
    text = write_report(tmp_path, q1=rows)
    label = "macode (200 rows, 2 epochs)"
    assert lines_of(text, f"| Table | {label} | baseline (200 rows) |")
    kl = rows["kl"]
    assert lines_of(text, f"| breast | {kl[0]:.3f} (1) | {kl[1]:.3f} (1) |")
    assert lines_of(text, f"| {label} | breast | 160 | 31 | 2.0 |")
    assert "--half-real --max-rows 200\n" in text


def test_the_report_sets_measures_beside_those_without_repeated_rows(tmp_path):
    told = {"repeated_share": 0.25, "smape_unrepeated": 0.4, "f1_unrepeated": 0.5}
    runs = made_up(["abalone", "loan"], **told, model_selection_unrepeated=0.75)
    text = write_report(tmp_path, q1=runs)
    assert lines_of(text, "| abalone | 25.0% | 0.500 → 0.400 | 0.500 → 0.500 | 0.500 → 0.750 |")
    # Two of nine tables are no mean.
    assert lines_of(text, "| **mean** |  | n/a → n/a |")
    assert "repeat" not in write_report(tmp_path, q1=made_up(["abalone"]))
