"""How often the conditional intervals hold the held-out value, beside what they claim.

``python -m benchmarks.calibration --data-dir DIR --tables abalone,whitewine,kings --seeds 0,1,2``

Every continuous column is predicted from all others, on the 20 % of rows held out. A column whose
values lie on a grid has intervals of more probability than asked for (the smallest that reach it),
so that coverage is set against the probability that the model gives the interval, ends included.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pandas as pd
import typer

from benchmarks import data, ledger, markdown, options
from macode_plugin import MaCoDE
from macode_plugin.conditional import NumericConditional

__all__ = ["LEVELS", "PLOT", "RESULTS", "CalibrationRun", "main", "measure"]

RESULTS = ledger.FOLDER / "calibration.csv"
PLOT = ledger.FOLDER / "calibration.svg"

LEVELS = (50, 80, 90, 95)
"""Percent."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationRun(ledger.Run):
    """One column of one fit, at one level."""

    column: str
    level: int


def main(
    tables: options.Names = "abalone,whitewine,kings",
    seeds: options.Numbers = "0,1,2",
    data_dir: options.DataDir = None,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
    plot: options.Plot = PLOT,
) -> None:
    """Fit, predict intervals, and write how often they hold the held-out value."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        CalibrationRun(table, "default", seed, max_rows, epochs, column=column, level=level)
        for table, real in loaded.items()
        for seed in options.numbers(seeds)
        for column in real.continuous
        for level in LEVELS
    ]

    # Runs of one fit follow each other, and so do those of one column.
    @functools.lru_cache(maxsize=1)
    def fitted(table: str, seed: int) -> tuple[MaCoDE, pd.DataFrame]:
        return _fit(loaded[table], seed, epochs)

    @functools.lru_cache(maxsize=1)
    def predicted(table: str, seed: int, column: str) -> tuple[NumericConditional, pd.Series]:
        model, test = fitted(table, seed)
        return model.conditional(column, test.drop(columns=column)), test[column]

    ledger.work_through(
        out, runs, lambda run: measure(*predicted(run.table, run.seed, run.column), run.level)
    )
    _draw(pd.read_csv(out), plot)


def measure(found: NumericConditional, truth: pd.Series, level: int) -> dict[str, float]:
    """Return what the intervals of a level claim, how often they hold, and their mean width."""
    grid = found.column.grid
    step = grid.step / 10.0**grid.decimals
    values = truth.to_numpy(dtype=float)
    low, high = (ends.astype(float) for ends in found.interval(level / 100))
    claimed = found.cdf(high) - found.cdf(low - step) if step else np.full(len(low), level / 100)
    return {
        "claimed": float(claimed.mean()),
        "covered": float(((values >= low) & (values <= high)).mean()),
        "width": float((high - low).mean()),
    }


def _fit(real: data.RealTable, seed: int, epochs: int | None) -> tuple[MaCoDE, pd.DataFrame]:
    """Return a model of the training rows, and the rows held out as it can read them."""
    train, test = data.split(real.frame, seed)
    model = options.model(seed, epochs).fit(train, categorical_columns=real.categorical)
    return model, data.mask_unseen(test, train, real.categorical)


def _draw(results: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    ax = Figure(figsize=(4.5, 4.5)).subplots()
    ax.plot([0.45, 1], [0.45, 1], color="0.7")
    for table, of_table in results.groupby(markdown.labels(results, "table"), sort=False):
        means = of_table.groupby("level")[["claimed", "covered"]].mean()
        ax.plot(means["claimed"], means["covered"], "o-", label=table)
    ax.set_xlabel("probability that the model gives the interval")
    ax.set_ylabel("share of held-out values inside")
    ax.legend()
    ax.figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
