"""Made-up tables of any size, to measure what a table costs and not what is learned of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.data import RealTable

__all__ = ["make"]


def make(n_rows: int, n_columns: int, n_categories: int, seed: int) -> RealTable:
    """Return a table, half of it numbers and half categories, of which the last has so many.

    All columns depend on one hidden number of their row. The other categorical columns have ten
    categories at most.

    Arguments
    ---------
    n_rows, n_columns : int
        At least as many rows as categories; at least two columns.
    n_categories : int
        Of the last column, each in at least one row, the k-th about 1 / k as often as the first.
    seed : int

    Raises
    ------
    ValueError
        For fewer rows than categories, or less than two columns.
    """
    if n_rows < n_categories or n_columns < 2:
        raise ValueError(
            f"rows must be at least as many as categories, and columns at least 2, however: "
            f"{n_rows} rows, {n_categories} categories, {n_columns} columns"
        )
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n_rows)
    continuous = [f"number {j}" for j in range(n_columns // 2)]
    categorical = [f"category {j}" for j in range(n_columns - len(continuous))]
    columns: dict[str, np.ndarray] = {name: _numbers(hidden, rng) for name in continuous}
    columns |= {name: _few_categories(hidden, rng) for name in categorical[:-1]}
    columns[categorical[-1]] = _many_categories(n_rows, n_categories, rng)
    return RealTable("made up", pd.DataFrame(columns), continuous, categorical, categorical[-1])


def _numbers(hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    slope, tail = rng.normal(), rng.uniform(0.1, 0.8)
    return np.exp(tail * (slope * hidden + rng.normal(size=len(hidden))))


def _few_categories(hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noisy = rng.normal() * hidden + rng.normal(size=len(hidden))
    edges = np.quantile(noisy, np.arange(0.1, 1, 0.1))
    return np.array(list("abcdefghij"))[np.searchsorted(edges, noisy)]


def _many_categories(n_rows: int, n_categories: int, rng: np.random.Generator) -> np.ndarray:
    weights = 1 / np.arange(1, n_categories + 1)
    drawn = rng.choice(n_categories, n_rows - n_categories, p=weights / weights.sum())
    codes = rng.permutation(np.concatenate([np.arange(n_categories), drawn]))
    return np.char.add("k", codes.astype(str))
