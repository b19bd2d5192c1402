"""The sections of RESULTS.md on conditionals: calibration, prediction, unusual rows."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from benchmarks.markdown import commands, figure, given, grid, labels, listed, number, section

__all__ = ["WRITERS"]


def _calibration(results: pd.DataFrame) -> str:
    """Return coverage by table and level, the mean over continuous columns."""
    rows = []
    tables = labels(results, "table")
    for (table, level), cells in results.groupby([tables, "level"], sort=False):
        gap = (cells["covered"] - cells["claimed"]).groupby(cells["column"]).mean()
        shown = [number(cells[name].mean()) for name in ("claimed", "covered")]
        rows.append([str(table), f"{level} %", *shown, f"{gap.min():+.3f} to {gap.max():+.3f}"])
    header = ["Table", "Level", "Claimed", "Covered", "Difference, by column"]
    note = (
        "Central intervals of p(column | all others) on held-out rows. On a grid of values an interval "
        "holds at least its level: `claimed` is the probability that the model gives it. "
        "![calibration](results/calibration.svg)"
    )
    calls = commands("benchmarks.calibration", results)
    return section("Calibration of conditional intervals", note, grid(header, rows), results, calls)


def _prediction(results: pd.DataFrame) -> str:
    """Return each column's score beside the forest's."""
    rows = []
    tables = labels(results, "table")
    for (table, column), cells in results.groupby([tables, "column"], sort=False):
        classes = cells["accuracy"].notna().any()
        for measure in ("accuracy", "log_loss") if classes else ("r2",):
            shown = [figure(cells.loc[cells["model"] == name, measure]) for name in ("macode", "forest")]
            rows.append([str(table), str(column), {"r2": "R²"}.get(measure, measure), *shown])
    note = "One model for all columns beside a random forest trained for each, on held-out rows."
    header = ["Table", "Column", "Measure", "macode", "random forest"]
    calls = commands("benchmarks.prediction", results)
    return section("Prediction", note, grid(header, rows), results, calls)


def _anomaly(results: pd.DataFrame) -> str:
    """Return the detectors' AUC."""
    by_label = results.groupby(labels(results), sort=False)
    rows = [[str(name), figure(cells["auc"])] for name, cells in by_label]
    note = "Malignant tumours ranked among held-out benign ones, learned from benign ones alone."
    cut = given(results, "epochs")
    calls = [f"python -m benchmarks.anomaly --seeds {listed(results['seed'].sort_values())}{cut}"]
    return section("Unusual rows", note, grid(["Detector", "ROC AUC"], rows), results, calls)


WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "calibration": _calibration,
    "prediction": _prediction,
    "anomaly": _anomaly,
}
"""Writers of the sections by the name of the results file."""
