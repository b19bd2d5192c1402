"""Prediction by the conditional of one column, beside a random forest trained for that column alone.

``python -m benchmarks.prediction --data-dir DIR --tables abalone,whitewine --seeds 0,1,2``

One fitted model predicts any column; a forest is trained for each. Every table's categorical target
and its continuous columns, from all other columns, on the 20 % of rows held out.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pandas as pd
import torch
import typer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score

from benchmarks import data, ledger, options
from macode_plugin import MaCoDE

__all__ = ["MODELS", "RESULTS", "PredictionRun", "main"]

RESULTS = ledger.FOLDER / "prediction.csv"

MODELS = ("macode", "forest")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictionRun(ledger.Run):
    """One column of one split."""

    column: str


@dataclasses.dataclass(frozen=True)
class Split:
    """Training rows and held-out rows, categories coded, and the model of the former.

    ``given`` are the held-out rows as the model reads them: categories as they are, unknown ones
    missing.
    """

    model: MaCoDE
    train: pd.DataFrame
    test: pd.DataFrame
    given: pd.DataFrame


def main(
    tables: options.Names = "abalone,whitewine",
    seeds: options.Numbers = "0,1,2",
    data_dir: options.DataDir = None,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
) -> None:
    """Fit, predict every column, and write accuracy and log-loss, or R squared."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        PredictionRun(table, model, seed, max_rows, epochs, column=column)
        for table, real in loaded.items()
        for seed in options.numbers(seeds)
        for column in [*real.continuous, real.target]
        for model in MODELS
    ]

    @functools.lru_cache(maxsize=1)  # runs of one split follow each other
    def fitted(table: str, seed: int) -> Split:
        return _fit(loaded[table], seed, epochs)

    ledger.work_through(
        out, runs, lambda run: measure(run, loaded[run.table], fitted(run.table, run.seed))
    )


def measure(run: PredictionRun, real: data.RealTable, split: Split) -> dict[str, float]:
    """Return the scores of one model's predictions of one column; NaN where one does not apply."""
    score = _classify if run.column == real.target else _regress
    return {**dict.fromkeys(("r2", "accuracy", "log_loss"), np.nan), **score(run, split)}


def _fit(real: data.RealTable, seed: int, epochs: int | None) -> Split:
    train, test = data.split(real.frame, seed)
    model = options.model(seed, epochs).fit(train, categorical_columns=real.categorical)
    given = data.mask_unseen(test, train, real.categorical)
    return Split(model, data.code(real, train), data.code(real, test), given)


def _regress(run: PredictionRun, split: Split) -> dict[str, float]:
    if run.model == "macode":
        predicted = split.model.predict(run.column, split.given)
    else:
        forest = _train(RandomForestRegressor, run.column, split)
        predicted = forest.predict(split.test.drop(columns=run.column))
    return {"r2": float(r2_score(split.test[run.column], predicted))}


def _classify(run: PredictionRun, split: Split) -> dict[str, float]:
    categories = np.unique(split.train[run.column])
    if run.model == "macode":
        # Its categories are in sorted order, and so are their codes.
        shares = split.model.predict_proba(run.column, split.given).to_numpy()
    else:
        forest = _train(RandomForestClassifier, run.column, split)
        shares = forest.predict_proba(split.test.drop(columns=run.column))
    truth = split.test[run.column]
    known = truth.isin(categories).to_numpy()
    return {
        "accuracy": float(accuracy_score(truth, categories[shares.argmax(axis=1)])),
        "log_loss": float(log_loss(truth[known], shares[known], labels=categories)),
    }


def _train(kind: type, column: str, split: Split) -> Any:
    forest = kind(random_state=0, n_jobs=torch.get_num_threads())
    return forest.fit(split.train.drop(columns=column), split.train[column])


if __name__ == "__main__":
    typer.run(main)
