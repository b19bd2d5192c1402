"""The part of RESULTS.md on held-out rows that training rows repeat."""

from __future__ import annotations

import pandas as pd

from benchmarks import markdown
from benchmarks.data import NAMES, elsewhere
from benchmarks.measures import PREDICTION, TITLES

__all__ = ["write"]

_NOTE = """\
Where a table repeats rows, a random split has the same ones on both sides. What is trained on real rows
knows these by heart; what is trained on synthetic rows should not, since a table that they could be
read off would give real rows away. Here are the measures of prediction on all held-out rows and,
behind the arrow, on those that no training row equals; the first column is the share of the others.
Where it is 0, both are the same."""


def write(ours: pd.DataFrame) -> list[str]:
    """Return the part as Markdown; empty if no run told repeated rows apart.

    Arguments
    ---------
    ours : DataFrame
        Rows that ``benchmarks.q1`` wrote, with their ``label``.
    """
    if "repeated_share" not in ours or ours["repeated_share"].isna().all():
        return []
    ours = ours[ours["repeated_share"].notna()]
    by_label = dict(list(ours.groupby("label", sort=False)))
    rows = [
        [table, f"{share:.1%}", *_cells([of[of["table"] == table] for of in by_label.values()])]
        for table in [*NAMES, *elsewhere(ours["table"])]
        if pd.notna(share := ours.loc[ours["table"] == table, "repeated_share"].mean())
    ]
    means = [of.groupby("table").mean(numeric_only=True).reindex(NAMES) for of in by_label.values()]
    rows.append(["**mean**", "", *_cells(means, skipna=False)])
    header = [f"{TITLES[measure]}, {label}" for measure in PREDICTION for label in by_label]
    shown = markdown.grid(["Table", "Repeated rows", *header], rows)
    return [f"### Without the held-out rows that training rows repeat\n\n{_NOTE}\n\n{shown}"]


def _cells(sides: list[pd.DataFrame], *, skipna: bool = True) -> list[str]:
    """Return each measure of each model, on all held-out rows and on those not repeated."""
    cells = []
    for measure in PREDICTION:
        for runs in sides:
            both = (runs[name].mean(skipna=skipna) for name in (measure, f"{measure}_unrepeated"))
            cells.append(" → ".join(map(markdown.number, both)))
    return cells
