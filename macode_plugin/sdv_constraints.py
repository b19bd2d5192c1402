"""SDV's constraints met by known values: what they say of the model's columns, what keeps them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sdv.cag import Inequality, Range
from sdv.cag._errors import ConstraintNotMetError
from sdv.cag.programmable_constraint import ProgrammableConstraintHarness

__all__ = [
    "Gap",
    "any_programmed",
    "applied",
    "as_dates",
    "gaps",
    "in_nanoseconds",
    "kept",
    "on_their_steps",
]


@dataclass(frozen=True)
class Gap:
    """Two dates in order, of which SDV's table has the first and the logarithm of their distance.

    Arguments
    ---------
    low, high : str
        The columns of the dates.
    logarithm : str
        The column of the logarithm.
    """

    low: str
    high: str
    logarithm: str


def gaps(constraints: Iterable[Any]) -> list[Gap]:
    """Return the pairs of dates that constraints, fitted ones, keep in order."""
    return [gap for one in constraints if _orders(one) and one._is_datetime for gap in _gaps(one)]


def _orders(constraint: Any) -> bool:
    return isinstance(constraint, (Inequality, Range))


def _gaps(constraint: Any) -> list[Gap]:
    low, high = constraint._low_column_name, constraint._high_column_name
    if isinstance(constraint, Inequality):
        return [Gap(low, high, constraint._diff_column_name)]
    middle = constraint._middle_column_name
    return [
        Gap(low, middle, constraint._low_diff_column_name),
        Gap(middle, high, constraint._high_diff_column_name),
    ]


def in_nanoseconds(constraints: Sequence[Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose dates under a constraint of order are counted in nanoseconds.

    SDV reads distances in any other unit as nanoseconds, too.
    """
    ordered = {
        name for one in constraints if _orders(one) for gap in _gaps(one) for name in (gap.low, gap.high)
    }
    dates = [
        name
        for name in table.columns
        if name in ordered and pd.api.types.is_datetime64_any_dtype(table[name].dtype)
    ]
    return table.assign(**{name: table[name].dt.as_unit("ns") for name in dates})


def as_dates(constraints: Iterable[Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Return drawn rows in which the first dates of inequalities, if written, are read by their format.

    SDV reads them without it, and takes the fourth of May for the fifth of April where days come first.
    """
    read = {}
    for one in constraints:
        if isinstance(one, Inequality) and one._is_datetime and one._low_datetime_format:
            name = one._fillna_low_column_name
            if name in rows.columns and not pd.api.types.is_datetime64_any_dtype(rows[name].dtype):
                # Without the marks of numbers that are written without zeros, which no reader knows.
                written = re.sub("%[-#]", "%", one._low_datetime_format)
                read[name] = pd.to_datetime(rows[name], format=written).dt.tz_localize(None)
    return rows.assign(**read)


def on_their_steps(rows: pd.DataFrame, steps: Mapping[Gap, int]) -> pd.DataFrame:
    """Return rows whose dates are apart by whole steps again, after SDV's logarithms and back.

    Arguments
    ---------
    rows : DataFrame
    steps : mapping of Gap to int
        Nanoseconds of a step; for a range the first gap comes first.
    """
    for gap, step in steps.items():
        low, high = rows[gap.low], rows[gap.high]
        if pd.api.types.is_datetime64_any_dtype(high.dtype):
            rows = rows.assign(**{gap.high: low + (high - low).dt.round(pd.Timedelta(step))})
    return rows


def any_programmed(constraints: Iterable[Any]) -> bool:
    """Return whether a user's own constraint is among them, which may change any column."""
    return any(isinstance(constraint, ProgrammableConstraintHarness) for constraint in constraints)


def applied(constraints: Sequence[Any], known: pd.DataFrame) -> pd.DataFrame:
    """Return known columns, shape (n, any), as they are in the table that constraints make.

    Columns that a constraint needs others for are left out.

    Raises
    ------
    ConstraintNotMetError
        For known values that break a constraint.
    """
    known = in_nanoseconds(constraints, known)
    for constraint in constraints:
        try:
            # A copy: one that fails on the way may have changed what it knows of its columns.
            transformed = copy.deepcopy(constraint).transform(known)
        except ConstraintNotMetError:
            raise
        except Exception:  # made for whole rows, it fails in any manner where columns are not known
            if any_programmed([constraint]):
                return known[[]]
            known = _without(constraint, known)
            continue
        _check_met(constraint, known)
        known = transformed
    return known


def kept(rejecting: Iterable[Any], chained: Iterable[Any], rows: pd.DataFrame) -> np.ndarray:
    """Return for each row, shape (n,), whether it keeps all constraints."""
    places = rows.index
    for constraint in rejecting:
        rows = rows[np.asarray(constraint.is_valid(rows), dtype=bool)]
    for constraint in chained:
        rows = rows[np.asarray(constraint.is_valid(rows), dtype=bool)]
        if rows.empty:  # SDV's constraints take no empty table
            break
        rows = copy.deepcopy(constraint).transform(rows)
    return places.isin(rows.index)


def _without(constraint: Any, known: pd.DataFrame) -> pd.DataFrame:
    """Return what known columns say where one of SDV's constraints cannot be applied to them.

    The constraint's own columns say nothing then: its table has others, or the same with other
    values. The low end of a range does, since the high end is a distance from it there.
    """
    named: set[Any] = set()
    for value in vars(constraint).values():
        if isinstance(value, (str, list)):
            named.update([value] if isinstance(value, str) else value)
    rest = known[[name for name in known.columns if name not in named]]
    low = getattr(constraint, "_low_column_name", None)
    inside = getattr(constraint, "_fillna_low_column_name", None)
    if inside is None or low not in known.columns or known[low].isna().any():
        return rest
    return rest.assign(**{inside: known[low]})


def _check_met(constraint: Any, known: pd.DataFrame) -> None:
    """Raise an error where known columns, all of a constraint's among them, do not meet it."""
    met = np.asarray(constraint.is_valid(known), dtype=bool)
    if not met.all():
        example = known.iloc[int(np.argmin(met))].to_dict()
        raise ConstraintNotMetError(
            f"the conditions do not meet {type(constraint).__name__}, such as {example}; "
            "give values that occur together in the training data"
        )
