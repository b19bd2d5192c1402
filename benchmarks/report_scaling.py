"""The section of RESULTS.md on how cost grows with the size of a table."""

from __future__ import annotations

import pandas as pd

from benchmarks import growth
from benchmarks.markdown import grid, listed, section
from macode_plugin import MaCoDE
from macode_plugin.settings import with_auto

__all__ = ["epochs_by_default", "write"]

_NOTE = """\
Made-up tables, each fitted in a process of its own: along an axis one size changes, the others stay
at 10 000 rows (100 000 where categories change), 10 columns, 10 categories. Seconds are wall clock,
other work on the machine not excluded. Those of an epoch hold what is done once, which is most of
those of 1000 rows; beside them is how many epochs `MaCoDE()` plans, which it may stop before. As
many rows are drawn as learned from. Memory is the most that the process held, libraries included,
which are most of that of 1000 rows. An exponent is the slope of log(cost) over log(size), over all
sizes and between the two largest: 1 is linear.

![cost by size](results/scaling.svg)"""


def write(points: pd.DataFrame) -> str:
    """Return the section as Markdown, from the rows that ``benchmarks.scaling`` wrote."""
    header = ["Axis", "Size", "Threads", *growth.COSTS.values(), "Epochs by default"]
    rows, slopes = [], []
    for (axis, threads), of in points.groupby(["axis", "threads"], sort=False):
        rows += _sizes(str(axis), str(threads), of)
        slopes += _slopes(str(axis), str(threads), of)
    columns = ["Axis", "Threads", *growth.COSTS.values()]
    shown = f"{grid(header, rows)}\n\nExponents, all sizes / the two largest:\n\n{grid(columns, slopes)}"
    return section("Cost by size", _NOTE, shown, points, _commands(points))


def _sizes(axis: str, threads: str, points: pd.DataFrame) -> list[list[str]]:
    rows = []
    for size, of in points.groupby("size"):
        fit, sample, memory = of[list(growth.COSTS)].mean()
        cells = [f"{fit:.2f}", f"{sample:.2f}", f"{memory:.0f}", epochs_by_default(of["n_rows"].iloc[0])]
        rows.append([axis, f"{size}", threads, *cells])
    return rows


def epochs_by_default(n_rows: int) -> str:
    """Return how many epochs ``MaCoDE()`` plans for a table of so many rows."""
    model = MaCoDE()
    n_trained = n_rows - int(n_rows * model.validation_fraction)
    return str(with_auto(model.get_params(), n_trained)["epochs"])


def _slopes(axis: str, threads: str, points: pd.DataFrame) -> list[list[str]]:
    slopes = (growth.exponents(points, cost) for cost in growth.COSTS)
    return [[axis, threads, *(f"{slope['all']:.2f} / {slope['last']:.2f}" for slope in slopes)]]


def _commands(points: pd.DataFrame) -> list[str]:
    """Return the calls that repeat these points."""
    calls = []
    for (axis, threads, epochs), of in points.groupby(["axis", "threads", "epochs"], sort=False):
        asked = f"--sizes {listed(of['size'].sort_values())} --seeds {listed(of['seed'].sort_values())}"
        told = f"--axis {axis} {asked} --threads {threads} --epochs {epochs}"
        calls.append(f"python -m benchmarks.scaling {told}")
    return calls
