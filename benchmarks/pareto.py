"""Quality against seconds of fitting as a figure, with the peers that no other beats in both."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.measures import AGAINST_SECONDS, BESTS, MEASURES
from benchmarks.page_figures import Field, fields, measured, named
from benchmarks.page_plots import draw_front

__all__ = ["draw"]


def draw(runs: pd.DataFrame, path: Path) -> None:
    """Draw peers' means over tables that all of them were run on, with one number of threads.

    Of such sets that with the most means behind it is taken, peers times tables.

    Arguments
    ---------
    runs : DataFrame
        What ``benchmarks.peers`` wrote.
    path : Path
        Where the figure goes.
    """
    found = [
        (field, threads)
        for threads, alike in named(runs, "peer").groupby("threads", sort=False)
        for field in fields(measured(alike, [*MEASURES, "fit_s"]))
    ]
    field, threads = max(found, key=lambda pair: len(pair[0].rank) * len(pair[0].tables))
    figure = Figure(figsize=(4 * len(AGAINST_SECONDS), 4), layout="constrained")
    mean = field.mean.sort_values("fit_s")
    for axes, measure in zip(figure.subplots(1, len(AGAINST_SECONDS)), AGAINST_SECONDS):
        title, best = MEASURES[measure]
        axes.set_title(f"{title}, {BESTS[best]}", fontsize="medium")
        draw_front(axes, mean, field.error.loc[mean.index], measure)
    figure.suptitle(_told(field, int(threads)), fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def _told(field: Field, threads: int) -> str:
    tables = ", ".join(field.tables)
    return f"means over {tables}; threads: {threads}; dashed: those that no other beats in both"
