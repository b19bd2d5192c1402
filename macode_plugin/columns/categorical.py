"""Categories: strings, booleans, objects, and whatever is declared categorical."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.columns.base import FREE, Column

if TYPE_CHECKING:
    from macode_plugin.constraints import Allowed

__all__ = ["CategoricalColumn"]


class CategoricalColumn(Column):
    """Categories, ordered or not: one token for each that occurs in training.

    Arguments
    ---------
    values : array of the training column's dtype, shape (n_values,)
        The categories that occur, in sorted or declared order.
    categories : Index or None
        All declared categories of a pandas categorical, which the column's dtype keeps; tokens
        exist only for those that occur.
    ordered : bool
        Whether the order of the categories means something: a pandas categorical says so itself;
        otherwise that of more than two numbers, dates or durations does. Neighbours then learn from
        each other, which the paper's categories do not.
    """

    kind = "categorical"

    def __init__(
        self,
        name: Any,
        counts: np.ndarray,
        n_missing: int | None,
        *,
        values: Any,
        categories: pd.Index | None,
        ordered: bool,
    ) -> None:
        super().__init__(name, counts, n_missing)
        self.values = values
        self.categories = categories
        self._ordered = ordered
        self._lookup = pd.Index(pd.Series(values).astype(object), dtype=object)

    @property
    def ordered(self) -> bool:
        """Whether the order of the categories means something."""
        return self._ordered

    @property
    def value_dtype(self) -> Any:
        """The dtype of the categories themselves."""
        return self.values.dtype

    @property
    def log_extent(self) -> np.ndarray:
        """Zeros: a category is one value, whose probability is its mass."""
        return np.zeros(self.n_values)

    @classmethod
    def fit(cls, series: pd.Series, *, model_missing: bool) -> CategoricalColumn:
        """Collect the categories that a training column uses."""
        n_missing = int(series.isna().sum()) if model_missing else None
        if isinstance(series.dtype, pd.CategoricalDtype):
            counts = np.bincount(series.cat.codes[series.notna()], minlength=len(series.cat.categories))
            used = np.flatnonzero(counts)
            values = series.cat.categories.take(used).array
            categories, ordered = series.cat.categories, bool(series.cat.ordered)
            return cls(
                series.name,
                counts[used].astype(float),
                n_missing,
                values=values,
                categories=categories,
                ordered=ordered,
            )
        values, counts = _sorted_unique(series)
        return cls(
            series.name,
            counts,
            n_missing,
            values=values,
            categories=None,
            ordered=len(values) > 2 and dtypes.is_numeric(values.dtype),
        )

    def cast(self, series: pd.Series) -> pd.Series:
        """Return categories, none of them missing, in the training column's dtype."""
        tokens = self._encode_values(series)
        return self.decode(tokens, np.zeros(len(tokens))).set_axis(series.index)

    def _strange_values(self, series: pd.Series) -> np.ndarray:
        return self._find(series) < 0

    def _find(self, series: pd.Series) -> np.ndarray:
        return self._lookup.get_indexer(pd.Index(series.astype(object), dtype=object))

    def _encode_values(self, series: pd.Series) -> np.ndarray:
        tokens = self._find(series)
        if (tokens < 0).any():
            unknown = series.iloc[int(np.argmax(tokens < 0))]
            known = ", ".join(repr(value) for value in self._lookup[:5])
            more = ", ..." if len(self._lookup) > 5 else ""
            raise ValueError(
                f"column {self.name!r} has no category {dtypes.plain(unknown)!r} in the training data; "
                f"known: {known}{more}"
            )
        return tokens.astype(np.int64)

    def _decode_values(
        self, tokens: np.ndarray, u: np.ndarray, missing: np.ndarray, allowed: Allowed | None
    ) -> pd.Series:
        tokens = np.where(missing, FREE, tokens)
        if self.categories is not None:
            codes = np.r_[self.categories.get_indexer(pd.Index(self.values)), FREE]
            dtype = pd.CategoricalDtype(self.categories, ordered=self._ordered)
            return pd.Series(pd.Categorical.from_codes(codes[tokens], dtype=dtype))
        return _as_series(self.values.take(tokens, allow_fill=bool(missing.any())))

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return a description in JSON's types, and the arrays that go with it."""
        listed = _as_series(self.values if self.categories is None else self.categories)
        spec = {
            "kind": self.kind,
            "name": dtypes.scalar_to_json(self.name),
            "dtype": dtypes.dtype_to_json(listed.dtype),
            "n_missing": self.n_missing,
            "listed": [dtypes.scalar_to_json(value) for value in listed],
            "declared": self.categories is not None,
            "ordered": self._ordered,
        }
        arrays = {"counts": self.value_counts}
        if self.categories is not None:
            arrays["used"] = self.categories.get_indexer(pd.Index(self.values))
        return spec, arrays

    @classmethod
    def from_json(cls, spec: dict[str, Any], arrays: dict[str, np.ndarray]) -> CategoricalColumn:
        """Return the column that :meth:`to_json` described."""
        dtype = dtypes.dtype_from_json(spec["dtype"])
        listed = pd.Series([dtypes.scalar_from_json(item) for item in spec["listed"]], dtype=dtype)
        categories = pd.Index(listed, dtype=listed.dtype) if spec["declared"] else None
        values = listed.array if categories is None else categories.take(arrays["used"]).array
        return cls(
            dtypes.scalar_from_json(spec["name"]),
            arrays["counts"],
            spec["n_missing"],
            values=values,
            categories=categories,
            ordered=spec["ordered"],
        )


def _as_series(values: Any) -> pd.Series:
    """Return values as a Series of their own dtype; pandas 3 would read objects as strings."""
    return pd.Series(values, dtype=object if pd.api.types.is_object_dtype(values) else None)


def _sorted_unique(series: pd.Series) -> tuple[Any, np.ndarray]:
    """Return the distinct values of a column in sorted order, and how often each occurs."""
    known = series.dropna()
    try:
        codes, unique = pd.factorize(known, sort=False)
    except TypeError as error:
        raise TypeError(
            f"column {series.name!r} holds values that cannot be categories ({error}); "
            "convert them to str or numbers before fit"
        ) from error
    _check_one_type(known)
    listed = _as_series(unique)
    try:
        order = np.argsort(listed.to_numpy(), kind="stable")
        for value in listed if listed.dtype == object else ():
            dtypes.scalar_to_json(value)
    except TypeError as error:
        raise TypeError(f"column {series.name!r} cannot be categorical: {error}") from error
    counts = np.bincount(codes, minlength=len(listed)).astype(float)
    return listed.iloc[order].array, counts[order]


def _check_one_type(series: pd.Series) -> None:
    """Raise a TypeError if a column of objects mixes types; equal values of two, as 1 and True, too."""
    by_type: dict[type, Any] = {}
    for value in series if pd.api.types.is_object_dtype(series) else ():
        by_type.setdefault(type(value), value)
    examples: dict[Any, Any] = {}
    for value in by_type.values():
        examples.setdefault(_family(value), value)
    if len(examples) > 1:
        first, second = list(examples.values())[:2]
        raise TypeError(
            f"column {series.name!r} mixes {type(first).__name__} ({first!r}) and "
            f"{type(second).__name__} ({second!r}); convert it to one type, for example with "
            "astype(str)"
        )


def _family(value: Any) -> Any:
    """Return which values count as of one type: all numbers, and numpy's scalars as Python's."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return type(value)  # pandas 2 does not find them by its own times
    value = dtypes.plain(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if is_number else type(value)
