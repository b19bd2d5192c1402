"""What grows with a table, and how steeply."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["COSTS", "exponents"]

COSTS = {
    "fit_s_per_epoch": "Fit s / epoch",
    "sample_s": "Sample s",
    "peak_mib": "Memory MiB",
}
"""Titles of what is measured, by its column."""


def exponents(points: pd.DataFrame, cost: str) -> dict[str, float]:
    """Return the slope of log(cost) over log(size) along an axis.

    Arguments
    ---------
    points : DataFrame
        Of one axis, with columns ``size`` and ``cost``; several seeds are averaged.
    cost : str

    Returns
    -------
    dict of str to float
        ``all``: least squares over all sizes; ``last``: between the two largest. NaN for one size.
    """
    means = points.groupby("size")[cost].mean()
    if len(means) < 2:
        return {"all": np.nan, "last": np.nan}
    x, y = np.log(means.index.to_numpy(dtype=float)), np.log(means.to_numpy())
    return {"all": float(np.polyfit(x, y, 1)[0]), "last": float((y[-1] - y[-2]) / (x[-1] - x[-2]))}
