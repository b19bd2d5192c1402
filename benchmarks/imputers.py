"""The imputation models that question 3 compares, behind one small interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from benchmarks import options
from macode_plugin import MaCoDE

__all__ = ["IMPUTERS", "Imputer"]


class Imputer(Protocol):
    """A model that learns from an incomplete table and completes it several times.

    Tables are numbers throughout, categories codes, but those for MaCoDE, which takes any type.
    """

    epochs_run: float
    """Epochs that fitting took; NaN for a model without."""

    def fit(self, holed: pd.DataFrame, categorical: list[str]) -> None:
        """Learn from a table with missing cells."""

    def impute(self, holed: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        """Return m completed tables; observed cells are unchanged."""


class _MaCoDE:
    """The package's model, in either setting."""

    def __init__(self, model: MaCoDE) -> None:
        self.model = model
        self.epochs_run = np.nan

    def fit(self, holed: pd.DataFrame, categorical: list[str]) -> None:
        self.model.fit(holed, categorical_columns=categorical)
        self.epochs_run = len(self.model.history_)

    def impute(self, holed: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        return self.model.multiple_impute(holed, m, random_state=self.model.random_state)


class _Chained:
    """scikit-learn's chained Bayesian linear regressions: each imputation is a chain of its own.

    Categories are treated as numbers, as that class does; only continuous columns are measured.
    """

    epochs_run = np.nan

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, holed: pd.DataFrame, categorical: list[str]) -> None:
        pass  # a chain learns as it imputes

    def impute(self, holed: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        seeds = np.random.SeedSequence(self.seed).generate_state(m).tolist()
        return [self._one(holed, seed) for seed in seeds]

    def _one(self, holed: pd.DataFrame, seed: int) -> pd.DataFrame:
        chain = IterativeImputer(sample_posterior=True, random_state=seed)
        return pd.DataFrame(chain.fit_transform(holed), index=holed.index, columns=holed.columns)


class _Forests:
    """miceforest: chained gradient-boosted trees with mean matching, at its own settings."""

    epochs_run = np.nan
    iterations = 5
    """Rounds over the columns; the package has no default, its documentation's examples have few."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, holed: pd.DataFrame, categorical: list[str]) -> None:
        self.categorical = categorical

    def impute(self, holed: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        import miceforest

        typed = holed.astype(dict.fromkeys(self.categorical, "category"))
        kernel = miceforest.ImputationKernel(typed, num_datasets=m, random_state=self.seed)
        kernel.mice(self.iterations)
        return [kernel.complete_data(dataset=i).astype(holed.dtypes) for i in range(m)]


class _HyperImpute:
    """hyperimpute's own method: chained models, chosen for each column; a search an imputation.

    It fills in what it expects rather than draws. Categories are told from numbers by the host, by
    how many values a column has.
    """

    epochs_run = np.nan

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, holed: pd.DataFrame, categorical: list[str]) -> None:
        pass  # it learns as it imputes

    def impute(self, holed: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        from hyperimpute.plugins.imputers import Imputers

        seeds = np.random.SeedSequence(self.seed).generate_state(m).tolist()
        makers = (Imputers().get("hyperimpute", random_state=seed) for seed in seeds)
        filled = [maker.fit_transform(holed.copy()) for maker in makers]
        return [table.set_axis(holed.columns, axis=1).set_axis(holed.index) for table in filled]


IMPUTERS: dict[str, Callable[[int, int | None], Imputer]] = {
    "macode": lambda seed, epochs: _MaCoDE(options.model(seed, epochs)),
    "macode-paper": lambda seed, epochs: _MaCoDE(options.model(seed, epochs, paper=True)),
    "iterative": lambda seed, epochs: _Chained(seed),
    "miceforest": lambda seed, epochs: _Forests(seed),
    "hyperimpute": lambda seed, epochs: _HyperImpute(seed),
}
"""Makers of models by name, from a seed and the epochs asked for (None: the model's own)."""
