"""Quality figures: how far a synthetic table is from a real one.

- **Marginal distance**, mean over columns: Kolmogorov-Smirnov statistic of a numeric column, total
  variation of a categorical one. 0 is ideal.
- **Association difference**, mean over pairs of columns: absolute difference of Spearman's rank
  correlations. 0 is ideal.
- **Detector AUC**: how well gradient boosting tells real rows from synthetic ones, by
  cross-validation. 0.5 is ideal, 1 means that every row gives itself away; well below 0.5,
  synthetic rows are copies of real ones.
- **Target score**: how well a model trained on synthetic rows predicts one column of real rows,
  beside a model trained on real rows.

All figures but the detector's depend on the number of rows, even between two samples of one
distribution, so compare figures of tables of one size only.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split

from macode_plugin.coding import Coded, code_alike

__all__ = [
    "Quality",
    "TargetScore",
    "associations",
    "evaluate",
    "marginal_distances",
]

FOLDS = 5
"""Folds of the detector's cross-validation; fewer rows than this leave it undefined."""

MAX_ROWS = 20_000
"""Rows of each table that a model is trained on, at most: more change the figures little."""

MAX_CLASSES = 10
"""A numeric target with at most this many distinct values is predicted as classes."""


@dataclass(frozen=True)
class TargetScore:
    """How well one column of real test rows is predicted, by the rows that a model is trained on.

    Arguments
    ---------
    target : hashable
        The column.
    metric : str
        "ROC AUC" for two classes, "accuracy" for more, "R2" for numbers.
    synthetic, real : float
        Score after training on synthetic and on as many real rows; NaN where undefined.
    """

    target: Any
    metric: str
    synthetic: float
    real: float


@dataclass(frozen=True)
class Quality:
    """The figures of this module; NaN where the tables are too small to define one."""

    n_real: int
    n_synthetic: int
    marginal_distance: float
    association_difference: float
    detector_auc: float
    target_score: TargetScore | None

    def to_json(self) -> dict[str, Any]:
        """Return the figures in JSON's types, None for NaN."""
        return _without_nan(dataclasses.asdict(self))


def evaluate(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    target: Any = None,
    test: pd.DataFrame | None = None,
    random_state: int = 0,
) -> Quality:
    """Compare a synthetic table with a real one.

    Arguments
    ---------
    real : DataFrame, shape (n, p)
    synthetic : DataFrame, shape (m, p)
        The same columns, in any order. Text where the real table has times or durations is read
        as such, as a CSV file has them.
    target : hashable or None
        Column to predict for the target score; None for no such score.
    test : DataFrame or None
        Real rows to predict the target of; None holds a fifth of ``real`` out.
    random_state : int
        Seeds subsamples, folds and models.

    Raises
    ------
    ValueError
        For a column that one table lacks, that holds different kinds of values, or infinity.
    """
    coded = code_alike(real, synthetic)
    score = None
    if target is not None:
        if test is None:
            real_train, test = _hold_out(real, random_state)
        else:
            real_train = real
        score = _target_score(real_train, synthetic, test, target, random_state)
    return Quality(
        n_real=len(real),
        n_synthetic=len(synthetic),
        marginal_distance=float(marginal_distances(coded).mean()),
        association_difference=_association_difference(coded),
        detector_auc=_detector_auc(coded, random_state),
        target_score=score,
    )


def marginal_distances(coded: Coded) -> np.ndarray:
    """Return the distance in [0, 1] of each column's distributions in two tables, shape (p,).

    Missing counts as a value of its own: a category, or a number below all others.
    """
    real, synthetic = coded.tables
    return np.array(
        [
            _kolmogorov_smirnov(real[:, j], synthetic[:, j])
            if categories is None
            else _total_variation(real[:, j], synthetic[:, j])
            for j, categories in enumerate(coded.categories)
        ]
    )


def associations(table: np.ndarray) -> np.ndarray:
    """Return Spearman's correlations of a coded table's columns, shape (p, p).

    Pairs of cells with a missing one are left out; NaN for a constant column.
    """
    return pd.DataFrame(table).corr(method="spearman").to_numpy()


def _kolmogorov_smirnov(real: np.ndarray, synthetic: np.ndarray) -> float:
    pair = (np.where(np.isnan(x), -np.inf, x) for x in (real, synthetic))
    with np.errstate(divide="ignore"):  # in the p-value of a single row, which is not used
        return float(ks_2samp(*pair, method="asymp").statistic)


def _total_variation(real: np.ndarray, synthetic: np.ndarray) -> float:
    codes = [np.where(np.isnan(x), 0, x + 1).astype(np.int64) for x in (real, synthetic)]
    size = max(int(code.max()) for code in codes) + 1
    p, q = (np.bincount(code, minlength=size) / len(code) for code in codes)
    return float(np.abs(p - q).sum() / 2)


def _association_difference(coded: Coded) -> float:
    first, second = (associations(table) for table in coded.tables)
    difference = np.abs(first - second)[np.triu_indices(len(first), k=1)]
    defined = difference[~np.isnan(difference)]
    return float(defined.mean()) if len(defined) else math.nan


def _without_missing(coded: Coded) -> list[np.ndarray]:
    """Return the tables with a number below all others of its column in each missing cell.

    scikit-learn's boosted trees take NaN, but fail on a column that has nothing else in a fold.
    """
    low, span = np.zeros(len(coded.categories)), np.zeros(len(coded.categories))
    for j in range(len(low)):
        present = np.concatenate([table[~np.isnan(table[:, j]), j] for table in coded.tables])
        if len(present):
            low[j], span[j] = present.min(), np.ptp(present)
    # The last term keeps it below even where the values are huge and all equal.
    below = low - np.maximum(np.maximum(span, 1.0), 1e-6 * np.abs(low))
    return [np.where(np.isnan(table), below, table) for table in coded.tables]


def _detector_auc(coded: Coded, seed: int) -> float:
    """Return the cross-validated AUC of real against synthetic, on as many rows of each."""
    n = min(*map(len, coded.tables), MAX_ROWS)
    if n < FOLDS:
        return math.nan
    rng = np.random.default_rng(seed)
    rows = np.vstack([rng.permutation(table)[:n] for table in _without_missing(coded)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = HistGradientBoostingClassifier(random_state=seed)
    aucs = cross_val_score(model, rows, np.repeat([0, 1], n), cv=folds, scoring="roc_auc")
    return float(aucs.mean())


def _hold_out(real: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    if len(real) < 2:
        return real, real
    train, test = train_test_split(real, test_size=0.2, random_state=seed)
    return train, test


def _target_score(
    train: pd.DataFrame, synthetic: pd.DataFrame, test: pd.DataFrame, target: Any, seed: int
) -> TargetScore:
    if target not in train.columns:
        known = ", ".join(repr(name) for name in train.columns)
        raise ValueError(f"the target {target!r} is not a column; columns: {known}")
    if len(train.columns) == 1:
        raise ValueError(f"the target {target!r} is the only column: nothing predicts it")
    coded = code_alike(train, synthetic, test)
    place = train.columns.get_loc(target)
    features = [np.delete(table, place, axis=1) for table in _without_missing(coded)]
    pairs = [_where_known(x, table[:, place]) for x, table in zip(features, coded.tables)]
    n = min(len(pairs[0][1]), len(pairs[1][1]), MAX_ROWS)
    n_classes = len(np.unique(np.concatenate([pairs[0][1], pairs[2][1]])))
    as_classes = coded.categories[place] is not None or n_classes <= MAX_CLASSES
    metric = ("ROC AUC" if n_classes == 2 else "accuracy") if as_classes else "R2"
    real, fake = (_score(_subsample(pair, n, seed), pairs[2], metric, seed) for pair in pairs[:2])
    return TargetScore(target, metric, synthetic=fake, real=real)


def _where_known(features: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave the rows out whose target is missing."""
    known = ~np.isnan(target)
    return features[known], target[known]


def _subsample(pair: tuple[np.ndarray, np.ndarray], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.random.default_rng(seed).permutation(len(pair[1]))[:n]
    return pair[0][rows], pair[1][rows]


def _score(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], metric: str, seed: int
) -> float:
    """Train on one pair of features and target, and score the predictions for another."""
    if min(len(np.unique(train[1])), len(test[1])) < 2:
        return math.nan
    if metric == "R2":
        regressor = HistGradientBoostingRegressor(random_state=seed).fit(*train)
        return float(r2_score(test[1], regressor.predict(test[0])))
    classifier = HistGradientBoostingClassifier(random_state=seed).fit(*train)
    if metric == "accuracy":
        return float(classifier.score(*test))
    positive = test[1] == test[1].max()
    if positive.all():
        return math.nan
    # A class that training did not show has no column: it is given probability 0 throughout.
    column = classifier.predict_proba(test[0])[:, classifier.classes_ == test[1].max()]
    return float(roc_auc_score(positive, column.sum(axis=1)))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
