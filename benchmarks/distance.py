"""How far rows of a table are apart: one Euclidean space for numbers and categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from benchmarks.comparison import Comparison

__all__ = ["coordinates", "nearest_distance"]


def coordinates(c: Comparison) -> dict[str, pd.DataFrame]:
    """Return the rows of ``train``, ``test`` and ``synthetic`` as points of one Euclidean space.

    A standard deviation of a continuous column of the training rows counts as much as another
    category.
    """
    c = c.standardised()
    parts = {"train": c.train, "test": c.test, "synthetic": c.synthetic}
    rows = pd.get_dummies(pd.concat(parts), columns=c.categorical, dtype=float)
    # Two rows of different categories differ in two indicators, hence the root of 2.
    rows[rows.columns.difference(c.continuous)] /= np.sqrt(2)
    return {part: rows.loc[part] for part in parts}


def nearest_distance(points: pd.DataFrame, queries: pd.DataFrame) -> np.ndarray:
    """Return each query's Euclidean distance to the nearest point, shape (n_queries,)."""
    # A tree takes differences of coordinates, so that equal rows are exactly 0 apart and ties are
    # seen; the faster matrix product would leave rounding errors.
    index = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(points.to_numpy())
    return index.kneighbors(queries.to_numpy())[0][:, 0]
