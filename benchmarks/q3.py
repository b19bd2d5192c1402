"""Question 3 of the paper: inference from multiply imputed tables.

``python -m benchmarks.q3 --tables breast --seeds 0`` needs no data but scikit-learn's; the peers
miceforest and hyperimpute need the ``imputers`` extra, in an environment of their own.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks import data, imputation_metrics, ledger, masks, options
from benchmarks.imputers import IMPUTERS
from benchmarks.timing import timed

__all__ = ["RESULTS", "TABLES", "Run", "main"]

RESULTS = ledger.FOLDER / "q3.csv"

TABLES = ("abalone", "banknote", "breast", "redwine", "whitewine")
"""The tables that the paper imputes."""

_ASKED = ",".join(TABLES)


class Model(str, enum.Enum):
    """The models of :data:`benchmarks.imputers.IMPUTERS`, as the command line takes them."""

    macode = "macode"
    paper = "macode-paper"
    iterative = "iterative"
    miceforest = "miceforest"
    hyperimpute = "hyperimpute"


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of m imputations; the other fields are those of :class:`benchmarks.q2.Run`."""

    table: str
    mechanism: str
    model: str
    seed: int
    m: int
    max_rows: int | None = None
    epochs: int | None = None


def main(
    tables: options.Names = _ASKED,
    mechanisms: options.Mechanisms = options.MECHANISMS,
    seeds: options.Numbers = options.SEEDS,
    data_dir: options.DataDir = None,
    model: Annotated[Model, typer.Option(help="What imputes.")] = Model.macode,
    m: Annotated[int, typer.Option(min=2, help="Imputations.")] = 100,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
) -> None:
    """Hide 30 % of whole tables, impute them m times, and compare inference with the complete table."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    name = Model(model).value
    cuts = {"max_rows": max_rows, "epochs": epochs if name.startswith("macode") else None}
    runs = [
        Run(table, mechanism, name, seed, m, **cuts)
        for table in loaded
        for mechanism in options.mechanisms(mechanisms)
        for seed in options.numbers(seeds)
    ]
    ledger.work_through(out, runs, lambda run: measure(run, loaded[run.table]))


def measure(run: Run, table: data.RealTable) -> dict[str, Any]:
    """Return every figure of one run."""
    complete = data.code(table, table.frame)
    # The seed alone decides the mask, so that models are compared on the same hidden cells.
    mask = masks.MECHANISMS[run.mechanism](complete, masks.RATE, np.random.default_rng(run.seed))
    # The peers take numbers alone; codes of text would seem to have an order.
    own = run.model.startswith("macode")
    holed = (table.frame if own else complete).mask(mask)
    imputed, effort = impute(run, table, holed)
    imputed = [_continuous(one, holed, table.continuous) for one in imputed]
    complete = complete[table.continuous]
    return {
        "n_rows": len(complete),
        "n_columns": mask.shape[1],
        "missing_share": float(mask.mean(axis=None)),
        **effort,
        **imputation_metrics.inference(complete, imputed),
        "crps": imputation_metrics.hidden_crps(complete, imputed, mask),
    }


def impute(
    run: Run, table: data.RealTable, holed: pd.DataFrame
) -> tuple[list[pd.DataFrame], dict[str, float]]:
    """Return m completed tables, and what they took."""
    imputer = IMPUTERS[run.model](run.seed, run.epochs)
    _, fit_s = timed(lambda: imputer.fit(holed, table.categorical))
    imputed, impute_s = timed(lambda: imputer.impute(holed, run.m))
    return imputed, {"fit_s": fit_s, "impute_s": impute_s, "epochs_run": imputer.epochs_run}


def _continuous(imputed: pd.DataFrame, holed: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns that are measured, once it is certain that they are what they should be."""
    imputed = imputed[columns].astype(float)
    for name in columns:
        known = holed[name].notna()
        if imputed[name].isna().any() or not np.array_equal(imputed[name][known], holed[name][known]):
            raise ValueError(f"column {name!r} was not imputed: observed cells changed or cells missing")
    return imputed


if __name__ == "__main__":
    typer.run(main)
