"""The ablation in miniature."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmark_runs import ORIGIN, call, calls_of, write_report

from benchmarks import ablation, data, ledger, metrics, options, report
from macode_plugin import precision, rates

LINE = "--tables breast --seeds 0 --max-rows 150 --epochs 2"
FIGURES = list(report._ABLATION)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("ablation") / "ablation.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "smape", lambda comparison: 0.25)  # forests cost seconds
        call(ablation.main, f"{LINE} --out {path}")
    return path


def test_each_change_is_fitted_once_with_its_own_likelihood(results):
    rows = pd.read_csv(results)
    fast = precision.multiplies_bfloat16(precision.CPUINFO)
    expected = [change for change in ablation.CHANGES if fast or change != "layers in float32"]
    assert rows["change"].tolist() == [*expected, "rates of larger tables"]
    learned = rows[rows["change"] != "rows drawn independently"]
    assert learned["test_score"].nunique() == len(learned)
    # These differ from the default once the search for the best epoch has ended.
    searched = learned[
        ~learned["change"].isin({"held-out rows never learned", "constant learning rate"})
    ]
    assert searched["validation_nll"].nunique() == len(searched)
    assert (rows["epochs_run"] == 2).all()
    assert rows[list(ORIGIN)].notna().all(axis=None)


@pytest.mark.parametrize(
    ("n_rows", "more"),
    [
        (600, {"rates of larger tables"}),
        (1000, {"rates of larger tables"}),
        (4800, set()),
        (9000, {"rates that do not grow"}),
    ],
)
@pytest.mark.parametrize(("fast", "less"), [(True, set()), (False, {"layers in float32"})])
def test_changes_are_those_that_make_one(n_rows, more, fast, less, monkeypatch):
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda cpuinfo: fast)
    table = data.load("breast")
    table = dataclasses.replace(table, frame=table.frame.sample(n_rows, replace=True, random_state=0))
    assert set(ablation.changes_of(table)) == set(ablation.CHANGES) - less | more


def test_a_change_of_rates_ends_with_its_trial(results):
    assert (rates.FEW_ROWS, rates.MANY_ROWS) == (3000, 4000)


def test_shares_are_shares(results):
    rows = pd.read_csv(results)
    for name in ("detector_auc", "nearest_record_share", "f1"):
        assert rows[name].between(0, 1).all()
    assert (rows["smape"] == 0.25).all()


def test_the_test_score_is_that_of_held_out_rows(results):
    table = data.load("breast", max_rows=150)
    train, test = data.split(table.frame, 0)
    model = options.model(0, 2).fit(train, categorical_columns=table.categorical)
    score = pd.read_csv(results).set_index("change")["test_score"]
    assert score["default"] == pytest.approx(model.score(test), rel=1e-5)


def test_held_out_categories_that_training_did_not_show_do_no_harm(monkeypatch):
    table = data.load("breast", max_rows=60)
    _, test = data.split(table.frame, 0)
    rare = table.frame.assign(Diagnosis=np.where(table.frame.index == 0, "unsure", "benign"))
    monkeypatch.setattr(metrics, "smape", lambda comparison: 0.25)
    train, test = rare[1:], rare[:1].sample(12, replace=True, random_state=0)
    monkeypatch.setattr(data, "split", lambda frame, seed: (train, test))
    table = data.RealTable("breast", rare, table.continuous, table.categorical, table.target)
    figures = ablation.measure(ablation.Trial("breast", "default", 0, 60, 1), table)
    assert np.isfinite(figures["test_score"])


def test_what_is_done_is_not_done_again(results):
    before = results.read_bytes()
    call(ablation.main, f"{LINE} --out {results}")
    assert results.read_bytes() == before


@pytest.mark.parametrize("other", ["--seeds 1", "--max-rows 90", "--epochs 3"])
def test_what_differs_in_a_setting_is_done(monkeypatch, results, tmp_path, other):
    path = tmp_path / "ablation.csv"
    path.write_bytes(results.read_bytes())
    figures = pd.read_csv(results).iloc[0][[*FIGURES, "best_epoch", "epochs_run", "fit_s"]]
    ordered = [name for name in pd.read_csv(results) if name in figures]
    monkeypatch.setattr(ablation, "measure", lambda trial, table: figures[ordered].to_dict())
    call(ablation.main, f"{LINE} {other} --out {path}")
    assert len(ledger.finished(path, ablation.Trial)) == 2 * len(pd.read_csv(results))


def test_the_report_shows_a_table_for_each_table(results, tmp_path):
    rows = pd.read_csv(results)
    both = pd.concat([rows, rows.assign(table="loan", seed=1)])
    text = write_report(tmp_path, ablation=both)
    titles = "Validation NLL | Test score | Detector AUC | Nearest-record share | SMAPE | F1"
    assert text.count(f"| Change | {titles} |") == 2
    for row in rows.to_dict("records"):
        cells = " | ".join(f"{row[name]:.3f} (1)" for name in FIGURES)
        assert text.count(f"| {row['change']} (150 rows, 2 epochs) | {cells} |") == 2
    assert calls_of(text, "ablation") == [
        "breast --seeds 0 --max-rows 150 --epochs 2",
        "loan --seeds 1 --max-rows 150 --epochs 2",
    ]


def test_what_was_not_measured_is_told(results, tmp_path):
    rows = pd.read_csv(results)[:1].assign(epochs=None, max_rows=None, test_score=None, f1=None)
    (line,) = [line for line in write_report(tmp_path, ablation=rows).splitlines() if "default" in line]
    assert line.count("n/a") == 2
