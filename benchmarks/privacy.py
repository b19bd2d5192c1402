"""The paper's three measures of a synthetic table's privacy.

Each takes a :class:`~benchmarks.comparison.Comparison`; where a measure is not defined, it is NaN.
None of them bounds what an attacker can learn, and DCR does not see membership attacks (Yao et al.,
https://arxiv.org/abs/2505.01524): read them beside :mod:`benchmarks.membership`.

References
----------
An et al., "Masked Language Modeling Becomes Conditional Density Estimation for Tabular Data
Synthesis", AAAI 2025, https://arxiv.org/abs/2405.20602. What its text leaves open (which columns,
which scale, how results are averaged) is as in the authors' module ``metric_privacy``, which the
evaluation in https://github.com/an-seunghwan/MaCoDE calls.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy.stats import mode
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from benchmarks.comparison import Comparison
from benchmarks.distance import nearest_distance

__all__ = ["attribute_disclosure", "distance_to_closest_record", "k_anonymity"]

_CLUSTERS = (2, 5, 10, 15)
_ROWS_A_CLUSTER = 10
_COMPARED = 0.15  # share of the rows
_COMPROMISED = 0.01  # share of the rows
_KNOWN_COLUMNS = (3, 5, 10, 15)
_NEIGHBOURS = (1, 10, 100)


def k_anonymity(c: Comparison) -> float:
    """Rows in the smallest k-means cluster of the synthetic table, percent; more is better.

    The smallest over 2, 5, 10 and 15 clusters of the standardised continuous columns, without
    those counts that leave fewer than 10 rows to a cluster. The released code also counts no
    cluster as more than 999 rows, which is all that its figure of covtype (.215) says; no such
    bound is set here.
    """
    if not c.continuous:
        return np.nan
    rows = c.standardised().synthetic[c.continuous].to_numpy()
    sizes = [_smallest_cluster(rows, k) for k in _CLUSTERS if len(rows) / k >= _ROWS_A_CLUSTER]
    return 100 * min(sizes) / len(rows) if sizes else np.nan


def distance_to_closest_record(c: Comparison) -> float:
    """Distance from training rows to the nearest synthetic row, the 5th percentile; DCR.

    Euclidean, over the standardised continuous columns alone, between samples of 15 % of either
    table. More is held to be more private.
    """
    c = c.standardised()
    train, synthetic = (_sample(frame[c.continuous], _COMPARED) for frame in (c.train, c.synthetic))
    if not c.continuous or train.empty or synthetic.empty:
        return np.nan
    return float(np.percentile(nearest_distance(synthetic, train), 5))


def attribute_disclosure(c: Comparison) -> float:
    """Accuracy with which categories are guessed from some known columns; less is better.

    Of 1 % of the training rows an attacker knows the first 3, 5, 10 or 15 continuous columns
    (as many of these as there are), and guesses every categorical column by a vote of the 1,
    10 or 100 nearest synthetic rows in the known columns, standardised. Averaged over columns and over
    all these settings. A tied vote goes to the smallest code. The guess is as good where the model
    merely learned how columns depend: fresh real rows score higher than any model of the paper.
    """
    c = c.standardised()
    victims = _sample(c.train, _COMPROMISED)
    known = [c.continuous[:m] for m in _KNOWN_COLUMNS if m <= len(c.continuous)]
    if not known or not c.categorical or victims.empty:
        return np.nan
    return float(np.mean([_share_guessed(c, victims, columns) for columns in known]))


def _smallest_cluster(rows: np.ndarray, n_clusters: int) -> int:
    with warnings.catch_warnings():
        # Rows that repeat may have fewer distinct values than clusters: the others stay empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = KMeans(n_clusters, random_state=0).fit_predict(rows)
    return int(np.unique(labels, return_counts=True)[1].min())


def _sample(frame: pd.DataFrame, share: float) -> pd.DataFrame:
    return frame.sample(int(len(frame) * share), random_state=0)


def _share_guessed(c: Comparison, victims: pd.DataFrame, known: list[str]) -> float:
    """Return the share of the victims' categories that the neighbours' votes give."""
    index = NearestNeighbors(n_neighbors=min(max(_NEIGHBOURS), len(c.synthetic)))
    neighbours = index.fit(c.synthetic[known]).kneighbors(victims[known], return_distance=False)
    categories = c.synthetic[c.categorical].to_numpy()[neighbours]
    votes = np.stack([mode(categories[:, :k], axis=1).mode for k in _NEIGHBOURS])
    return float(np.mean(votes == victims[c.categorical].to_numpy()))
