"""A guard against regressions of quality: a small fixed run, compared with the recorded one.

``python -m benchmarks.guard`` before a change of the model is merged, ``--record`` with one that is
meant to move the figures.

The run is ``MaCoDE()`` on the breast table of scikit-learn, five seeds. It fails where a figure is worse
than the recorded one of the same seeds, split by split, by more than chance (a paired t-test).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from scipy.stats import ttest_1samp

from benchmarks import ablation, data, ledger, options

__all__ = ["FIGURES", "RESULTS", "main", "worse"]

RESULTS = ledger.FOLDER / "guard.csv"

FIGURES = {"test_score": "less", "detector_auc": "greater", "nearest_record_share": "greater"}
"""What is compared, and on which side it is worse: held-out likelihood, realism, memorised rows."""

LEVEL = 0.01
"""Probability of an alarm by chance, for each figure."""


def main(
    record: Annotated[
        bool, typer.Option("--record", help="Write the figures down as the new ones.")
    ] = False,
    seeds: options.Numbers = "0,1,2,3,4",
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    recorded: Annotated[Path, typer.Option(help="CSV file of the recorded run.")] = RESULTS,
) -> None:
    """Fit, and end with status 1 if a figure is worse than the recorded one."""
    table = data.load("breast", max_rows=max_rows)
    trials = [
        ablation.Trial("breast", "default", seed, max_rows, epochs) for seed in options.numbers(seeds)
    ]
    if not record:
        before = _read(recorded, trials)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "guard.csv"
        ledger.work_through(out, trials, lambda trial: ablation.measure(trial, table))
        if record:
            recorded.write_bytes(out.read_bytes())
            return
        after = pd.read_csv(out)
    verdict = worse(before, after)
    typer.echo(verdict.to_string())
    if verdict["worse"].any():
        raise typer.Exit(1)


def worse(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return each figure's means, the probability of such a change by chance, and the verdict.

    Arguments
    ---------
    before, after : DataFrame
        A row for each seed, at least two of them, with columns ``seed`` and :data:`FIGURES`.
    """
    first, second = (runs.set_index("seed").sort_index() for runs in (before, after))
    rows = {}
    for name, side in FIGURES.items():
        change = second[name] - first[name]
        # No change at all has no spread to be tested against.
        p = ttest_1samp(change, 0, alternative=side).pvalue if change.any() else 1.0
        rows[name] = {
            "before": first[name].mean(),
            "after": second[name].mean(),
            "p": p,
            "worse": bool(p < LEVEL),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _read(path: Path, trials: list[ablation.Trial]) -> pd.DataFrame:
    """Return the recorded run; raise a ValueError unless it is of these trials."""
    found = ledger.finished(path, ablation.Trial)
    if found != set(trials):
        raise ValueError(
            f"{path} must hold a run of the same seeds, rows and epochs to compare with, however: "
            f"it holds {len(found)} others; record one first (--record)"
        )
    return pd.read_csv(path)


if __name__ == "__main__":
    typer.run(main)
