"""Missing-data mechanisms of the paper's second and third question: which cells are hidden.

Each takes a complete table, a rate and a generator, and returns a frame of booleans, true where a
cell is hidden. The rate means what it does in the public definitions, which the authors follow:
the share of hidden cells within the columns that have any (for :func:`mnarq`, within the quarters).
Over the whole table MAR and MNARQ therefore hide less than the rate. All columns take part,
categorical ones (as codes in sorted order) and the target too, as in the authors' code.

References
----------
Muzellec et al., "Missing Data Imputation using Optimal Transport", ICML 2020,
https://arxiv.org/abs/2002.03860, section 4, and its public code, for the mechanisms;
An et al., AAAI 2025, https://arxiv.org/abs/2405.20602, and their public code, for the share of
input columns (30 %) and the rate (30 %).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

__all__ = ["MECHANISMS", "PUBLISHED", "RATE", "mar", "mcar", "mnarl", "mnarq", "mnarq_released"]

RATE = 0.3
"""The paper's rate."""

_INPUTS = 0.3  # share of the columns that steer the others, or stay complete under MNARQ
_BRACKET = 100.0  # log-odds have unit variance, so that every intercept lies well within


def mcar(frame: pd.DataFrame, rate: float, generator: np.random.Generator) -> pd.DataFrame:
    """Hide every cell with the same probability, independently of everything.

    Raises
    ------
    ValueError
        For a rate out of range or a table with missing cells, as every mechanism here does.
    """
    _check(frame, rate)
    return _like(frame, generator.random(frame.shape) < rate)


def mar(frame: pd.DataFrame, rate: float, generator: np.random.Generator) -> pd.DataFrame:
    """Hide cells of 70 % of the columns, by a logistic model of the others, which stay observed.

    The weights are standard normal draws, one set for each column that is hidden in, scaled so
    that the log-odds have unit variance; the intercept makes the mean probability the rate.
    Inputs are standardised as in Muzellec et al.; the paper's authors feed them raw, which gives
    the columns with the largest numbers all the weight.
    """
    mask, _ = _logistic(frame, rate, generator)
    return _like(frame, mask)


def mnarl(frame: pd.DataFrame, rate: float, generator: np.random.Generator) -> pd.DataFrame:
    """Hide cells as :func:`mar` does, then those of its inputs too, completely at random."""
    mask, inputs = _logistic(frame, rate, generator)
    mask[:, inputs] = generator.random((len(frame), len(inputs))) < rate
    return _like(frame, mask)


def mnarq(frame: pd.DataFrame, rate: float, generator: np.random.Generator) -> pd.DataFrame:
    """Hide values in the lower and upper quarter of 70 % of the columns, each with the rate.

    A value on a quartile belongs to its quarter, so that a column of few values may be hidden in
    as a whole. Of a continuous column half the rate is hidden.
    """
    mask, chosen = _random_columns(frame, rate, generator)
    numbers = _numbers(frame)[:, chosen]
    low, high = np.quantile(numbers, [0.25, 0.75], axis=0)
    mask[:, chosen] &= (numbers <= low) | (numbers >= high)
    return _like(frame, mask)


def mnarq_released(frame: pd.DataFrame, rate: float, generator: np.random.Generator) -> pd.DataFrame:
    """Hide cells of 70 % of the columns completely at random: MNARQ as the authors released it.

    In their public code (``modules/missing.py``) the quartiles are asked for with the level 0.75
    where 0.25 is meant. It hides values below the upper quartile or above the lower one, which
    all values are. The published MNARQ figures are to be compared with runs under this mask.
    """
    mask, _ = _random_columns(frame, rate, generator)
    return _like(frame, mask)


MECHANISMS: dict[str, Callable[[pd.DataFrame, float, np.random.Generator], pd.DataFrame]] = {
    "MCAR": mcar,
    "MAR": mar,
    "MNARL": mnarl,
    "MNARQ": mnarq,
    "MNARQ-released": mnarq_released,
}
"""The mechanisms by name."""

PUBLISHED = {"MCAR": "MCAR", "MAR": "MAR", "MNARL": "MNARL", "MNARQ-released": "MNARQ"}
"""What the paper calls a mechanism, as its released code has it; it has no figures of a true MNARQ."""


def _logistic(
    frame: pd.DataFrame, rate: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask of all columns but the inputs of the logistic model, and those inputs."""
    _check(frame, rate)
    inputs, others = _split_columns(frame, _INPUTS, generator)
    weights = generator.standard_normal((len(inputs), len(others)))
    log_odds = _unit_variance(_unit_variance(_numbers(frame)[:, inputs]) @ weights)
    mask = np.zeros(frame.shape, dtype=bool)
    uniform = generator.random(log_odds.shape)
    for k, column in enumerate(others):
        mask[:, column] = uniform[:, k] < _probabilities(log_odds[:, k], rate)
    return mask, inputs


def _probabilities(log_odds: np.ndarray, rate: float) -> np.ndarray:
    """Return logistic probabilities, shifted so that their mean is the rate."""
    intercept = brentq(lambda x: expit(log_odds + x).mean() - rate, -_BRACKET, _BRACKET)
    return expit(log_odds + intercept)


def _random_columns(
    frame: pd.DataFrame, rate: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask of 70 % of the columns, completely at random, and those columns."""
    _check(frame, rate)
    chosen, _ = _split_columns(frame, 1 - _INPUTS, generator)
    mask = np.zeros(frame.shape, dtype=bool)
    mask[:, chosen] = generator.random((len(frame), len(chosen))) < rate
    return mask, chosen


def _split_columns(
    frame: pd.DataFrame, share: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of a random share of the columns, at least one, and of the others."""
    places = generator.permutation(frame.shape[1])
    return tuple(np.split(places, [max(int(share * len(places)), 1)]))


def _numbers(frame: pd.DataFrame) -> np.ndarray:
    """Return the table as floats, other values than numbers by their place in sorted order."""
    columns = [
        column if pd.api.types.is_numeric_dtype(column) else pd.factorize(column, sort=True)[0]
        for _, column in frame.items()
    ]
    return np.column_stack(columns).astype(float)


def _unit_variance(numbers: np.ndarray) -> np.ndarray:
    """Return the columns centred and scaled; a constant one stays constant."""
    deviation = numbers.std(axis=0)
    return (numbers - numbers.mean(axis=0)) / np.where(deviation == 0, 1.0, deviation)


def _check(frame: pd.DataFrame, rate: float) -> None:
    if not 0 < rate < 1:
        raise ValueError(f"rate must be above 0 and below 1 (0.3 for 30 %), however: {rate}")
    incomplete = list(frame.columns[frame.isna().any()])
    if incomplete:
        raise ValueError(f"a complete table is needed, however: cells of {incomplete} are missing")


def _like(frame: pd.DataFrame, mask: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(mask, index=frame.index, columns=frame.columns)
