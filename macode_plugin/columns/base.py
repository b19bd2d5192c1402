"""What every kind of column has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes

if TYPE_CHECKING:
    from macode_plugin.constraints import Allowed

__all__ = ["FREE", "Column"]

FREE = -1
"""The token of a cell that is not given: missing, or to be drawn."""


class Column(ABC):
    """One fitted column of a table.

    Arguments
    ---------
    name : hashable

    counts : ndarray, shape (n_values,)
        How many training cells each token holds, without the token for missing.
    n_missing : int or None
        Training cells without a value when missingness is modelled, None when it is not.
    """

    kind: str

    def __init__(self, name: Any, counts: np.ndarray, n_missing: int | None) -> None:
        self.name = name
        self.value_counts = counts
        self.n_missing = n_missing

    @property
    def n_values(self) -> int:
        """Number of tokens that stand for values."""
        return len(self.value_counts)

    def require_values(self) -> None:
        """Raise a ValueError if training had no value of this column, so that none can be drawn."""
        if self.n_values == 0:
            raise ValueError(f"column {self.name!r} had no value in training, so none can be drawn")

    @property
    def missing_token(self) -> int | None:
        """The token that means "missing", or None where missingness is not modelled."""
        return None if self.n_missing is None else self.n_values

    @property
    def n_tokens(self) -> int:
        """Number of tokens of this column."""
        return self.n_values + (self.n_missing is not None)

    @property
    def counts(self) -> np.ndarray:
        """Training cells per token, shape (n_tokens,)."""
        return self.value_counts if self.n_missing is None else np.r_[self.value_counts, self.n_missing]

    @property
    def positions(self) -> np.ndarray | None:
        """Place of each value token on the column's scale, in [0, 1]; None if it has no order."""
        mass = self.value_counts + 1e-9
        return (np.cumsum(mass) - mass / 2) / mass.sum() if self.ordered else None

    @property
    @abstractmethod
    def log_extent(self) -> np.ndarray:
        """Logarithm of each value token's length, shape (n_values,): 0 for a single value."""

    @property
    @abstractmethod
    def ordered(self) -> bool:
        """Whether neighbouring tokens are alike."""

    def encode(self, series: pd.Series) -> np.ndarray:
        """Return the token of every cell, shape (n,), ``FREE`` where it has no value.

        Raises
        ------
        ValueError
            For a value that this column cannot hold; the message names it.
        """
        series = dtypes.mark_missing(series)
        missing = series.isna().to_numpy(dtype=bool)
        tokens = np.full(len(series), FREE, dtype=np.int64)
        if not missing.all():
            tokens[~missing] = self._encode_values(series[~missing])
        return tokens

    def strange(self, series: pd.Series) -> np.ndarray:
        """Return True for each cell whose value no token stands for, shape (n,).

        Raises
        ------
        ValueError
            For a value of another type than the column's; the message names it.
        """
        missing = series.isna().to_numpy(dtype=bool)
        found = np.zeros(len(series), dtype=bool)
        if not missing.all():
            found[~missing] = self._strange_values(series[~missing])
        return found

    def decode(self, tokens: np.ndarray, u: np.ndarray, allowed: Allowed | None = None) -> pd.Series:
        """Return values for tokens, shape (n,), in the training column's dtype.

        Arguments
        ---------
        tokens : ndarray of int64, shape (n,)
        u : ndarray, shape (n,)
            Uniform draws in [0, 1), which place a continuous value inside its bin.
        allowed : Allowed or None
            The part of each token that values may come from.
        """
        missing = tokens == self.n_values
        series = self._decode_values(np.where(missing, 0, tokens), u, missing, allowed)
        return series.rename(self.name)

    @abstractmethod
    def cast(self, series: pd.Series) -> pd.Series:
        """Return values, none of them missing, in the training column's dtype."""

    @abstractmethod
    def _strange_values(self, series: pd.Series) -> np.ndarray:
        """Return which cells, all with a value, have one that no token stands for."""

    @abstractmethod
    def _encode_values(self, series: pd.Series) -> np.ndarray:
        """Return the tokens of cells that all have a value."""

    @abstractmethod
    def _decode_values(
        self, tokens: np.ndarray, u: np.ndarray, missing: np.ndarray, allowed: Allowed | None
    ) -> pd.Series:
        """Return values for value tokens, no value where ``missing``."""

    @abstractmethod
    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return a description in JSON's types, and the arrays that go with it."""
