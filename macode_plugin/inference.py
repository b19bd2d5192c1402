"""What a fitted model answers besides samples: densities, likelihoods, imputations, predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import settings
from macode_plugin.columns import FREE, CategoricalColumn, NumericColumn
from macode_plugin.conditional import CategoricalConditional, Conditional, NumericConditional
from macode_plugin.conditions import read_conditions
from macode_plugin.density import row_log_prob, token_probabilities
from macode_plugin.imputation import completions
from macode_plugin.networks import ConditionalNetwork
from macode_plugin.table import Table, check_labels

__all__ = ["Inference"]


class Inference:
    """Queries of a fitted model; :class:`~macode_plugin.MaCoDE` inherits them."""

    table_: Table
    network_: ConditionalNetwork

    def conditional(
        self,
        target: Any,
        given: Mapping[Any, Any] | pd.DataFrame | None = None,
        *,
        n_orders: int = 4,
        random_state: int = 0,
    ) -> Conditional:
        """Return p(target | given), for one query or for many.

        Arguments
        ---------
        target : label
            A column of the training table.
        given : mapping, DataFrame or None
            Values of any other columns: a mapping for one query, a frame with a row for each of
            several. Columns left out, and missing cells of a frame, are marginalised by masking.
            A number beyond the training range counts as the nearest end of the range.
        n_orders : int
            Random orders of reading what is given, over which probabilities are averaged.
        random_state : int
            Seed of those orders; fixed, so that the same query has the same answer.

        Returns
        -------
        NumericConditional or CategoricalConditional

        Raises
        ------
        ValueError
            For a column or category that training did not show, or if the target is given.

        Example
        -------
        >>> import pandas as pd
        >>> from macode_plugin import MaCoDE
        >>> frame = pd.DataFrame({"size": [1.5, 2.5, 3.5] * 20, "kind": ["a", "b", "b"] * 20})
        >>> model = MaCoDE(epochs=5, random_state=0, verbose=False).fit(frame)
        >>> low, high = model.conditional("size", {"kind": "b"}).interval(0.9)
        """
        self._check_fitted()
        settings.check_whole("n_orders", n_orders)
        settings.check_seed(random_state)
        place = self.table_.place(target)
        known, index = self._read_given(given)
        if (known[:, place] != FREE).any():
            raise ValueError(f"column {target!r} is both the target and given; leave it out of given")
        column = self.table_.columns[place]
        column.require_values()
        probabilities = token_probabilities(
            self.network_, known, place, column.n_tokens, n_orders=n_orders, seed=random_state
        )
        present = probabilities[:, : column.n_values]
        total = present.sum(axis=1, keepdims=True)
        kind = NumericConditional if isinstance(column, NumericColumn) else CategoricalConditional
        return kind(column, present / total, np.clip(1 - total[:, 0], 0.0, 1.0), index)

    def log_prob(self, X: pd.DataFrame, *, n_orders: int = 8, random_state: int = 0) -> np.ndarray:
        """Return the log-likelihood of every row, in nats.

        Categories and values on a column's grid (integers, dates, rounded decimals) count with
        their mass, numbers of full precision with their density in the column's own unit
        (:mod:`macode_plugin.conditional`). Missing cells, and columns left out, are marginalised.
        A number beyond the training range or between its values counts as the nearest one that training
        showed.

        Arguments
        ---------
        X : DataFrame, shape (n, any)
        n_orders : int
            Random orders of the chain rule; the result is the logarithm of their mean
            probability.
        random_state : int
            Seed of those orders.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        ValueError
            For a column or category that training did not show, or a value finer than its column's
            unit, such as a fraction among whole numbers.
        """
        self._check_fitted()
        settings.check_whole("n_orders", n_orders)
        settings.check_seed(random_state)
        check_labels(X)
        tokens = self.table_.encode(X, missing_is_token=True)
        result = row_log_prob(self.network_, tokens, n_orders=n_orders, seed=random_state)
        for j, column in enumerate(self.table_.columns):
            # The token for "missing" and FREE cells have no extent.
            log_extent = np.r_[column.log_extent, np.zeros(2)]
            result -= log_extent[np.where(tokens[:, j] == FREE, column.n_values, tokens[:, j])]
        return result

    def score(self, X: pd.DataFrame, y: None = None) -> float:
        """Return the mean log-likelihood of the rows, in nats; larger is better. ``y`` is ignored.

        Raises
        ------
        ValueError
            For a frame without rows, and as :meth:`log_prob`.
        """
        nats = self.log_prob(X)
        if len(nats) == 0:
            raise ValueError("X has no rows, so their mean log-likelihood is undefined")
        return float(nats.mean())

    def impute(self, X: pd.DataFrame, *, random_state: int | None = None) -> pd.DataFrame:
        """Return a copy of ``X`` with every missing cell drawn; see :meth:`multiple_impute`."""
        return self.multiple_impute(X, 1, random_state=random_state)[0]

    def multiple_impute(
        self, X: pd.DataFrame, m: int = 5, *, random_state: int | None = None
    ) -> list[pd.DataFrame]:
        """Return m copies of ``X`` with every missing cell drawn.

        Training rows or new ones, with any pattern of gaps, all of a row's gaps drawn jointly.
        Observed cells, dtypes and the index stay as they are. A category that training did not
        show, or a value finer than its column's unit (a fraction among whole numbers), stays too, with
        a warning, and the gaps of its row are drawn from the other cells. Pool estimates made on the
        copies with :func:`macode_plugin.pool`.

        Arguments
        ---------
        X : DataFrame, shape (n, any)
            Columns of the training frame.
        m : int
            Number of imputations.
        random_state : int or None
            Seed; the first copies of a larger ``m`` are those of a smaller one. None takes the
            next seed of the model's own series.

        Raises
        ------
        ValueError
            For a column that training did not show, values of another type than its own, or m < 1.

        Notes
        -----
        With ``missing="model"`` cells are drawn given that they have a value.
        """
        self._check_fitted()
        settings.check_whole("m", m)
        settings.check_seed(random_state)
        seed = self._next_seed() if random_state is None else random_state
        return list(completions(self.table_, self.network_, X, m, seed))

    def predict(self, target: Any, X: pd.DataFrame) -> np.ndarray:
        """Return the target's expectation given each row, or its most probable category.

        Arguments
        ---------
        target : label
        X : DataFrame, shape (n, any)
            The target's own column is not looked at; missing cells are marginalised.

        Returns
        -------
        ndarray, shape (n,)
        """
        found = self.conditional(target, _without(X, target))
        return found.mean() if isinstance(found, NumericConditional) else found.mode()

    def predict_proba(self, target: Any, X: pd.DataFrame) -> pd.DataFrame:
        """Return the probability of each category of the target given each row.

        Returns
        -------
        DataFrame, shape (n, n_categories)

        Raises
        ------
        TypeError
            If the target is not categorical.
        """
        self._check_fitted()
        if not isinstance(self.table_[target], CategoricalColumn):
            raise TypeError(f"column {target!r} is not categorical; use conditional({target!r}, X)")
        found = self.conditional(target, _without(X, target))
        assert isinstance(found, CategoricalConditional)
        return found.probs

    def _read_given(
        self, given: Mapping[Any, Any] | pd.DataFrame | None
    ) -> tuple[np.ndarray, pd.Index | None]:
        if isinstance(given, pd.DataFrame):
            return read_conditions(self.table_, given, None, clip=True).tokens, given.index
        known = {} if given is None else given
        return read_conditions(self.table_, known, 1, clip=True).tokens, None

    def _check_fitted(self) -> None:
        raise NotImplementedError

    def _next_seed(self) -> int:
        raise NotImplementedError


def _without(X: pd.DataFrame, target: Any) -> pd.DataFrame:
    check_labels(X)
    return X.drop(columns=target, errors="ignore")
