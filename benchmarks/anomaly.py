"""Unusual rows by their likelihood, beside detectors made for that.

``python -m benchmarks.anomaly --seeds 0,1,2,3,4``

The breast cancer table that ships with scikit-learn: learned from four fifths of the benign
tumours alone, asked to rank the malignant ones above the benign ones held out. ROC AUC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import typer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import data, ledger, options

__all__ = ["DETECTORS", "RESULTS", "main"]

RESULTS = ledger.FOLDER / "anomaly.csv"

DETECTORS: dict[str, Callable[[ledger.Run], Any]] = {
    "macode": lambda run: options.model(run.seed, run.epochs),
    "isolation forest": lambda run: IsolationForest(random_state=run.seed),
    "local outlier factor": lambda run: make_pipeline(
        StandardScaler(), LocalOutlierFactor(novelty=True)
    ),
}
"""Makers of detectors by name."""


def main(
    seeds: options.Numbers = "0,1,2,3,4",
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
) -> None:
    """Rank held-out rows by how unlikely they are, and write the AUC."""
    real = data.load("breast")
    runs = [
        ledger.Run(real.name, detector, seed, None, epochs)
        for seed in options.numbers(seeds)
        for detector in DETECTORS
    ]
    ledger.work_through(out, runs, lambda run: measure(run, real))


def measure(run: ledger.Run, real: data.RealTable) -> dict[str, float]:
    """Return the AUC of one detector on one split."""
    malignant = real.frame[real.target] == "malignant"
    rows = real.frame.drop(columns=real.target)
    train, test = data.split(rows[~malignant], run.seed)
    asked = pd.concat([test, rows[malignant]], ignore_index=True)
    unusual = [0] * len(test) + [1] * int(malignant.sum())
    detector = DETECTORS[run.model](run).fit(train)
    likely = detector.log_prob(asked) if run.model == "macode" else detector.score_samples(asked)
    return {"auc": float(roc_auc_score(unusual, -likely))}


if __name__ == "__main__":
    typer.run(main)
