"""The SDV benchmarks in miniature."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import sdv_conditions, sdv_suite


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small table under the name of a real one."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 150)
    frame = pd.DataFrame({"x": rng.normal(size=150) + kind, "y": rng.normal(size=150), "class": kind})
    path = tmp_path_factory.mktemp("data")
    frame.to_parquet(path / "banknote.parquet")
    return path


@pytest.fixture(scope="module")
def suite(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "sdv.csv"
    options = {"tables": "banknote", "data_dir": folder, "max_rows": 120, "out": path}
    options.update(epochs=1, macode_epochs=2)
    sdv_suite.main(synthesizers="MaCoDE,TVAE,GaussianCopula", **options)
    return path, options


def test_each_run_is_a_row_with_the_hosts_scores(suite):
    rows = pd.read_csv(suite[0])
    assert rows["synthesizer"].tolist() == ["MaCoDE", "TVAE", "GaussianCopula"]
    scores = rows[["quality", "column_shapes", "column_pair_trends", "quality_held_out", "diagnostic"]]
    assert scores.apply(lambda score: score.between(0, 1)).all(axis=None)
    assert rows.loc[0, "diagnostic"] == 1.0
    assert (rows["fit_s"] > 0).all()
    assert (rows["n_train"] == 96).all()
    assert rows[["sdv", "torch", "machine", "date"]].notna().all(axis=None)


def test_a_finished_run_is_not_run_again(suite):
    path, options = suite
    before = path.read_bytes()
    sdv_suite.main(synthesizers="MaCoDE,TVAE,GaussianCopula", **options)
    assert path.read_bytes() == before


def test_an_unknown_synthesizer_is_named(suite, tmp_path):
    with pytest.raises(ValueError, match="'GAN'"):
        sdv_suite.main(synthesizers="GAN", **{**suite[1], "out": tmp_path / "new.csv"})


@pytest.fixture(scope="module")
def conditions(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "sdv_conditions.csv"
    options = {"table": "banknote", "data_dir": folder, "n": "20", "epochs": 1, "tries": 2, "out": path}
    sdv_conditions.main(**options, synthesizers="MaCoDE,CTGAN,GaussianCopula")
    return path, options


def test_conditions_are_timed_and_rows_counted(conditions):
    rows = pd.read_csv(conditions[0])
    assert len(rows) == 9
    ours = rows[rows["synthesizer"] == "MaCoDE"]
    assert ours["known"].tolist() == ["nothing", "category", "number"]
    assert (ours["got"] == 20).all()
    assert (rows["got"] <= rows["asked"]).all()
    assert rows["s"].ge(0).all()


def test_a_condition_that_was_timed_is_not_timed_again(conditions, monkeypatch):
    path, options = conditions
    before = path.read_bytes()
    monkeypatch.setattr(sdv_conditions, "build", lambda *_: pytest.fail("was built"))
    sdv_conditions.main(**options, synthesizers="MaCoDE,CTGAN,GaussianCopula")
    assert path.read_bytes() == before


def test_a_stopped_benchmark_goes_on_where_it_stopped(conditions, tmp_path):
    path, options = conditions
    rows = pd.read_csv(path)
    rows.drop(index=[2, 6, 7, 8]).to_csv(tmp_path / "half.csv", index=False)
    options = {**options, "out": tmp_path / "half.csv"}
    sdv_conditions.main(**options, synthesizers="MaCoDE,CTGAN,GaussianCopula")
    resumed, key = pd.read_csv(tmp_path / "half.csv"), ["synthesizer", "known"]
    assert resumed["synthesizer"].tolist()[5:] == ["MaCoDE", *["GaussianCopula"] * 3]
    assert set(zip(*(resumed[k] for k in key))) == set(zip(*(rows[k] for k in key)))
