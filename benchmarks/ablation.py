"""What each departure from the paper does, measured on held-out rows.

``python -m benchmarks.ablation --data-dir DIR --tables banknote,concrete --seeds 0,1,2``

The likelihood of the validation rows at the best epoch counts tokens, so that only changes that
leave the tokens as they are can be compared by it. Every other figure is in the data's own units.

A change that a table's size, or the processor, makes none is left out.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from unittest import mock

import pandas as pd
import torch
import typer

from benchmarks import data, detection, ledger, metrics, options, q1
from macode_plugin import MaCoDE, rates, settings
from macode_plugin.precision import in_bfloat16

__all__ = ["CHANGES", "RATES", "RESULTS", "Trial", "changes_of", "main"]

RESULTS = ledger.FOLDER / "ablation.csv"

CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "the paper's network": {"network": "masked"},
    "no shared basis over ordered tokens": {"ordered_basis": False},
    "no tokens for repeated values": {"atoms": False},
    "no noise on what is known": {"context_noise": 0.0},
    "biases at zero": {"marginal_bias": False},
    "AdamW for every weight": {"optimizer": "adamw"},
    "layers in float32": {"precision": "float32"},
    "no weight averaging": {"ema_decay": 0.0},
    "constant learning rate": {"schedule": "constant"},
    "held-out rows never learned": {"refit": False},
    "rows drawn independently": {"stratified": False},
}
"""What is changed, and how it is asked for."""

RATES: dict[str, dict[str, float]] = {
    "rates of larger tables": {"FEW_ROWS": 1},
    "rates that do not grow": {"MANY_ROWS": math.inf},
}
"""Sizes of tables by which rates are chosen, changed in :mod:`macode_plugin.rates`: no parameter
sets them."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """One fit: a table, a change of the default, a seed; cuts as of :class:`benchmarks.ledger.Run`."""

    table: str
    change: str
    seed: int
    max_rows: int | None = None
    epochs: int | None = None


def main(
    tables: options.Names = "breast",
    seeds: options.Numbers = "0,1,2",
    data_dir: options.DataDir = None,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
) -> None:
    """Fit each table with each change, and measure likelihoods and one table that it draws."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    trials = [
        Trial(table, change, seed, max_rows, epochs)
        for table in loaded
        for change in changes_of(loaded[table])
        for seed in options.numbers(seeds)
    ]
    ledger.work_through(out, trials, lambda trial: measure(trial, loaded[trial.table]))


def changes_of(table: data.RealTable) -> list[str]:
    """Return the changes by name, without those that are none for tables of this size, or here."""
    train, _ = data.split(table.frame, 0)
    default, processor = MaCoDE(), torch.device("cpu")
    learned = len(train) * (1 - default.validation_fraction)
    width = settings.network_size(default.get_params(), len(train))["feed_forward"]
    alike = {
        "layers in float32": not in_bfloat16(default.precision, default.network, processor, width),
        "rates of larger tables": learned >= rates.FEW_ROWS,
        "rates that do not grow": learned <= rates.MANY_ROWS,
    }
    return [change for change in [*CHANGES, *RATES] if not alike.get(change)]


def measure(trial: Trial, table: data.RealTable) -> dict[str, Any]:
    """Return the figures of one fit; likelihoods are in nats per row."""
    train, test = data.split(table.frame, trial.seed)
    model = options.model(trial.seed, trial.epochs, **CHANGES.get(trial.change, {}))
    with mock.patch.dict(vars(rates), RATES.get(trial.change, {})):
        synthetic, _ = q1.synthesise(model, table, train)
    history = pd.DataFrame(model.history_)
    best = history.loc[history["validation_nll"].idxmin()]
    comparison = q1.compare(table, train, test, synthetic)
    return {
        "validation_nll": best["validation_nll"],
        "best_epoch": int(best["epoch"]),
        "epochs_run": len(history),
        "fit_s": history["seconds"].iloc[-1],
        "test_score": model.score(data.mask_unseen(test, train, table.categorical)),
        "detector_auc": detection.detector_auc(comparison),
        "nearest_record_share": detection.nearest_record_share(comparison),
        "smape": metrics.smape(comparison),
        "f1": metrics.f1(comparison),
    }


if __name__ == "__main__":
    typer.run(main)
