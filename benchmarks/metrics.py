"""The paper's eight measures of a synthetic table's quality (question 1).

Each takes a :class:`~benchmarks.comparison.Comparison`; where a measure is not defined, it is NaN.

References
----------
An et al., "Masked Language Modeling Becomes Conditional Density Estimation for Tabular Data
Synthesis", AAAI 2025, https://arxiv.org/abs/2405.20602, section 3. The histograms with a floor
follow Qian et al., "Synthcity", https://arxiv.org/abs/2301.07573.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import torch
from geomloss import SamplesLoss
from scipy.stats import entropy, ks_2samp, spearmanr
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from benchmarks.comparison import Comparison

__all__ = [
    "Classified",
    "classify",
    "f1",
    "goodness_of_fit",
    "kl_divergence",
    "maximum_mean_discrepancy",
    "mean",
    "smape",
    "smape_by_row",
    "wasserstein_distance",
]

_HISTOGRAM_BINS = 10
_FLOOR = 1e-11  # of a bin's share, so that a bin that one side leaves empty costs a finite amount
_PAIRED_ROWS = 4000  # the joint distances hold all pairs of rows in memory


def kl_divergence(c: Comparison) -> float:
    """KL(synthetic || training), averaged over columns; 0 is best.

    Continuous columns as histograms of 10 bins over the training range. Of a categorical
    column, the categories that one side lacks are left out of the sum.
    """
    continuous = [entropy(*_histograms(c.synthetic[k], c.train[k])) for k in c.continuous]
    categorical = [_categorical_kl(*_frequencies(c.synthetic[k], c.train[k])) for k in c.categorical]
    return mean(continuous + categorical)


def goodness_of_fit(c: Comparison) -> float:
    """Distance of marginal distributions, averaged over columns; 0 is best.

    Kolmogorov and Smirnov's statistic of continuous columns; sum((q - p)^2 / p) over the
    categories of the training rows for categorical ones.
    """
    continuous = [ks_2samp(c.train[k], c.synthetic[k]).statistic for k in c.continuous]
    categorical = [_chi_squared(*_frequencies(c.synthetic[k], c.train[k])) for k in c.categorical]
    return mean(continuous + categorical)


def maximum_mean_discrepancy(c: Comparison) -> float:
    """Squared MMD of the continuous columns, RBF kernel with gamma = 1 / d; 0 is best."""
    if not c.continuous:
        return np.nan
    real, synthetic = _standardised_sample(c)
    within = rbf_kernel(real).mean() + rbf_kernel(synthetic).mean()
    return float(within - 2 * rbf_kernel(real, synthetic).mean())


def wasserstein_distance(c: Comparison) -> float:
    """Sinkhorn divergence of the continuous columns (geomloss's defaults); 0 is best."""
    if not c.continuous:
        return np.nan
    real, synthetic = (torch.from_numpy(x.astype(np.float32)) for x in _standardised_sample(c))
    return float(SamplesLoss("sinkhorn")(real, synthetic))


def smape(c: Comparison) -> float:
    """Error of forests trained on synthetic rows, tested on real ones; 0 is best, 1 is worst.

    Mean of |t - p| / (|t| + |p| + 1e-6), each continuous column predicted from all others.
    """
    return mean(smape_by_row(c))


def smape_by_row(c: Comparison) -> np.ndarray:
    """Return every held-out row's part of :func:`smape`, shape (n,); NaN without continuous columns."""
    if not c.continuous:
        return np.full(len(c.test), np.nan)
    return np.mean([_smape_of(c, column) for column in c.continuous], axis=0)


def f1(c: Comparison) -> float:
    """Micro-F1 alone, as :class:`Classified` has it; needs no real rows to train on."""
    return mean(_train_and_test(c.standardised(), "synthetic")[0].ravel())


@dataclasses.dataclass(frozen=True)
class Classified:
    """What five classifiers made of the held-out rows; 1 is best of every measure.

    Arguments
    ---------
    real, synthetic : ndarray of float, shape (5, n)
        1 where the class was right, of those trained on training rows and on synthetic ones; NaN
        where there was one class alone to learn.
    real_importances, importances : ndarray, shape (p - 1,)
        Of the forest's inputs.
    """

    real: np.ndarray
    synthetic: np.ndarray
    real_importances: np.ndarray
    importances: np.ndarray

    def f1(self, rows: np.ndarray | None = None) -> float:
        """Micro-F1 (of one class a row, the share that is right), averaged over classifiers.

        Arguments
        ---------
        rows : ndarray of bool, shape (n,), or None
            The held-out rows that count; None for all.
        """
        return mean(_kept(self.synthetic, rows).ravel())

    def model_selection(self, rows: np.ndarray | None = None) -> float:
        """Rank correlation of the classifiers' F1, synthetic against real; ``rows`` as in :meth:`f1`."""
        shares = (_kept(side, rows) for side in (self.real, self.synthetic))
        return _rank_correlation(*([mean(of_one) for of_one in side] for side in shares))

    def feature_selection(self) -> float:
        """Rank correlation of the forest's importances, synthetic against real."""
        return _rank_correlation(self.real_importances, self.importances)


def classify(c: Comparison) -> Classified:
    """Train the classifiers on both sides and let them classify the held-out rows."""
    c = c.standardised()
    real, real_importances = _train_and_test(c, "train")
    synthetic, importances = _train_and_test(c, "synthetic")
    return Classified(real, synthetic, real_importances, importances)


def mean(values: list[float] | np.ndarray) -> float:
    """Return the mean, NaN of nothing."""
    return float(np.mean(values)) if len(values) else np.nan


def _kept(right: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    return right if rows is None else right[:, rows]


def _histograms(synthetic: pd.Series, real: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of both in the same bins, none of them 0."""
    values = np.unique(real)
    if len(values) < 5:
        shares = _frequencies(synthetic, real)
    else:
        edges = np.histogram_bin_edges(real, bins=min(_HISTOGRAM_BINS, len(values)))
        counts = [np.histogram(side, bins=edges)[0] for side in (synthetic, real)]
        shares = tuple(count / max(count.sum(), 1) for count in counts)
    return np.maximum(shares[0], _FLOOR), np.maximum(shares[1], _FLOOR)


def _frequencies(synthetic: pd.Series, real: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each value that either side has."""
    values = np.union1d(synthetic, real)
    q, p = (
        side.value_counts(normalize=True).reindex(values, fill_value=0) for side in (synthetic, real)
    )
    return q.to_numpy(), p.to_numpy()


def _categorical_kl(q: np.ndarray, p: np.ndarray) -> float:
    shared = (q > 0) & (p > 0)
    return float(np.sum(q[shared] * np.log(q[shared] / p[shared])))


def _chi_squared(q: np.ndarray, p: np.ndarray) -> float:
    known = p > 0
    return float(np.sum((q[known] - p[known]) ** 2 / p[known]))


def _standardised_sample(c: Comparison) -> list[np.ndarray]:
    """Return the continuous columns of training and synthetic rows, few enough for all pairs."""
    c = c.standardised()
    frames = [frame[c.continuous] for frame in (c.train, c.synthetic)]
    return [frame.sample(min(len(frame), _PAIRED_ROWS), random_state=0).to_numpy() for frame in frames]


def _smape_of(c: Comparison, column: str) -> np.ndarray:
    forest = RandomForestRegressor(random_state=0, n_jobs=torch.get_num_threads())
    forest.fit(c.synthetic.drop(columns=column), c.synthetic[column])
    predicted = forest.predict(c.test.drop(columns=column))
    true = c.test[column].to_numpy()
    return np.abs(true - predicted) / (np.abs(true) + np.abs(predicted) + 1e-6)


def _train_and_test(c: Comparison, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which held-out rows each classifier gets right, and the forest's importances."""
    train = getattr(c, side)
    inputs, target = train.drop(columns=c.target), train[c.target]
    if target.nunique() < 2:
        return np.full((5, len(c.test)), np.nan), np.full(inputs.shape[1], np.nan)
    forest = RandomForestClassifier(random_state=0, n_jobs=torch.get_num_threads())
    classifiers = [
        LogisticRegression(max_iter=1000, random_state=0),
        GaussianNB(),
        KNeighborsClassifier(),
        DecisionTreeClassifier(random_state=0),
        forest,
    ]
    right = []
    for classifier in classifiers:
        with warnings.catch_warnings():
            # The protocol takes the logistic regression as it stands after 1000 iterations.
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(inputs, target)
        predicted = classifier.predict(c.test.drop(columns=c.target))
        right.append((predicted == c.test[c.target].to_numpy()).astype(float))
    return np.array(right), forest.feature_importances_


def _rank_correlation(a: list[float] | np.ndarray, b: list[float] | np.ndarray) -> float:
    """Return Spearman's correlation, NaN where one side has no ranks."""
    if not np.ptp(a) > 0 or not np.ptp(b) > 0:
        return np.nan
    return float(spearmanr(a, b).statistic)
