"""Question 2 of the paper: tables learned from incomplete training rows.

``python -m benchmarks.q2 --tables breast --seeds 0`` needs no data but scikit-learn's.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks import data, ledger, masks, metrics, options
from benchmarks.q1 import compare, synthesise

__all__ = ["RESULTS", "Run", "main"]

RESULTS = ledger.FOLDER / "q2.csv"


class Model(str, enum.Enum):
    """The settings that a model is fitted with."""

    macode = "macode"
    paper = "macode-paper"


@dataclasses.dataclass(frozen=True)
class Run:
    """A run under a mechanism; the other fields are those of :class:`benchmarks.ledger.Run`."""

    table: str
    mechanism: str
    model: str
    seed: int
    max_rows: int | None = None
    epochs: int | None = None


def main(
    tables: options.Names = options.TABLES,
    mechanisms: options.Mechanisms = options.MECHANISMS,
    seeds: options.Numbers = options.SEEDS,
    data_dir: options.DataDir = None,
    model: Annotated[Model, typer.Option(help="Settings of the model.")] = Model.macode,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
) -> None:
    """Hide 30 % of the training rows' cells, learn from the rest, and measure what is drawn."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        Run(table, mechanism, Model(model).value, seed, max_rows, epochs)
        for table in loaded
        for mechanism in options.mechanisms(mechanisms)
        for seed in options.numbers(seeds)
    ]
    ledger.work_through(out, runs, lambda run: measure(run, loaded[run.table]))


def measure(run: Run, table: data.RealTable) -> dict[str, Any]:
    """Return every figure of one run."""
    train, test = data.split(table.frame, run.seed)
    generator = np.random.default_rng(run.seed)
    mask = masks.MECHANISMS[run.mechanism](data.code(table, train), masks.RATE, generator)
    model = options.model(run.seed, run.epochs, paper=run.model == Model.paper)
    synthetic, effort = synthesise(model, table, train.mask(mask))
    # No complete training rows are at hand: synthetic ones scale the classifiers' inputs, as in
    # the authors' code for this question.
    comparison = compare(table, synthetic, test, synthetic)
    return {
        "n_train": len(train),
        "n_columns": train.shape[1],
        "missing_share": float(mask.mean(axis=None)),
        **effort,
        "smape": metrics.smape(comparison),
        "f1": metrics.f1(comparison),
    }


if __name__ == "__main__":
    typer.run(main)
