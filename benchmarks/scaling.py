"""How seconds and memory grow with rows, with columns, and with the categories of one column.

``python -m benchmarks.scaling --axis rows --sizes 1000,10000,100000 --epochs 1``

Made-up tables (``benchmarks.made_up``): along an axis one size changes and the others stay at
10 000 rows (100 000 where categories change), 10 columns and 10 categories. Each table is fitted in a
process of its own, as peers are, so that its memory is its own.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from benchmarks import data, ledger, made_up, options, peers
from benchmarks.growth import COSTS

__all__ = ["PLOT", "RESULTS", "Point", "main", "table_of"]

RESULTS = ledger.FOLDER / "scaling.csv"
PLOT = ledger.FOLDER / "scaling.svg"


class Axis(str, enum.Enum):
    """The size of a table that changes."""

    rows = "rows"
    columns = "columns"
    categories = "categories"


_BASE = {"rows": 10_000, "columns": 10, "categories": 10}
_ROWS_OF_CATEGORIES = 100_000
_SIZES = {
    Axis.rows: "1000,10000,100000,1000000",
    Axis.columns: "5,10,20,50,100,200",
    Axis.categories: "10,100,1000,10000,50000",
}


@dataclasses.dataclass(frozen=True)
class Point:
    """One table along an axis.

    Arguments
    ---------
    axis : str
    size : int
    seed : int
    threads : int
    epochs : int
        Passes over the rows, as few as tell what one costs.
    """

    axis: str
    size: int
    seed: int
    threads: int
    epochs: int


def main(
    axis: Annotated[Axis, typer.Option(help="What grows.")] = Axis.rows,
    sizes: Annotated[
        str | None, typer.Option(help="Sizes, separated by commas; those of RESULTS.md if absent.")
    ] = None,
    seeds: options.Numbers = "0",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each fit.")] = 1,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each fit.")] = 1,
    out: options.Out = RESULTS,
    plot: options.Plot = PLOT,
) -> None:
    """Fit tables of growing size, draw as many rows, and write what both cost."""
    axis = Axis(axis)
    asked = options.numbers(_SIZES[axis] if sizes is None else sizes)
    points = [
        Point(axis.value, size, seed, threads, epochs)
        for size in asked
        for seed in options.numbers(seeds)
    ]
    # In the row stand the threads of the fit, not those of this process.
    ledger.work_through(out, points, measure, threads=str(threads))
    _draw(pd.read_csv(out), plot)


def measure(point: Point) -> dict[str, Any]:
    """Return what fitting a table and drawing as many rows cost."""
    table = table_of(point)
    run = peers.Run(
        f"{point.axis} {point.size}", "macode", point.seed, point.threads, None, point.epochs
    )
    with tempfile.TemporaryDirectory() as logs:
        _, effort = peers.synthesise(run, table, table.frame, {None: Path(sys.executable)}, Path(logs))
    return {
        "n_rows": len(table.frame),
        "fit_s_per_epoch": effort["fit_s"] / point.epochs,
        "sample_s": effort["sample_s"],
        "peak_mib": effort["peak_mib"],
    }


def table_of(point: Point) -> data.RealTable:
    """Return the table of a point, made with its seed."""
    size = {**_BASE, point.axis: point.size}
    if point.axis == "categories":
        size["rows"] = _ROWS_OF_CATEGORIES
    return made_up.make(size["rows"], size["columns"], size["categories"], point.seed)


def _draw(points: pd.DataFrame, path: Path) -> None:
    """Draw every cost over every axis, both on logarithmic scales."""
    from matplotlib.figure import Figure

    axes = list(points.groupby("axis", sort=False))
    figure = Figure(figsize=(3.3 * len(COSTS), 2.8 * len(axes)), layout="constrained")
    for panels, (axis, of) in zip(figure.subplots(len(axes), len(COSTS), squeeze=False), axes):
        for panel, (cost, title) in zip(panels, COSTS.items()):
            for threads, line in of.groupby("threads"):
                means = line.groupby("size")[cost].mean()
                panel.plot(means.index, means, "o-", markersize=4, label=f"{threads} thread(s)")
            panel.set(xscale="log", yscale="log", xlabel=axis, ylabel=title)
    figure.axes[0].legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
