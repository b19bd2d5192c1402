"""The part of RESULTS.md that checks the measures: the paper's baseline rows, measured here again."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from benchmarks import markdown
from benchmarks.data import NAMES
from benchmarks.measures import MEASURES, TITLES

__all__ = ["LIMIT", "distances", "write"]

LIMIT = 2.0
"""Standard errors of the difference that two means of the same quantity seldom exceed."""

_ROUNDING = 0.001 / math.sqrt(12)
"""Standard deviation of what published means lose by being printed to three decimals."""

_NOTE = """\
Ours less the published mean, in standard errors of that difference (both means' and what printing to
three decimals loses; ours on {seeds} seeds). {beyond} of {count} are beyond {limit:g}, in bold. Our
seeds and splits are the paper's, so that differences are smaller than of independent runs. Nothing is
fitted here: the figures depend on the splits and the measures alone."""


def write(baseline: pd.DataFrame, published: pd.DataFrame) -> list[str]:
    """Return the part as Markdown; empty without two seeds of any table.

    Arguments
    ---------
    baseline : DataFrame
        Rows of half real tables that ``benchmarks.q1`` wrote.
    published : DataFrame
        The paper's figures of question 1.
    """
    found = distances(baseline, published)
    known = found.to_numpy()
    known = known[~np.isnan(known)]
    if not len(known):
        return []
    seeds = baseline.groupby("table")["seed"].nunique()
    note = _NOTE.format(
        seeds=f"{seeds.min()} to {seeds.max()}" if seeds.min() < seeds.max() else seeds.min(),
        beyond=int((np.abs(known) > LIMIT).sum()),
        count=len(known),
        limit=LIMIT,
    )
    rows = [[str(table), *map(_cell, cells)] for table, *cells in found.itertuples()]
    shown = markdown.grid(["Table", *(TITLES[measure] for measure in found)], rows)
    return [f"### The measures, checked by the baseline\n\n{note}\n\n{shown}"]


def distances(baseline: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return our means less the published ones in standard errors, shape (tables, measures)."""
    theirs = published[published["model"] == "Baseline"].set_index("table")
    by_table = baseline.groupby("table")
    columns = {}
    for measure in MEASURES:
        if measure in theirs:
            ours, error = by_table[measure].mean(), by_table[measure].sem()
            total = (error**2 + theirs[f"{measure}_se"] ** 2 + _ROUNDING**2) ** 0.5
            columns[measure] = (ours - theirs[measure]) / total
    return pd.DataFrame(columns).reindex(NAMES).dropna(how="all")


def _cell(distance: float) -> str:
    if pd.isna(distance):
        return markdown.ABSENT
    return f"**{distance:+.1f}**" if abs(distance) > LIMIT else f"{distance:+.1f}"
