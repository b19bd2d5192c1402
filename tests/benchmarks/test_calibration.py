"""Interval coverage: the measure on a known case, and the benchmark in miniature."""

import numpy as np
import pandas as pd
import pytest
from benchmark_runs import assert_completed, half_written

from benchmarks import calibration, data
from macode_plugin import MaCoDE


def test_a_known_marginal_is_calibrated_and_a_shifted_one_is_not():
    rng = np.random.default_rng(0)
    train = pd.DataFrame({"x": rng.normal(size=5000), "k": rng.integers(0, 30, 5000)})
    model = MaCoDE(width=16, n_layers=1, feed_forward=16, epochs=10, random_state=0, verbose=False)
    model.fit(train)
    fresh = pd.DataFrame({"x": rng.normal(size=4000), "k": rng.integers(0, 30, 4000)})
    for column in ("x", "k"):
        found = model.conditional(column, fresh.drop(columns=column))
        for level in calibration.LEVELS:
            figures = calibration.measure(found, fresh[column], level)
            assert figures["claimed"] >= level / 100 - 1e-9
            assert figures["covered"] == pytest.approx(figures["claimed"], abs=0.04)
        shifted = calibration.measure(found, fresh[column] * 3, 90)
        assert shifted["covered"] < shifted["claimed"] - 0.1


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Settings of the benchmark in miniature, which has been run."""
    folder = tmp_path_factory.mktemp("calibration")
    options = {"tables": "breast", "seeds": "0", "max_rows": 120, "epochs": 1}
    options |= {"out": folder / "calibration.csv", "plot": folder / "calibration.svg"}
    calibration.main(**options)
    return options


def test_each_column_has_a_row_a_level_and_the_figure_is_drawn(asked):
    rows = pd.read_csv(asked["out"])
    assert len(rows) == 30 * len(calibration.LEVELS)
    assert rows["column"].nunique() == 30
    assert set(rows.groupby("column")["level"].agg(tuple)) == {calibration.LEVELS}
    assert rows["claimed"].between(0, 1).all()
    assert rows["covered"].between(0, 1).all()
    assert asked["plot"].read_text().startswith("<?xml")


def test_a_half_written_split_is_completed_without_repeating_a_row(asked, tmp_path):
    out = half_written(asked["out"], tmp_path, [3, 50, 51, 119])
    calibration.main(**{**asked, "out": out})
    assert_completed(out, asked["out"], ["column", "level"])


@pytest.mark.parametrize("change", [{"epochs": 2}, {"max_rows": 60}, {"seeds": "1"}])
def test_a_split_with_another_setting_is_another_split(asked, tmp_path, change):
    out = half_written(asked["out"], tmp_path, [])
    calibration.main(**{**asked, **change, "out": out})
    assert len(pd.read_csv(out)) == 2 * 30 * len(calibration.LEVELS)


def test_a_split_is_fitted_once_and_a_column_predicted_once(monkeypatch, tmp_path):
    fitted, predicted = [], []

    class Model:
        def conditional(self, column, given):
            predicted.append(column)

    def fit(real, seed, epochs):
        fitted.append(seed)
        return Model(), real.frame

    monkeypatch.setattr(calibration, "_fit", fit)
    monkeypatch.setattr(calibration, "measure", lambda *_: {"claimed": 0.5, "covered": 0.5})
    paths = {"out": tmp_path / "calibration.csv", "plot": tmp_path / "calibration.svg"}
    calibration.main(tables="breast", seeds="3,4", **paths)
    assert fitted == [3, 4]
    assert predicted == data.load("breast").continuous * 2
