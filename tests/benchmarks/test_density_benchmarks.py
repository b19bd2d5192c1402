"""Prediction and anomaly benchmarks end to end in miniature."""

import pandas as pd
import pytest
from benchmark_runs import assert_completed, half_written

from benchmarks import anomaly, data, ledger, prediction


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """Settings of the prediction benchmark, which has been run."""
    out = tmp_path_factory.mktemp("prediction") / "prediction.csv"
    options = {"tables": "breast", "seeds": "0", "max_rows": 150, "epochs": 30, "out": out}
    prediction.main(**options)
    return options


def test_every_column_is_predicted_by_both(predicted):
    found = pd.read_csv(predicted["out"])
    assert found["model"].value_counts().to_dict() == {"macode": 31, "forest": 31}
    target = found[found["column"] == "Diagnosis"].set_index("model")
    assert (target["accuracy"] > 0.7).all()
    assert target["r2"].isna().all()
    others = found[found["column"] != "Diagnosis"]
    assert others["r2"].notna().all()
    assert others[["accuracy", "log_loss"]].isna().all(axis=None)


def test_text_is_not_made_numbers_that_seem_to_have_an_order():
    split = prediction._fit(data.load("breast", max_rows=150), 0, epochs=1)
    assert set(split.given["Diagnosis"]) == {"benign", "malignant"}
    assert set(split.test["Diagnosis"]) == {1, 2}


def test_a_half_written_split_is_completed_without_repeating_a_row(predicted, tmp_path):
    out = half_written(predicted["out"], tmp_path, [0, 7, 61])
    prediction.main(**{**predicted, "out": out})
    assert_completed(out, predicted["out"], ["column", "model"])


def test_a_finished_split_is_not_fitted_again(predicted, monkeypatch):
    before = predicted["out"].read_bytes()
    monkeypatch.setattr(prediction, "_fit", lambda *_: pytest.fail("was fitted"))
    prediction.main(**predicted)
    assert predicted["out"].read_bytes() == before


@pytest.mark.parametrize("change", [{"epochs": 2}, {"max_rows": 60}, {"seeds": "1"}])
def test_a_split_with_another_setting_is_another_split(predicted, monkeypatch, tmp_path, change):
    out = half_written(predicted["out"], tmp_path, [])
    figures = {"r2": 0.5, "accuracy": 0.5, "log_loss": 0.5}
    monkeypatch.setattr(prediction, "measure", lambda run, real, split: figures)
    prediction.main(**{**predicted, **change, "out": out})
    assert len(pd.read_csv(out)) == 2 * 62


def test_a_split_is_fitted_once_for_all_its_columns(monkeypatch, tmp_path):
    fitted, used = [], []
    monkeypatch.setattr(prediction, "_fit", lambda real, seed, epochs: fitted.append(seed) or seed)
    monkeypatch.setattr(prediction, "measure", lambda run, real, split: used.append((run, split)) or {})
    prediction.main(tables="breast", seeds="3,4", out=tmp_path / "prediction.csv")
    assert fitted == [3, 4]
    assert len(used) == 2 * 62
    assert all(run.seed == split for run, split in used)


def test_malignant_tumours_are_unusual_among_benign_ones(tmp_path):
    out = tmp_path / "anomaly.csv"
    anomaly.main(seeds="0", epochs=20, out=out)
    found = pd.read_csv(out).set_index("model")["auc"]
    assert list(found.index) == ["macode", "isolation forest", "local outlier factor"]
    assert (found > 0.8).all()


def test_detectors_that_ranked_a_split_are_not_asked_again(monkeypatch, tmp_path):
    out, ranked = tmp_path / "anomaly.csv", []
    monkeypatch.setattr(anomaly, "measure", lambda run, real: ranked.append(run) or {"auc": 0.5})
    ledger.append(out, ledger.Run("breast", "isolation forest", 1), {"auc": 0.5, **ledger.environment()})
    anomaly.main(seeds="1,2", out=out)
    names = ["macode", "local outlier factor", "macode", "isolation forest", "local outlier factor"]
    assert [run.model for run in ranked] == names
    assert [run.seed for run in ranked] == [1, 1, 2, 2, 2]


def test_categories_that_training_does_not_show_are_masked():
    train = pd.DataFrame({"k": ["a", "b"], "x": [1.0, 2.0]})
    frame = pd.DataFrame({"k": ["b", "c"], "x": [9.0, 9.0]})
    masked = data.mask_unseen(frame, train, ["k"])
    assert masked["k"].isna().tolist() == [False, True]
    assert masked["k"][0] == "b"
    assert masked["x"].tolist() == [9.0, 9.0]
    assert frame["k"].tolist() == ["b", "c"]
