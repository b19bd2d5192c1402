"""The guard against regressions: its verdict, and its command in miniature."""

import numpy as np
import pandas as pd
import pytest
import typer
from benchmark_runs import call
from typer.testing import CliRunner

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import guard, metrics

SEEDS = 5


def runs(rng, score=0.0, detector=0.0, share=0.0):
    """Return made-up runs whose splits differ far more than what is added to all of them."""
    return pd.DataFrame(
        {
            "seed": range(SEEDS),
            "test_score": np.linspace(-300, -200, SEEDS) + score + 0.1 * rng.normal(size=SEEDS),
            "detector_auc": np.linspace(0.5, 0.7, SEEDS) + detector + 0.001 * rng.normal(size=SEEDS),
            "nearest_record_share": np.linspace(0.5, 0.6, SEEDS)
            + share
            + 0.001 * rng.normal(size=SEEDS),
        }
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"score": -1.0}, {"test_score"}),
        ({"score": 1.0}, set()),
        ({"detector": 0.02}, {"detector_auc"}),
        ({"detector": -0.02}, set()),
        ({"share": 0.02}, {"nearest_record_share"}),
        ({"share": -0.02}, set()),
        ({"score": -1.0, "detector": 0.02}, {"test_score", "detector_auc"}),
    ],
)
def test_what_is_worse_is_found_among_splits_that_differ_more(change, found):
    rng = np.random.default_rng(0)
    verdict = guard.worse(runs(rng), runs(rng, **change))
    assert set(verdict.index[verdict["worse"]]) == found


def test_seeds_are_compared_with_their_own_whatever_the_order():
    before, after = (runs(np.random.default_rng(seed), score) for seed, score in ((0, 0.0), (1, -1.0)))
    verdict = guard.worse(before, after.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(verdict, guard.worse(before, after))


def test_noise_alone_seldom_raises_an_alarm():
    rng = np.random.default_rng(0)
    alarms = [guard.worse(runs(rng), runs(rng))["worse"].sum() for _ in range(300)]
    assert sum(alarms) <= 24  # 900 chances of one in a hundred


def test_equal_runs_are_not_worse():
    same = runs(np.random.default_rng(0))
    assert not guard.worse(same, same)["worse"].any()


@pytest.fixture
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(metrics, "smape", lambda comparison: 0.25)  # forests cost seconds
    return {"line": "--seeds 0,1 --max-rows 150 --epochs 2", "path": tmp_path / "guard.csv"}


def test_what_was_recorded_is_reached_again(small):
    call(guard.main, f"{small['line']} --record --recorded {small['path']}")
    assert pd.read_csv(small["path"])["seed"].tolist() == [0, 1]
    before = small["path"].read_bytes()
    call(guard.main, f"{small['line']} --recorded {small['path']}")
    assert small["path"].read_bytes() == before


def test_a_regression_ends_with_status_one(small):
    call(guard.main, f"{small['line']} --record --recorded {small['path']}")
    better = pd.read_csv(small["path"])
    better["test_score"] += [50.0, 50.1]
    better.to_csv(small["path"], index=False)
    app = typer.Typer()
    app.command()(guard.main)
    outcome = CliRunner().invoke(app, f"{small['line']} --recorded {small['path']}".split())
    assert outcome.exit_code == 1
    (line,) = [line for line in outcome.output.splitlines() if line.startswith("test_score")]
    assert line.endswith("True")


def test_a_run_of_other_settings_is_no_match(small):
    call(guard.main, f"{small['line']} --record --recorded {small['path']}")
    with pytest.raises(ValueError, match="same seeds, rows and epochs"):
        guard.main(seeds="0,1", max_rows=150, epochs=3, recorded=small["path"])


def test_without_a_recorded_run_nothing_is_fitted(tmp_path):
    with pytest.raises(ValueError, match="record one first"):
        guard.main(recorded=tmp_path / "absent.csv")
