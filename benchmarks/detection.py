"""Measures that good synthesisers have not saturated: can one tell them, did they copy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

from benchmarks.comparison import Comparison
from benchmarks.distance import coordinates, nearest_distance

__all__ = ["detector_auc", "nearest_record_share"]

_FOLDS = 5


def detector_auc(c: Comparison) -> float:
    """AUC of boosted trees that tell synthetic rows from held-out real ones; 0.5 is best.

    Five-fold cross-validated on as many synthetic rows as real ones. Against held-out rows a
    model gains nothing by copying what it was trained on.
    """
    n = min(len(c.test), len(c.synthetic))
    if n < _FOLDS:
        return np.nan
    sides = [frame.sample(n, random_state=0) for frame in (c.test, c.synthetic)]
    rows = pd.concat(sides, ignore_index=True)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    detector = HistGradientBoostingClassifier(random_state=0)
    scores = cross_val_score(detector, rows, np.repeat([0, 1], n), cv=folds, scoring="roc_auc")
    return float(scores.mean())


def nearest_record_share(c: Comparison) -> float:
    """Share of synthetic rows that are nearer to a training row than to a held-out one.

    0.5 is best; more means that training rows were copied. Both sets of real rows have one
    size, so that only a share of the training rows is looked at: a synthetic table that repeats
    them all scores 0.625 where a fifth of the rows was held out. Ties count half. Distances are
    those of :func:`benchmarks.distance.coordinates`.
    """
    n = min(len(c.train), len(c.test))
    points = coordinates(c)
    to_train, to_test = (
        nearest_distance(points[part].sample(n, random_state=0), points["synthetic"])
        for part in ("train", "test")
    )
    return float(np.mean(to_train < to_test) + np.mean(to_train == to_test) / 2)
