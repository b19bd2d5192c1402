"""Filling the gaps of a frame with draws from what the model knows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from macode_plugin.columns import FREE
from macode_plugin.networks import ConditionalNetwork
from macode_plugin.sampling import draw_rows
from macode_plugin.table import Table, check_labels

__all__ = ["completions"]


def completions(
    table: Table, network: ConditionalNetwork, X: pd.DataFrame, m: int, seed: int
) -> Iterator[pd.DataFrame]:
    """Yield ``m`` completed copies of a frame.

    All gaps of a row are drawn jointly, one column at a time in an order of the row's own, each
    draw known to the next. (The authors' package fills all gaps of a row from one pass, which loses
    the dependence between them.) The rows with gaps of all copies are drawn in one batch.

    Arguments
    ---------
    table, network
        The fitted model.
    X : DataFrame, shape (n, any)
        Columns of the training frame, any of them left out.
    m : int
    seed : int
        Copy k depends on the seed, the rows and k alone, not on ``m``.

    Raises
    ------
    ValueError
        For a column or category that training did not show.
    """
    check_labels(X)
    known = table.encode(X)
    places = [table.place(name) for name in X.columns]
    gaps = known[:, places] == FREE
    rows = np.flatnonzero(gaps.any(axis=1))
    for j in np.array(places)[gaps.any(axis=0)]:
        table.columns[j].require_values()
    never = {j: column.missing_token for j, column in enumerate(table.columns)}
    tokens, u = draw_rows(
        network,
        np.tile(known[rows], (m, 1)),
        temperature=1.0,
        seed=seed,
        stratified=False,
        incomplete=table.incomplete,
        never={j: token for j, token in never.items() if token is not None},
    )
    drawn = table.decode(tokens, u)
    for k in range(m):
        own = drawn.iloc[k * len(rows) : (k + 1) * len(rows)]
        yield _fill(X, own, rows, gaps)


def _fill(X: pd.DataFrame, drawn: pd.DataFrame, rows: np.ndarray, gaps: np.ndarray) -> pd.DataFrame:
    """Return a copy of X whose gaps hold the values of ``drawn``, which has X's incomplete rows."""
    filled = {}
    for place, name in enumerate(X.columns):
        here = gaps[rows, place]
        column = X[name].copy()
        if here.any():
            column.iloc[rows[here]] = drawn[name][here].astype(X[name].dtype).array
        filled[name] = column
    return pd.DataFrame(filled, index=X.index, columns=X.columns)
