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

import contextlib
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

from macode_plugin.dtypes import is_arrow_decimal, is_numeric, plain, reason, to_numbers
from macode_plugin.grid import EXACT, distances
from macode_plugin.reading import UNREADABLE, first_unreadable, read_as

__all__ = [
    "Coded",
    "Quality",
    "TargetScore",
    "associations",
    "code_alike",
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
class Coded:
    """Tables as numbers, coded alike.

    Arguments
    ---------
    tables : tuple of ndarray, each of shape (n_i, p)
        Numbers, times in units of the first table's, places of categories; NaN where missing.
    categories : tuple of (list of str or None), length p
        The categories of each categorical column in the order of their codes, None for a numeric
        one.
    origins : tuple of int, length p
        The number that each column is counted from: its smallest for whole numbers beyond 2**53,
        neighbours of which would be one float, else 0.
    """

    tables: tuple[np.ndarray, ...]
    categories: tuple[list[str] | None, ...]
    origins: tuple[int, ...]


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


def code_alike(real: pd.DataFrame, *others: pd.DataFrame) -> Coded:
    """Code tables as numbers, so that one value has one code in all of them.

    The first table says what is numeric. Categories are compared by what they print as and coded
    by their declared order, else their sorted order.

    Raises
    ------
    ValueError
        For a table without rows, a column that one table lacks, that holds different kinds of
        values, or infinity.
    """
    for other in others:
        _check_alike(real, other)
    columns, categories, origins = [], [], []
    for name in real.columns:
        series = [frame[name] for frame in (real, *others)]
        order, origin = None, 0
        if is_numeric(real[name].dtype):
            codes, origin = _code_numbers(series)
        else:
            codes, order = _code_categories(series)
        columns.append(codes)
        categories.append(order)
        origins.append(origin)
    tables = tuple(np.column_stack(table) for table in zip(*columns))
    return Coded(tables, tuple(categories), tuple(origins))


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


def _check_alike(real: pd.DataFrame, other: pd.DataFrame) -> None:
    for first, second in ((real, other), (other, real)):
        if len(first) == 0:
            raise ValueError("a table without rows cannot be compared")
        if first.columns.has_duplicates:
            twice = first.columns[first.columns.duplicated()][0]
            raise ValueError(f"column {twice!r} occurs more than once in a table")
        lacking = [name for name in first.columns if name not in second.columns]
        if lacking:
            which = "synthetic" if first is real else "real"
            raise ValueError(f"column {lacking[0]!r} is absent from the {which} table")


def _code_numbers(columns: list[pd.Series]) -> tuple[list[np.ndarray], int]:
    """Return a column's numbers in every table, and the number that they are counted from."""
    real_too = is_arrow_decimal(columns[0].dtype)
    columns = [
        _without_decimals(series) if real_too or is_arrow_decimal(series.dtype) else series
        for series in columns
    ]
    numbers = [_read_numbers(series, columns[0].dtype) for series in columns]
    known = np.concatenate([values[~missing] for values, missing in numbers])
    large = known.dtype.kind == "i" and len(known) and (known.max() > EXACT or known.min() < -EXACT)
    origin = int(known.min()) if large else 0
    codes = []
    for values, missing in numbers:
        floats = (distances(values, origin) if origin else values).astype(np.float64)
        codes.append(np.where(missing, np.nan, floats))
    return codes, origin


def _without_decimals(series: pd.Series) -> pd.Series:
    """Return decimals, of whatever scale, or what may be one as text, as the plain numbers they are."""
    try:
        floats = series.astype(object).where(series.notna(), np.nan).astype(np.float64)
    except UNREADABLE as error:
        raise ValueError(
            f"column {series.name!r} holds decimals in the real table, but {series.dtype} values in the "
            f"other that are no numbers: {reason(error)}; correct them"
        ) from error
    return floats


def _read_numbers(series: pd.Series, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers or times, the latter in the unit of ``dtype``, and which are missing."""
    known = series.notna().to_numpy(dtype=bool)
    if not known.any():
        return np.zeros(len(series), dtype=np.int64), ~known
    own, gone = to_numbers(_in_unit(series[known], dtype))
    if np.isinf(own[~gone]).any():
        raise ValueError(f"column {series.name!r} holds infinity; replace it by missing values")
    values, missing = np.zeros(len(series), dtype=own.dtype), ~known
    values[known], missing[known] = own, gone
    return values, missing


def _in_unit(series: pd.Series, dtype: Any) -> pd.Series:
    """Return values, none of them missing, in the unit of ``dtype``; text is read as times."""
    # Plain numbers of any width compare as they are; anything else needs the very same dtype, or
    # nanoseconds would be compared with days.
    are_plain = [pd.api.types.is_any_real_numeric_dtype(kind) for kind in (dtype, series.dtype)]
    if all(are_plain) or series.dtype == dtype:
        return series
    if not any(are_plain):
        with contextlib.suppress(*UNREADABLE):
            return series.astype(dtype) if is_numeric(series.dtype) else _read_text(series, dtype)
    raise ValueError(
        f"column {series.name!r} holds {dtype} values in the real table, but {series.dtype} values in "
        f"the other, such as {_strange(series, dtype)!r}; correct them, or make the column text in both "
        f"tables to compare categories (on the command line: --text {series.name})"
    )


def _read_text(series: pd.Series, dtype: Any) -> pd.Series:
    """Read times, durations and the like that are written as in a CSV file."""
    read, finer = read_as(series.astype(object), dtype)
    if read.isna().any():
        raise ValueError("as text it means that there is no value")
    if finer.any():
        raise ValueError(f"it is finer than {dtype} can tell")
    return read


def _strange(series: pd.Series, dtype: Any) -> Any:
    """Return a value that is not one of ``dtype``."""
    if not is_numeric(series.dtype):
        try:
            _read_text(series, dtype)
        except UNREADABLE:
            return first_unreadable(series, lambda part: _read_text(part, dtype))
    return plain(series.iloc[0])


def _code_categories(columns: list[pd.Series]) -> tuple[list[np.ndarray], list[str]]:
    texts = [series.astype(object).map(_category_text, na_action="ignore") for series in columns]
    present = sorted({text for column in texts for text in column.dropna()})
    order = list(dict.fromkeys([*_declared_order(columns[0].dtype), *present]))
    codes = [pd.Categorical(column, categories=order).codes for column in texts]
    return [np.where(code < 0, np.nan, code.astype(np.float64)) for code in codes], order


def _category_text(value: Any) -> str:
    # A file with missing cells may bring whole numbers back as floats.
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _declared_order(dtype: Any) -> list[str]:
    ordered = isinstance(dtype, pd.CategoricalDtype) and dtype.ordered
    return [_category_text(value) for value in dtype.categories] if ordered else []


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
