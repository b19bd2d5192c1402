"""SDGym's benchmark in miniature, in an environment that has SDGym."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import sdgym_recipe


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 150)
    frame = pd.DataFrame({"x": rng.normal(size=150) + kind, "y": rng.normal(size=150), "class": kind})
    folder = tmp_path_factory.mktemp("data")
    frame.to_parquet(folder / "banknote.parquet")
    options = {"tables": "banknote", "data_dir": folder, "epochs": 2, "out": folder / "sdgym.csv"}
    sdgym_recipe.main(synthesizers="MaCoDE,GaussianCopulaSynthesizer", **options)
    return options


def test_each_run_is_a_row_with_sdgyms_scores(suite):
    rows = pd.read_csv(suite["out"])
    assert rows["synthesizer"].tolist() == ["MaCoDE", "GaussianCopulaSynthesizer"]
    assert rows["epochs"].tolist()[0] == 2
    assert rows["epochs"].isna()[1]
    assert rows[["quality", "diagnostic"]].apply(lambda score: score.between(0, 1)).all(axis=None)
    assert rows.loc[0, "diagnostic"] == 1.0
    assert rows[["fit_s", "sample_s", "peak_mb"]].gt(0).all(axis=None)
    assert rows[["sdgym", "sdv", "torch", "machine", "date"]].notna().all(axis=None)


def test_a_finished_run_is_not_run_again(suite):
    before = suite["out"].read_bytes()
    sdgym_recipe.main(synthesizers="MaCoDE,GaussianCopulaSynthesizer", **suite)
    assert suite["out"].read_bytes() == before


def test_a_synthesizer_that_sdgym_does_not_know_is_named(suite, tmp_path):
    with pytest.raises(Exception, match="NoSuchSynthesizer"):
        sdgym_recipe.main(synthesizers="NoSuchSynthesizer", **{**suite, "out": tmp_path / "new.csv"})


def test_a_failure_that_sdgym_only_notes_is_an_error(suite, tmp_path):
    failing = {**suite, "epochs": 0, "out": tmp_path / "new.csv"}
    with pytest.raises(RuntimeError, match=r"banknote, MaCoDE: .*epochs"):
        sdgym_recipe.main(synthesizers="MaCoDE", **failing)
    assert not failing["out"].exists()
