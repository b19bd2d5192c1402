"""Privacy by temperature: the benchmark in miniature, and its part of the report."""

import functools

import benchmark_runs
import numpy as np
import pandas as pd
import pytest
from benchmark_runs import assert_refused, calls_of, lines_of

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import data, metrics, report_privacy, tau

MEASURES = [
    *("kl", "gof", "wd", "smape", "f1", "detector_auc"),
    *("k_anonymity", "dcr", "attribute_disclosure", "membership_auc", "membership_tpr"),
]
SMALL = {"tables": "breast", "max_rows": 200, "epochs": 2}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of two temperatures."""
    path = tmp_path_factory.mktemp("results") / "tau.csv"
    small_forest = functools.partial(metrics.RandomForestRegressor, n_estimators=3)
    with pytest.MonkeyPatch.context() as patch:  # thirty whole forests take most of a minute
        patch.setattr(metrics, "RandomForestRegressor", small_forest)
        benchmark_runs.call(
            tau.main,
            "--tables breast --max-rows 200 --epochs 2 --seeds 0 --taus 1,4 --preset default "
            f"--out {path} --plot {path.with_suffix('.svg')}",
        )
    return path


def test_each_temperature_is_a_row_with_every_measure(results):
    rows = pd.read_csv(results)
    assert rows["tau"].tolist() == [1, 4]
    assert rows[MEASURES].notna().all(axis=None)
    shares = ["f1", "detector_auc", "attribute_disclosure", "membership_auc", "membership_tpr"]
    assert ((rows[shares] >= 0) & (rows[shares] <= 1)).all(axis=None)
    assert rows["dcr"][0] != rows["dcr"][1]  # as the rows drawn differ
    assert rows["fit_s"][0] == rows["fit_s"][1]  # one fit
    assert rows[["n_train", "n_columns", "epochs_run"]].to_numpy().tolist() == [[160, 31, 2]] * 2


def test_privacy_is_drawn_against_quality(results):
    drawn = results.with_suffix(".svg").read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    for text in ("membership AUC", "attribute disclosure", "breast (200 rows, 2 epochs), default"):
        assert f"<!-- {text}" in drawn


def test_the_report_reads_what_the_benchmark_wrote(results):
    rows = pd.read_csv(results)
    text = report_privacy.write(rows)
    dcr = rows["dcr"]
    assert f"| breast | {dcr[0]:.3f} (1) | {dcr[1]:.3f} (1) | 2.264 |" in text
    assert "--tables breast --seeds 0 --taus 1,4 --preset default --max-rows 200 --epochs 2\n" in text


class Stopped(Exception):
    """Stands in for Ctrl-C, at which pytest itself would stop."""


@pytest.fixture
def cheap(monkeypatch):
    """Replace the measures by the sum of the synthetic table; return the fits made and a stop switch."""
    seen = {"fits": 0, "left": np.inf}
    fit = tau._fit

    def counted(*arguments):
        seen["fits"] += 1
        return fit(*arguments)

    def summed(comparison):
        seen["left"] -= 1
        if seen["left"] < 0:
            raise Stopped
        total = float(comparison.synthetic.to_numpy().sum())
        return dict.fromkeys(MEASURES, total)

    monkeypatch.setattr(tau, "_fit", counted)
    monkeypatch.setattr(tau, "_figures", summed)
    return seen


def test_stopped_between_temperatures_it_goes_on_to_the_same_rows(cheap, tmp_path):
    whole, parts, plot = (tmp_path / name for name in ("whole.csv", "parts.csv", "tau.svg"))
    settings = {**SMALL, "seeds": "0,1", "taus": "1,2,3", "plot": plot}
    tau.main(**settings, out=whole)
    assert cheap["fits"] == 2
    cheap["left"] = 4  # all of the first fit, one of the second
    with pytest.raises(Stopped):
        tau.main(**settings, out=parts)
    assert pd.read_csv(parts)[["seed", "tau"]].to_numpy().tolist() == [[0, 1], [0, 2], [0, 3], [1, 1]]
    assert cheap["fits"] == 4
    cheap["left"] = np.inf
    tau.main(**settings, out=parts)
    assert cheap["fits"] == 5  # that of seed 1 again, and not that of seed 0
    of_time = ["fit_s", "sample_s", "date"]
    once, twice = (pd.read_csv(path).drop(columns=of_time) for path in (whole, parts))
    pd.testing.assert_frame_equal(once, twice)
    assert once["dcr"].nunique() == 6
    tau.main(**settings, out=parts)
    assert cheap["fits"] == 5
    assert len(pd.read_csv(parts)) == 6


@pytest.mark.parametrize("change", [{"epochs": 1}, {"max_rows": 90}, {"preset": "paper"}], ids=str)
def test_other_settings_are_other_rows(cheap, tmp_path, change):
    paths = {"out": tmp_path / "tau.csv", "plot": tmp_path / "tau.svg"}
    settings = {**SMALL, "max_rows": 100, "seeds": "0", "taus": "1", **paths}
    tau.main(**settings)
    tau.main(**{**settings, **change})
    rows = pd.read_csv(paths["out"])
    assert len(rows[["model", "max_rows", "epochs"]].drop_duplicates()) == 2
    assert rows["dcr"][0] != rows["dcr"][1]  # the sum of the rows drawn


@pytest.mark.parametrize("taus", ["0,1", "1,-2", "1.5"])
def test_a_wrong_temperature_is_refused_before_any_run(tmp_path, taus):
    out = tmp_path / "tau.csv"
    assert_refused(tau.main, f"numbers.*{taus}", out, **SMALL, seeds="0", taus=taus)


def made_up(tables, taus=(1, 2), **columns):
    """Return results of three seeds a table and temperature, without DOMIAS."""
    absent = dict.fromkeys(("domias_prior_auc", "domias_kde_auc", "synthcity"), np.nan)
    settings = {"model": "default", **absent, **columns}
    return pd.concat(
        [benchmark_runs.made_up(tables, MEASURES, tau=one, **settings) for one in taus],
        ignore_index=True,
    )


def test_the_report_sets_our_figures_beside_the_published_ones():
    text = report_privacy.write(made_up(["abalone"], taus=(1, 2, 6)))
    ours = "0.500 ± 0.144 (3)"  # of .25, .5 and .75 the standard error is .25 / sqrt(3)
    published = {"kl": "0.017", "f1": "0.217", "k_anonymity": "1.182", "dcr": "0.148"}
    of_abalone = dict(zip(MEASURES, lines_of(text, "| abalone")))
    assert len(lines_of(text, "| abalone")) == len(MEASURES)
    for measure, figure in published.items():
        assert of_abalone[measure] == f"| abalone | {ours} | {ours} | {ours} | {figure} |"
    assert of_abalone["membership_auc"] == f"| abalone | {ours} | {ours} | {ours} |"
    assert lines_of(text, "| kings")[0] == "| kings | n/a | n/a | n/a | 0.011 |"
    # There is no published figure of temperature 6. The last is attribute disclosure.
    assert lines_of(text, "| published, ten")[-1].startswith(
        "| published, ten tables | 0.589 | 0.547 | n/a |"
    )
    assert lines_of(text, "| published baseline")[-1].startswith(
        "| published baseline, ten tables | 0.631 | 0.631 | 0.631 |"
    )


def test_the_report_gives_means_over_all_nine_tables():
    text = report_privacy.write(made_up(data.NAMES))
    # Published k-anonymity: (1.182 + 2.552 + .527 + 2.864 + .445 + 1.819 + 1.942 + 1.016 + 1.539) / 9
    assert lines_of(text, "| **mean**")[6] == "| **mean** | 0.500 | 0.500 | 1.543 |"
    part = report_privacy.write(made_up(data.NAMES[1:]))
    assert lines_of(part, "| **mean**")[6] == "| **mean** | n/a | n/a | 1.543 |"


def test_the_report_tells_models_apart_and_what_repeats_them():
    runs = pd.concat(
        [
            made_up(["abalone", "loan"]),
            made_up(["kings"], taus=(1,)),
            made_up(["loan"], model="paper", epochs=5.0, synthcity="9.9", domias_kde_auc=0.6),
        ]
    )
    text = report_privacy.write(runs)
    assert calls_of(text, "tau") == [
        "abalone,loan --seeds 0,1,2 --taus 1,2 --preset default",
        "kings --seeds 0,1,2 --taus 1 --preset default",
        "loan --seeds 0,1,2 --taus 1,2 --preset paper --epochs 5",
    ]
    assert "DOMIAS by synthcity 9.9." in text
    # Only the second model was attacked so.
    assert lines_of(text, "### macode: Membership AUC, DOMIAS") == []
    assert len(lines_of(text, "### macode-paper (5 epochs): Membership AUC, DOMIAS")) == 1
