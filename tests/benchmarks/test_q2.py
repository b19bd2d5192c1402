"""Question 2 in miniature."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmark_runs import assert_refused, call

from benchmarks import data, ledger, masks, metrics, q2
from benchmarks.comparison import Comparison
from macode_plugin import MaCoDE

SMALL = {"tables": "breast", "seeds": "0", "max_rows": 100}


@pytest.fixture
def quick(monkeypatch):
    """Forests cost seconds; a constant stands in for their error."""
    monkeypatch.setattr(metrics, "smape", lambda comparison: 0.25)


@pytest.fixture
def drawn(monkeypatch, quick):
    """Stands in for a model: draws the complete training rows, and notes what it was given."""
    seen = []

    def synthesise(model, table, holed):
        seen.append(holed)
        train, _ = data.split(table.frame, model.random_state)
        return train, {"fit_s": 1.0, "sample_s": 1.0, "epochs_run": 1}

    monkeypatch.setattr(q2, "synthesise", synthesise)
    return seen


@pytest.mark.parametrize("model", ["macode", "macode-paper"])
def test_a_model_learns_from_what_is_left(model, quick, tmp_path):
    out = tmp_path / "q2.csv"
    q2.main(**SMALL, mechanisms="MNARL", model=model, epochs=1, out=out)
    (row,) = pd.read_csv(out).to_dict("records")
    assert (row["mechanism"], row["model"], row["epochs"], row["epochs_run"]) == ("MNARL", model, 1, 1)
    assert (row["n_train"], row["n_columns"], row["smape"]) == (80, 31, 0.25)
    assert row["missing_share"] == pytest.approx(0.3, abs=0.05)
    assert 0 <= row["f1"] <= 1
    assert row["fit_s"] > 0
    assert row["sample_s"] > 0


def test_training_rows_are_hidden_in_target_included_and_test_rows_are_whole(
    drawn, monkeypatch, tmp_path
):
    seen = []
    monkeypatch.setattr(metrics, "f1", lambda comparison: seen.append(comparison) or 0.5)
    q2.main(**SMALL, mechanisms="MCAR", out=tmp_path / "q2.csv")
    table = data.load("breast", max_rows=100)
    train, test = data.split(table.frame, 0)
    (holed,) = drawn
    mask = masks.mcar(data.code(table, train), 0.3, np.random.default_rng(0))
    # Categories as they are: as codes, text would seem to have an order.
    pd.testing.assert_frame_equal(holed, train.mask(mask))
    assert holed[table.target].isna().any()
    (comparison,) = seen
    pd.testing.assert_frame_equal(comparison.test, data.code(table, test))
    assert comparison.target == table.target


def test_synthetic_rows_scale_the_inputs():
    table = data.load("breast", max_rows=100)
    train, test = (data.code(table, part) for part in data.split(table.frame, 0))
    kinds = (table.continuous, table.categorical, table.target)
    alone = Comparison(train, test, train, *kinds)
    # On their own scale the synthetic rows classify as the training rows do, to which they are equal.
    assert metrics.f1(alone) == pytest.approx(metrics.classify(alone).f1())
    one_class = train.assign(**{table.target: 1})
    assert np.isnan(metrics.f1(Comparison(one_class, test, one_class, *kinds)))


def test_the_published_settings_are_asked_for_by_name(drawn, monkeypatch, tmp_path):
    built = []
    paper = MaCoDE.paper

    def build(**settings):
        built.append(settings)
        return paper(**settings)

    monkeypatch.setattr(MaCoDE, "paper", build)
    for model in ("macode", "macode-paper"):
        q2.main(**{**SMALL, "seeds": "5"}, mechanisms="MCAR", model=model, out=tmp_path / "q2.csv")
    assert built == [{"random_state": 5, "verbose": False}]


def test_drawn_codes_are_whole_numbers(quick, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(metrics, "f1", lambda comparison: seen.append(comparison) or 0.5)
    q2.main(**SMALL, mechanisms="MCAR", epochs=1, out=tmp_path / "q2.csv")
    (comparison,) = seen
    assert comparison.synthetic.dtypes.equals(comparison.test.dtypes)
    assert comparison.synthetic.shape == (80, 31)
    assert comparison.synthetic.notna().all(axis=None)


def test_a_finished_run_is_not_run_again(drawn, tmp_path):
    out = tmp_path / "q2.csv"
    q2.main(**SMALL, mechanisms="MCAR", out=out)
    q2.main(**SMALL, mechanisms="MCAR,MNARQ", out=out)
    assert len(drawn) == 2
    assert pd.read_csv(out)["mechanism"].tolist() == ["MCAR", "MNARQ"]
    run = q2.Run("breast", "MCAR", "macode", 0, max_rows=100)
    assert run in ledger.finished(out, q2.Run)


def test_a_wrong_name_is_refused_before_any_run(tmp_path):
    out = tmp_path / "q2.csv"
    assert_refused(q2.main, r"mechanism .*'mcar'", out, **SMALL, mechanisms="mcar")


def test_the_command_line_takes_the_settings_it_names(drawn, tmp_path):
    out = tmp_path / "q2.csv"
    line = "--tables breast --mechanisms MAR --seeds 4 --model macode-paper --max-rows 80 --epochs 2"
    call(q2.main, f"{line} --out {out}")
    assert ledger.finished(out, q2.Run) == {q2.Run("breast", "MAR", "macode-paper", 4, 80, 2)}
