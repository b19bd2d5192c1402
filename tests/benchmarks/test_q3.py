"""Question 3 in miniature."""

import numpy as np
import pandas as pd
import pytest
from benchmark_runs import ORIGIN, assert_refused, call

from benchmarks import data, imputers, ledger, masks, q3
from macode_plugin import MaCoDE

FIGURES = [
    *("bias", "coverage", "width", "bias_fixed", "coverage_fixed", "width_fixed"),
    *("crps", "missing_share", "fit_s", "impute_s"),
]
SMALL = {"tables": "breast", "seeds": "0", "m": 2, "max_rows": 80}


@pytest.fixture(autouse=True)
def short_chains(monkeypatch):
    """Chains of one round, for speed."""
    original = imputers.IterativeImputer
    monkeypatch.setattr(imputers, "IterativeImputer", lambda **k: original(max_iter=1, **k))


class Oracle:
    """Imputes the truth, and keeps what it was given."""

    epochs_run = np.nan

    def __init__(self, table):
        self.complete = data.code(table, table.frame)
        self.seen = None

    def fit(self, holed, categorical):
        self.seen = holed

    def impute(self, holed, m):
        return [self.complete.copy() for _ in range(m)]


@pytest.fixture
def oracle(monkeypatch):
    imputer = Oracle(data.load("breast", max_rows=80))
    monkeypatch.setitem(imputers.IMPUTERS, "macode", lambda seed, epochs: imputer)
    return imputer


def test_each_run_is_a_row_with_every_figure(tmp_path):
    out = tmp_path / "q3.csv"
    q3.main(**SMALL, mechanisms="MCAR,MNARQ", model="iterative", epochs=9, out=out)
    rows = pd.read_csv(out)
    assert rows["mechanism"].tolist() == ["MCAR", "MNARQ"]
    assert rows["model"].tolist() == ["iterative"] * 2
    assert rows[FIGURES].notna().all(axis=None)
    assert rows[["epochs", "epochs_run"]].isna().all(axis=None)  # chains have none
    assert rows["n_rows"].tolist() == [80, 80]
    assert (rows["bias"] < 0.2).all()
    assert (rows["crps"] > 0).all()
    assert rows[list(ORIGIN)].notna().all(axis=None)


@pytest.mark.parametrize("model", ["macode", "macode-paper"])
def test_the_package_imputes_too(model, tmp_path):
    out = tmp_path / "q3.csv"
    q3.main(**SMALL, mechanisms="MAR", model=model, epochs=1, out=out)
    (row,) = pd.read_csv(out).to_dict("records")
    assert (row["model"], row["epochs"], row["epochs_run"]) == (model, 1, 1)
    assert all(np.isfinite(row[name]) for name in FIGURES)
    assert row["fit_s"] > 0


def test_a_finished_run_is_not_run_again(oracle, tmp_path):
    out = tmp_path / "q3.csv"
    q3.main(**SMALL, mechanisms="MCAR", out=out)
    before = out.read_bytes()
    q3.main(**SMALL, mechanisms="MCAR", out=out)
    assert out.read_bytes() == before
    q3.main(**SMALL, mechanisms="MCAR,MAR", out=out)
    assert out.read_bytes().startswith(before)
    assert pd.read_csv(out)["mechanism"].tolist() == ["MCAR", "MAR"]


def test_an_oracle_is_without_fault(oracle, tmp_path):
    out = tmp_path / "q3.csv"
    q3.main(**SMALL, mechanisms="MNARL", out=out)
    (row,) = pd.read_csv(out).to_dict("records")
    assert (row["bias"], row["bias_fixed"], row["crps"]) == (0, 0, 0)
    assert (row["coverage"], row["coverage_fixed"]) == (1, 1)


def test_models_see_the_whole_table_with_the_same_cells_hidden(oracle, monkeypatch, tmp_path):
    peer = Oracle(data.load("breast", max_rows=80))
    monkeypatch.setitem(imputers.IMPUTERS, "iterative", lambda seed, epochs: peer)
    settings = {**SMALL, "seeds": "3", "mechanisms": "MAR"}
    for model in ("iterative", "macode"):
        q3.main(**settings, model=model, out=tmp_path / f"{model}.csv")
    mask = masks.mar(oracle.complete, 0.3, np.random.default_rng(3))
    pd.testing.assert_frame_equal(peer.seen, oracle.complete.mask(mask))
    # Categories as they are: as codes, text would seem to have an order.
    pd.testing.assert_frame_equal(oracle.seen, data.load("breast", max_rows=80).frame.mask(mask))
    share = pd.read_csv(tmp_path / "macode.csv")["missing_share"].item()
    assert share == pytest.approx(mask.mean(axis=None), abs=1e-5)


@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_a_model_that_spoils_the_table_is_found_out(oracle, tmp_path, fault):
    column = oracle.complete.columns[0]
    if fault == "changed":
        oracle.complete[column] += 1.0
    else:
        oracle.impute = lambda holed, m: [holed] * m
    with pytest.raises(ValueError, match=f"{column!r} was not imputed"):
        q3.main(**SMALL, mechanisms="MCAR", out=tmp_path / "q3.csv")


@pytest.mark.parametrize(("name", "build"), [("macode", MaCoDE), ("macode-paper", MaCoDE.paper)])
def test_a_name_stands_for_its_settings(name, build):
    expected = build(random_state=7, verbose=False, epochs=3).get_params()
    assert imputers.IMPUTERS[name](7, 3).model.get_params() == expected
    own = build(random_state=7, verbose=False).get_params()
    assert imputers.IMPUTERS[name](7, None).model.get_params() == own


def test_chains_differ_and_repeat():
    table = data.load("breast", max_rows=80)
    complete = data.code(table, table.frame)
    holed = complete.mask(masks.mcar(complete, 0.3, np.random.default_rng(0)))
    once, twice = (imputers.IMPUTERS["iterative"](5, None).impute(holed, 2) for _ in range(2))
    assert not once[0].equals(once[1])
    for one, other in zip(once, twice):
        pd.testing.assert_frame_equal(one, other)


def test_a_wrong_name_is_refused_before_any_run(tmp_path):
    out = tmp_path / "q3.csv"
    assert_refused(q3.main, r"mechanism .*'MNAR'", out, **SMALL, mechanisms="MCAR,MNAR")
    elsewhere = {**SMALL, "tables": "breast,abalone"}
    assert_refused(q3.main, "--data-dir", out, **elsewhere, mechanisms="MCAR")


def test_the_command_line_takes_the_settings_it_names(oracle, tmp_path):
    out = tmp_path / "q3.csv"
    line = "--tables breast --mechanisms MAR --seeds 4 --m 3 --model macode --max-rows 80 --epochs 2"
    call(q3.main, f"{line} --out {out}")
    assert ledger.finished(out, q3.Run) == {q3.Run("breast", "MAR", "macode", 4, 3, 80, 2)}
