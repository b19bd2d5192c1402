"""Membership inference: whether a synthetic table betrays the rows that it was learned from.

Members are training rows and non-members held-out rows, in equal numbers. An attacker who has the
synthetic table gives each row a score; where no training row left a trace, members score no higher
than non-members. Distances to training rows alone, the paper's DCR among them, do not show it.

References
----------
Chen et al., "GAN-Leaks", CCS 2020, https://arxiv.org/abs/1909.03935 (the attack by distance).
Carlini et al., "Membership inference attacks from first principles", IEEE S&P 2022,
https://arxiv.org/abs/2112.03570 (the rate of true positives where false ones are rare).
Yao et al., "The DCR delusion", https://arxiv.org/abs/2505.01524.
van Breugel et al., "DOMIAS", AISTATS 2023, https://arxiv.org/abs/2302.12580.
"""

from __future__ import annotations

import importlib.metadata
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from benchmarks.comparison import Comparison
from benchmarks.distance import coordinates, nearest_distance

__all__ = [
    "attack_rates",
    "domias",
    "nearest_neighbour_attack",
    "synthcity_version",
]

_FALSE_POSITIVES = 0.01


def nearest_neighbour_attack(c: Comparison) -> dict[str, float]:
    """Take rows near a synthetic row for members; needs neither the model nor other real rows.

    The score is minus the distance to the nearest synthetic row
    (:func:`benchmarks.distance.coordinates`).

    Returns
    -------
    dict
        ``membership_auc`` and ``membership_tpr``, as :func:`attack_rates` gives them.
    """
    n = min(len(c.train), len(c.test))
    points = coordinates(c)
    members, others = (
        -nearest_distance(points["synthetic"], points[part].sample(n, random_state=0))
        for part in ("train", "test")
    )
    return attack_rates(members, others)


def attack_rates(members: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Return how well scores tell members from others.

    Arguments
    ---------
    members, others : array, shapes (n,) and (m,)
        Higher where a row is taken for a member.

    Returns
    -------
    dict
        ``membership_auc``: area under the ROC curve; 0.5 is a guess.
        ``membership_tpr``: the share of members found at a threshold that takes at most 1 % of
        the others for members (none of them where there are fewer than 100); 0.01 is a guess.
    """
    truth = np.repeat([True, False], [len(members), len(others)])
    scores = np.concatenate([members, others])
    # Of thresholds on one line scikit-learn drops those between, the one wanted here perhaps.
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    return {
        "membership_auc": float(roc_auc_score(truth, scores)),
        "membership_tpr": float(true[false <= _FALSE_POSITIVES].max()),
    }


def domias(c: Comparison) -> dict[str, float]:
    """AUC of synthcity's DOMIAS: synthetic density at a row over the density of real rows there.

    The computation is the host's, called outside of its Benchmarks, which use 10 reference rows and
    10 non-members whatever the table; here one half of the held-out rows is the reference and
    the other the non-members. Continuous columns are standardised first: the host adds 1e-10 to
    the density of real rows, which in raw units is less than that on some tables (concrete, kings,
    letter), and would not count. Its third form trains two flows (minutes a table) and is left out.

    Returns
    -------
    dict
        ``domias_prior_auc``, where the density of real rows is a fitted normal one, and
        ``domias_kde_auc``, a kernel density estimate of the reference rows; 0.5 is a guess. NaN
        without synthcity, and where there is no density: with fewer rows than columns, or columns
        that depend on each other.
    """
    if not synthcity_version():
        return dict.fromkeys(("domias_prior_auc", "domias_kde_auc"), np.nan)
    from synthcity.metrics.eval_privacy import DomiasMIAKDE, DomiasMIAPrior

    c = c.standardised()
    return {
        "domias_prior_auc": _domias_auc(DomiasMIAPrior, c),
        "domias_kde_auc": _domias_auc(DomiasMIAKDE, c),
    }


def synthcity_version() -> str:
    """Return the version that :func:`domias` computes with; empty if there is none."""
    try:
        return importlib.metadata.version("synthcity")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _domias_auc(attack: type, c: Comparison) -> float:
    from synthcity.plugins.core.dataloader import GenericDataLoader

    n = min(len(c.train), len(c.test) // 2)
    if min(n, len(c.synthetic)) <= c.train.shape[1]:
        return np.nan  # too few rows for a density of so many columns
    frames = (c.test, c.synthetic, c.train.sample(n, random_state=0), c.synthetic)
    with tempfile.TemporaryDirectory() as folder:
        evaluator = attack(workspace=Path(folder))
        try:
            scores = evaluator.evaluate(*map(GenericDataLoader, frames), reference_size=n)
        except np.linalg.LinAlgError:
            return np.nan
    return float(scores["aucroc"])
