"""Question 1 of the paper, the quality of tables learned from complete data.

``python -m benchmarks.q1 --tables breast --seeds 0`` needs no data but scikit-learn's.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks import data, detection, ledger, metrics, options
from benchmarks.comparison import Comparison
from benchmarks.timing import timed
from macode_plugin import MaCoDE

__all__ = ["compare", "main", "quality", "synthesise"]


class Preset(str, enum.Enum):
    """The settings that a model is fitted with."""

    default = "default"
    paper = "paper"


def main(
    tables: options.Names = options.TABLES,
    seeds: options.Numbers = options.SEEDS,
    data_dir: options.DataDir = None,
    preset: Annotated[Preset, typer.Option(help="Settings of the model.")] = Preset.default,
    half_real: Annotated[
        bool, typer.Option("--half-real", help="Fit no model: the paper's baseline instead.")
    ] = False,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = ledger.RESULTS,
) -> None:
    """Measure synthetic tables as the paper does, and a little harder.

    The baseline takes half of the real training rows for synthetic ones and the other half for
    the training rows: what a model would reach whose draws are as good as real ones.
    """
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    cuts = {"max_rows": max_rows, "epochs": None if half_real else epochs}
    model = "baseline" if half_real else Preset(preset).value
    runs = [
        ledger.Run(table, model, seed, **cuts) for table in loaded for seed in options.numbers(seeds)
    ]
    ledger.work_through(out, runs, lambda run: measure(run, loaded[run.table]))


def measure(run: ledger.Run, table: data.RealTable) -> dict[str, Any]:
    """Return every figure of one run."""
    train, test = data.split(table.frame, run.seed)
    repeated = data.repeated(test, train)
    if run.model == "baseline":
        synthetic, train = data.split(train, run.seed, test_size=0.5)
        effort = dict.fromkeys(("fit_s", "sample_s", "epochs_run"), np.nan)
    else:
        model = options.model(run.seed, run.epochs, paper=run.model == Preset.paper)
        synthetic, effort = synthesise(model, table, train)
    return {
        "n_train": len(train),
        "n_columns": train.shape[1],
        **effort,
        **quality(compare(table, train, test, synthetic), ~repeated),
        "repeated_share": repeated.mean(),
    }


def synthesise(
    model: MaCoDE, table: data.RealTable, train: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Fit a model; return as many synthetic rows as training rows by its seed, and what both took."""
    _, fit_s = timed(lambda: model.fit(train, categorical_columns=table.categorical))
    synthetic, sample_s = timed(lambda: model.sample(len(train), random_state=model.random_state))
    return synthetic, {"fit_s": fit_s, "sample_s": sample_s, "epochs_run": len(model.history_)}


def compare(
    table: data.RealTable, train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame
) -> Comparison:
    """Return what the measures take, categories coded."""
    coded = (data.code(table, frame) for frame in (train, test, synthetic))
    return Comparison(*coded, table.continuous, table.categorical, table.target)


def quality(comparison: Comparison, rows: np.ndarray | None = None) -> dict[str, float]:
    """Return every measure by name.

    Arguments
    ---------
    comparison : Comparison
    rows : ndarray of bool, or None
        Held-out rows. Measures of prediction are then taken on these alone as well, and called
        ``..._unrepeated``.
    """
    errors, classified = metrics.smape_by_row(comparison), metrics.classify(comparison)
    found = {
        "kl": metrics.kl_divergence(comparison),
        "gof": metrics.goodness_of_fit(comparison),
        "mmd": metrics.maximum_mean_discrepancy(comparison),
        "wd": metrics.wasserstein_distance(comparison),
        "smape": metrics.mean(errors),
        "f1": classified.f1(),
        "model_selection": classified.model_selection(),
        "feature_selection": classified.feature_selection(),
        "detector_auc": detection.detector_auc(comparison),
        "nearest_record_share": detection.nearest_record_share(comparison),
    }
    if rows is not None:
        found["smape_unrepeated"] = metrics.mean(errors[rows])
        found["f1_unrepeated"] = classified.f1(rows)
        found["model_selection_unrepeated"] = classified.model_selection(rows)
    return found


if __name__ == "__main__":
    typer.run(main)
