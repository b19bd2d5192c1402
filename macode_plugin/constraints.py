"""Rules on single columns ("age >= 18"): which part of each token they allow.

A rule does not filter drawn rows. It takes the tokens that it forbids out of the distribution,
weighs those that it allows in part by that part, and cuts the range that values are drawn from.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.columns import FREE, CategoricalColumn, Column, NumericColumn
from macode_plugin.conditions import MISSING, Conditions
from macode_plugin.table import Table

__all__ = ["OPERATORS", "Allowed", "Rule", "allow", "check_agreement", "read_rules"]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "in": lambda values, allowed: values.isin(allowed),
}
"""What a rule can say of a column."""


@dataclass(frozen=True)
class Rule:
    """One demand on one column, such as ``Rule("age", ">=", 18)``."""

    column: Any
    operator: str
    value: Any

    def __str__(self) -> str:
        return f"{self.column} {self.operator} {self.value!r}"


@dataclass(frozen=True)
class Allowed:
    """The part of a column's distribution that its rules allow, as P pieces of its tokens.

    Arguments
    ---------
    token : ndarray of int64, shape (P,)
        The token of each piece, non-decreasing.
    start, length : ndarray, shape (P,)
        The piece as a part of the token's unit interval of ranks.
    low, high : ndarray, shape (P,)
        Smallest and largest value of the piece, in ticks; unused for categories.
    n_tokens : int
        Tokens of the column.
    rules : sequence of Rule
        What the pieces come from.
    """

    token: np.ndarray
    start: np.ndarray
    length: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_tokens: int
    rules: Sequence[Rule]
    log_weight: np.ndarray = field(init=False)
    """Logarithm of the share of each token that is allowed, shape (n_tokens,)."""

    def __post_init__(self) -> None:
        share = np.bincount(self.token, weights=self.length, minlength=self.n_tokens)
        with np.errstate(divide="ignore"):
            object.__setattr__(self, "log_weight", np.log(share))

    def place(self, token: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Spread uniform draws over the allowed part of tokens.

        Returns
        -------
        u, low, high : ndarray, shape (n,)
            Where in its token each draw falls, and between which values it has to stay.
        """
        ends = np.cumsum(self.length)
        begin = np.searchsorted(self.token, token, side="left")
        before = ends[begin] - self.length[begin]
        target = before + u * np.exp(self.log_weight[token])
        last = np.searchsorted(self.token, token, side="right") - 1
        piece = np.clip(np.searchsorted(ends, target, side="right"), begin, last)
        inside = target - (ends[piece] - self.length[piece])
        u = self.start[piece] + np.clip(inside, 0, self.length[piece])
        return np.minimum(u, 1.0), self.low[piece], self.high[piece]


def read_rules(table: Table, rules: Iterable[Any]) -> dict[int, Allowed]:
    """Return what rules on a table allow, by the position of each column that they name.

    Arguments
    ---------
    table : Table
    rules : iterable of (column, operator, value)
        Several rules of one column hold together.

    Raises
    ------
    ValueError
        For an unknown column or operator, a value that cannot be compared with the column's, or
        rules that no value of the training data's range satisfies; the message names the rule.
    """
    by_column: dict[int, list[Rule]] = {}
    for triple in rules:
        rule = _read_rule(triple)
        by_column.setdefault(table.place(rule.column), []).append(rule)
    return {j: allow(table.columns[j], own) for j, own in by_column.items()}


def check_agreement(table: Table, given: Conditions, allowed: Mapping[int, Allowed]) -> None:
    """Raise a ValueError, which names the first, if a given cell is one that rules forbid."""
    for j, part in allowed.items():
        column, tokens = table.columns[j], given.tokens[:, j]
        broken = (tokens != FREE) & np.isneginf(part.log_weight[tokens])
        if isinstance(column, NumericColumn) and (tokens != FREE).any():
            broken = (tokens == column.missing_token) | _breaks(column, given.of(column.name), part)
        if broken.any():
            value = given.of(column.name)[broken].iloc[0]
            example = MISSING if pd.isna(value) else dtypes.plain(value)
            raise ValueError(
                f"conditions gives column {column.name!r} values that the rules on it forbid, such as "
                f"{example}; drop the condition or the rule"
            )


def _breaks(column: NumericColumn, values: pd.Series, allowed: Allowed) -> np.ndarray:
    """Return which values break a column's rules, compared in its own precision, shape (n,)."""
    present = values.notna().to_numpy(dtype=bool)
    places = _places(column, values[present])
    kept = np.ones(int(present.sum()), dtype=bool)
    for rule in allowed.rules:
        bounds = _places(column, pd.Series(_values(rule), name=column.name))
        kept &= _holds(rule.operator, places, bounds)
    broken = np.zeros(len(values), dtype=bool)
    broken[present] = ~kept
    return broken


def _places(column: NumericColumn, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return what values are compared by: numbers, and which lie above theirs, each of shape (n,)."""
    if column.grid.integer:  # whose ticks do not tell apart what lies between two of them
        return column.numbers(values)
    ticks = column.ticks(values)
    ticks = ticks if column.grid.whole else ticks.astype(column.precision)
    return ticks, np.zeros(len(ticks), dtype=bool)


def _holds(
    operator: str, places: tuple[np.ndarray, np.ndarray], bounds: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return which places stand to a bound, or to one of several for "in", as an operator says."""
    (number, above), (limit, beyond) = ([part[:, None] for part in places], bounds)
    equal = (number == limit) & (above == beyond)
    less = (number < limit) | ((number == limit) & (above < beyond))
    holds = {"<": less, "<=": less | equal, ">": ~(less | equal), ">=": ~less}
    return holds.get(operator, equal).any(axis=1)


def _read_rule(triple: Any) -> Rule:
    try:
        rule = Rule(*triple)
    except TypeError:
        raise ValueError(f"a rule is (column, operator, value), however: {triple!r}") from None
    if rule.operator not in OPERATORS:
        raise ValueError(f"rule {rule}: the operator must be one of {', '.join(OPERATORS)}")
    if rule.operator == "in" and (isinstance(rule.value, str) or not isinstance(rule.value, Iterable)):
        raise ValueError(f"rule {rule}: 'in' needs a list of values")
    if rule.operator == "in":
        rule = Rule(rule.column, "in", list(rule.value))
    if any(value is MISSING for value in _values(rule)):
        raise ValueError(
            f"rule {rule}: rules are on values; to draw missing cells, give "
            f"conditions={{{rule.column!r}: MISSING}}"
        )
    if any(pd.isna(value) for value in _values(rule) if pd.api.types.is_scalar(value)):
        raise ValueError(f"rule {rule}: nothing can be compared with a missing value")
    return rule


def _values(rule: Rule) -> list[Any]:
    return list(rule.value) if rule.operator == "in" else [rule.value]


def allow(column: Column, rules: list[Rule]) -> Allowed:
    """Return what the rules of one column allow.

    Raises
    ------
    ValueError
        If that is nothing, or a rule's value cannot be compared with the column's, or the column had
        no value in training.
    """
    column.require_values()
    if isinstance(column, CategoricalColumn):
        allowed = _allow_categories(column, rules)
    elif isinstance(column, NumericColumn):
        allowed = _allow_numbers(column, rules)
    else:
        raise TypeError(f"no rules are known for {type(column).__name__}")
    if not np.isfinite(allowed.log_weight).any():
        listed = " and ".join(str(rule) for rule in rules)
        raise ValueError(f"nothing in the training data satisfies {listed}; {_offer(column)}")
    return allowed


def _offer(column: Column) -> str:
    if isinstance(column, NumericColumn) and column.n_values:
        low, high = column.range
        return f"column {column.name!r} runs from {low} to {high}"
    return f"column {column.name!r} has {column.n_values} values"


def _allow_categories(column: CategoricalColumn, rules: list[Rule]) -> Allowed:
    values = column.decode(np.arange(column.n_values), np.zeros(column.n_values))
    if isinstance(values.dtype, pd.CategoricalDtype) and not values.dtype.ordered:
        values = values.astype(values.dtype.categories.dtype)  # pandas compares them in no other way
    keep = np.ones(column.n_values, dtype=bool)
    for rule in rules:
        try:
            keep &= np.asarray(OPERATORS[rule.operator](values, rule.value), dtype=bool)
        except TypeError as error:
            raise ValueError(
                f"rule {rule} cannot be applied to column {column.name!r}: {error}"
            ) from error
    token = np.flatnonzero(keep)
    nothing = np.zeros(len(token))
    return Allowed(token, nothing, nothing + 1, nothing, nothing, column.n_tokens, rules)


def _allow_numbers(column: NumericColumn, rules: list[Rule]) -> Allowed:
    """Intersect the rules to intervals of ticks, and those with the column's cells."""
    low, high = np.array([-np.inf]), np.array([np.inf])
    for rule in rules:
        own_low, own_high = _intervals(column, rule)
        low, high = _intersect(low, high, own_low, own_high)
    return _pieces(column, low, high, rules)


def _intervals(column: NumericColumn, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals [low, high] of ticks that a rule allows, sorted and disjoint."""
    values = _values(rule)
    if not values:
        return np.empty(0), np.empty(0)
    ticks = np.unique(column.ticks(pd.Series(values, name=column.name)))
    whole = column.grid.whole
    if rule.operator in ("==", "in"):
        if whole:
            # Values off the column's grid are not values of the column.
            ticks = np.rint(ticks[np.abs(ticks - np.rint(ticks)) < 1e-6])
        return ticks, ticks
    edge = ticks[0]
    if whole:
        near = np.rint(edge)
        on_grid = abs(edge - near) < 1e-6
        below = near - 1 if on_grid and rule.operator == "<" else (near if on_grid else np.floor(edge))
        above = near + 1 if on_grid and rule.operator == ">" else (near if on_grid else np.ceil(edge))
    else:
        below = _rounded(edge, column.precision, -np.inf, strictly=rule.operator == "<")
        above = _rounded(edge, column.precision, np.inf, strictly=rule.operator == ">")
    if rule.operator in ("<", "<="):
        return np.array([-np.inf]), np.array([below])
    return np.array([above]), np.array([np.inf])


def _rounded(value: float, precision: type[np.floating], to: float, *, strictly: bool) -> float:
    """Return the nearest number of a precision on one side, so that none drawn is rounded across it."""
    near = precision(value)
    beyond = near > value if to < 0 else near < value
    return float(np.nextafter(near, precision(to)) if beyond or (strictly and near == value) else near)


def _intersect(
    low: np.ndarray, high: np.ndarray, other_low: np.ndarray, other_high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    starts = np.maximum.outer(low, other_low).ravel()
    ends = np.minimum.outer(high, other_high).ravel()
    order = np.argsort(starts, kind="stable")
    keep = order[starts[order] <= ends[order]]
    return starts[keep], ends[keep]


def _pieces(column: NumericColumn, low: np.ndarray, high: np.ndarray, rules: Sequence[Rule]) -> Allowed:
    """Cut intervals of ticks at the cells' ends and measure each piece in ranks."""
    cells = column.cells
    # Drawn values are rounded to the grid; a value between two of its points goes to the nearer.
    slack = 0.5 if column.grid.whole else _point_slack(cells.low, cells.high) * (low == high)
    begin, end = cells.rank(low - slack, below=True), cells.rank(high + slack, below=False)
    edges = cells.edges
    start = np.maximum.outer(begin, edges[:-1])
    stop = np.minimum.outer(end, edges[1:])
    rule, token = np.nonzero(stop > start)
    order = np.lexsort((rule, token))
    rule, token = rule[order], token[order]
    mass = edges[token + 1] - edges[token]
    piece_low = np.maximum(low[rule], cells.low[token])
    piece_high = np.minimum(high[rule], cells.high[token])
    kept = piece_low <= piece_high
    return Allowed(
        token[kept],
        ((start[rule, token] - edges[token]) / mass)[kept],
        ((stop - start)[rule, token] / mass)[kept],
        piece_low[kept],
        piece_high[kept],
        column.n_tokens,
        rules,
    )


def _point_slack(low: np.ndarray, high: np.ndarray) -> float:
    """Return how near to a single value of a full-precision column its density is measured."""
    return 1e-6 * float(high[-1] - low[0]) if len(low) else 0.0
