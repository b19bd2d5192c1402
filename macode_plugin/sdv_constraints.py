"""SDV's constraints: two that learn gaps, and what known values say of what is learned."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sdv.cag import Inequality, Range
from sdv.cag._errors import ConstraintNotMetError
from sdv.cag._utils import _remove_columns_from_metadata
from sdv.cag.programmable_constraint import ProgrammableConstraintHarness
from sdv.data_processing.datetime_formatter import DatetimeFormatter

from macode_plugin.sdv_order import Later, Order
from macode_plugin.sdv_types import Dates, Numbers

__all__ = [
    "InequalityWithGaps",
    "RangeWithGaps",
    "any_programmed",
    "applied",
    "at_times",
    "kept",
    "lacking",
    "reader_of",
    "with_gaps",
]


class _LearnsGaps:
    """A constraint of order whose columns are told by :class:`~macode_plugin.sdv_order.Order`.

    SDV's own transform fills gaps, and what it fills them with is learned like real values then; it
    tells how far dates are apart by the logarithm of their nanoseconds, which is on no grid.
    """

    def get_constraint_dict(self) -> Any:
        """Return SDV's description of the constraint, under the name of its own class."""
        return {**super().get_constraint_dict(), "class_name": _sdvs(self).__name__}  # type: ignore[misc]

    def fit(self, data: Any, metadata: Any) -> None:
        """Learn the columns; see SDV's method."""
        self._fitted = False  # the table is checked first, and not by what was learned of another
        super().fit(data, metadata)  # type: ignore[misc]

    def told(self, known: pd.DataFrame) -> pd.DataFrame:
        """Return what known columns, any of the constraint's among them, say of the learned ones."""
        told = self._order.told(known)
        self._order.check_told(known, told)
        return told

    @property
    def at_times(self) -> list[str]:
        """The learned columns that do not apply to every row."""
        return [name for one in self._order.later for name in (one.distance, one.alone)]

    def lacking(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """Return which cells of the learned columns are missing although they apply."""
        return self._order.lacking(drawn)

    def _later(self, metadata: Any) -> list[Later]:
        used = set(metadata.tables[self._table(metadata)].columns)
        later = []
        for low, name in pairwise(_columns(self)):
            learned = (f"{name}.known", f"{low}#{name}", f"{name}.alone")
            later.append(Later(name, *(_unused(own, used) for own in learned)))
        return later

    def _table(self, metadata: Any) -> str:
        name: str = self._get_single_table_name(metadata)  # type: ignore[attr-defined]
        return name

    def _learned(self, data: Any, metadata: Any) -> Order:
        table = data[self._table(metadata)]
        described = metadata.tables[self._table(metadata)].columns
        names = _columns(self)
        readers = {name: reader_of(table[name], described[name]) for name in names}
        strict: bool = self.strict_boundaries  # type: ignore[attr-defined]
        return Order(names[0], self._later(metadata), strict).fit(table, readers)

    def _fit(self, data: Any, metadata: Any) -> None:
        self._order = self._learned(data, metadata)

    def _get_updated_metadata(self, metadata: Any) -> Any:
        updated = metadata.to_dict()
        columns = updated["tables"][self._table(metadata)]["columns"]
        later = self._later(metadata)
        for one in later:
            columns[one.known] = {"sdtype": "boolean"}
            columns[one.distance] = {"sdtype": "numerical"}
            columns[one.alone] = columns[one.name]
        return _remove_columns_from_metadata(
            updated, self._table(metadata), columns_to_drop=[one.name for one in later]
        )

    def _is_valid(self, data: Any, metadata: Any) -> dict[str, pd.Series]:
        order = self._order if self._fitted else self._learned(data, metadata)
        kept = {name: np.ones(len(table), dtype=bool) for name, table in data.items()}
        kept[self._table(metadata)] = order.kept_by(data[self._table(metadata)])
        return {name: pd.Series(kept[name], table.index) for name, table in data.items()}

    def _validate_constraint_with_data(self, data: Any, metadata: Any) -> None:
        name = self._table(metadata)
        kept = self._is_valid(data, metadata)[name]
        if not kept.all():
            rows = data[name].loc[~kept, _columns(self)]
            raise ConstraintNotMetError(self._format_error_message_constraint(rows, name))  # type: ignore[attr-defined]

    def _transform(self, data: Any) -> Any:
        name = self._table(self.metadata)  # type: ignore[attr-defined]
        return {**data, name: self._order.told(data[name])}

    def _fit_constraint_column_formatters(self, data: Any) -> None:
        self._formatters: dict[str, Any] = {}  # values are on the columns' own grids already

    def _reverse_transform(self, data: Any) -> Any:
        name = self._table(self.metadata)  # type: ignore[attr-defined]
        return {**data, name: self._order.restored(data[name])}


class InequalityWithGaps(_LearnsGaps, Inequality):
    """SDV's ``Inequality``."""


class RangeWithGaps(_LearnsGaps, Range):
    """SDV's ``Range``."""


def with_gaps(constraint: Any) -> Any:
    """Return a constraint that learns gaps in place of one of SDV's own that fills them."""
    kind = {Inequality: InequalityWithGaps, Range: RangeWithGaps}.get(type(constraint))
    if kind is None:
        return constraint
    replaced = kind.__new__(kind)
    vars(replaced).update(copy.deepcopy(vars(constraint)))
    return replaced


def _sdvs(constraint: Any) -> type:
    return Inequality if isinstance(constraint, Inequality) else Range


def _columns(constraint: Any) -> list[str]:
    """Return the columns that a constraint orders, the lowest first."""
    low, high = constraint._low_column_name, constraint._high_column_name
    return (
        [low, high]
        if isinstance(constraint, Inequality)
        else [low, constraint._middle_column_name, high]
    )


def _unused(name: str, used: set[str]) -> str:
    """Return a name that is not used yet, and is from now on."""
    while name in used:
        name += "_"
    used.add(name)
    return name


def reader_of(series: pd.Series, described: Mapping[str, Any]) -> Dates | Numbers:
    """Return the reader of a column of numbers or dates that metadata describes."""
    if described["sdtype"] != "datetime":
        return Numbers(series)
    formatter = DatetimeFormatter(described.get("datetime_format"))
    formatter.learn_format(series)
    return Dates(series, formatter.datetime_format)


def at_times(constraints: Iterable[Any]) -> set[str]:
    """Return the columns made by constraints, fitted ones, whose gaps in conditions leave them free."""
    return {name for one in constraints if isinstance(one, _LearnsGaps) for name in one.at_times}


def lacking(constraints: Iterable[Any], drawn: pd.DataFrame) -> pd.DataFrame:
    """Return which cells of columns made by constraints are missing although they apply."""
    parts = [one.lacking(drawn) for one in constraints if isinstance(one, _LearnsGaps)]
    return pd.concat(parts, axis=1) if parts else drawn[[]]


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
    for constraint in constraints:
        if isinstance(constraint, _LearnsGaps):
            _check_met(constraint, known)
            known = constraint.told(known)
            continue
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
    values.
    """
    named: set[Any] = set()
    for value in vars(constraint).values():
        if isinstance(value, (str, list)):
            named.update([value] if isinstance(value, str) else value)
    return known[[name for name in known.columns if name not in named]]


def _check_met(constraint: Any, known: pd.DataFrame) -> None:
    """Raise an error where known columns do not meet a constraint, as far as they tell."""
    try:
        met = np.asarray(constraint.is_valid(known), dtype=bool)
    except Exception:  # a user's own constraint, which needs columns that are not known
        return
    if not met.all():
        example = known.iloc[int(np.argmin(met))].to_dict()
        raise ConstraintNotMetError(
            f"the conditions do not meet {type(constraint).__name__}, such as {example}; "
            "give values that occur together in the training data"
        )
