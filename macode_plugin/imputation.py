"""Filling the gaps of a frame with draws from what the model knows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.columns import FREE
from macode_plugin.networks import ConditionalNetwork
from macode_plugin.sampling import draw_rows
from macode_plugin.table import Table, check_labels, frame_of

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
        For a column that training did not show, or values of another type than its own.
    """
    check_labels(X)
    known, gaps = _read(table, X)
    places = [table.place(name) for name in X.columns]
    rows = np.flatnonzero(gaps.any(axis=1))
    for j in np.array(places)[gaps.any(axis=0)]:
        table.columns[j].require_values()
    # A column without values can only be missing; require_values has seen that it is not asked for.
    never = {j: column.missing_token for j, column in enumerate(table.columns) if column.n_values}
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


def _read(table: Table, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return what is known as tokens, shape (n, p), and which cells are to be filled, of X's shape.

    Of new rows some may have a value that no token stands for: nothing is drawn in its place, and
    nothing is drawn from it.
    """
    tokens = np.full((len(X), len(table)), FREE, dtype=np.int64)
    gaps = np.zeros(X.shape, dtype=bool)
    for place, name in enumerate(X.columns):
        column, series = table[name], dtypes.mark_missing(X[name])
        strange = column.strange(series)
        if strange.any():
            warnings.warn(
                f"column {name!r} holds values that training did not show, in {int(strange.sum())} "
                f"cell(s), such as {dtypes.plain(series[strange].iloc[0])!r}; they stay, and the other "
                "cells of their rows are drawn without them",
                UserWarning,
                stacklevel=2,
            )
        gaps[:, place] = series.isna()
        tokens[~strange, table.place(name)] = column.encode(series[~strange])
    return tokens, gaps


def _fill(X: pd.DataFrame, drawn: pd.DataFrame, rows: np.ndarray, gaps: np.ndarray) -> pd.DataFrame:
    """Return a copy of X whose gaps hold the values of ``drawn``, which has X's incomplete rows."""
    filled = {}
    for place, name in enumerate(X.columns):
        here = gaps[rows, place]
        filled[name] = _fill_column(X[name], drawn[name][here], rows[here])
    return frame_of(filled, X.index).set_axis(X.columns, axis=1)


def _fill_column(column: pd.Series, drawn: pd.Series, rows: np.ndarray) -> pd.Series:
    """Return a copy of a column with what was drawn in its gaps, which are at ``rows``.

    It keeps its dtype, unless that is what pandas gives a column without values, which says
    nothing: then the training column's is taken. Categories that it does not know are added to it.
    """
    if len(rows) == 0:
        return column.copy()
    if isinstance(column.dtype, pd.SparseDtype):  # whose cells cannot be set
        dense = column.sparse.to_dense()
        filled = _fill_column(dense, drawn, rows)
        return filled.astype(column.dtype) if filled.dtype == dense.dtype else filled
    if len(rows) == len(column) and _says_nothing(column.dtype, drawn.dtype):
        return drawn.set_axis(column.index)
    column = column.copy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.add_categories(
            [value for value in drawn.unique() if value not in column.cat.categories]
        )
    try:
        column.iloc[rows] = drawn.astype(column.dtype).array
    except (TypeError, ValueError) as error:
        example = dtypes.plain(drawn.iloc[0])
        raise ValueError(
            f"column {column.name!r} is of dtype {column.dtype}, which cannot hold what is drawn, "
            f"such as {example!r}; give it the training column's, {drawn.dtype}"
        ) from error
    return column


def _says_nothing(dtype: Any, trained: Any) -> bool:
    """Tell whether the dtype of a column without values is not its own: objects, or NaN for dates."""
    if pd.api.types.is_object_dtype(dtype):
        return True
    return dtype == np.dtype("float64") and not pd.api.types.is_any_real_numeric_dtype(trained)
