"""A whole table: frame to token matrix and back, by the schema learned from the training frame."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from macode_plugin.columns import FREE, Column, column_from_json, fit_column
from macode_plugin.dtypes import scalar_from_json, scalar_to_json

if TYPE_CHECKING:
    from macode_plugin.constraints import Allowed

__all__ = ["Table", "Vocabulary", "check_frame", "check_labels", "frame_of"]


@dataclass(frozen=True)
class Vocabulary:
    """What a network needs to know about a table: the tokens of its p columns.

    Arguments
    ---------
    counts : tuple of ndarray, each of shape (K_j,)
        Training cells per token of column j.
    positions : tuple of (ndarray of shape (K_j',) or None)
        Place in [0, 1] of the leading K_j' tokens of an ordered column j; None if unordered.
    """

    counts: tuple[np.ndarray, ...]
    positions: tuple[np.ndarray | None, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of tokens K_j of every column."""
        return tuple(len(counts) for counts in self.counts)

    @property
    def n_rows(self) -> int:
        """Training rows that observe the most complete column."""
        return max(int(counts.sum()) for counts in self.counts)

    def __len__(self) -> int:
        return len(self.counts)


class Table:
    """The fitted schema of a table, which reads and writes frames as token matrices.

    Arguments
    ---------
    columns : sequence of Column
        The table's columns, in order.
    label : hashable or None
        The name of the frame's column index.
    """

    def __init__(self, columns: Sequence[Column], label: Any = None) -> None:
        self.columns = list(columns)
        self.label = label
        self._place = {column.name: j for j, column in enumerate(self.columns)}

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        *,
        categorical_columns: Iterable[Any] | None = None,
        n_bins: int = 50,
        atoms: bool = True,
        model_missing: bool = False,
    ) -> Table:
        """Learn the schema of a training frame.

        Arguments
        ---------
        frame : DataFrame, shape (n, p)
            One that :func:`check_frame` lets pass.
        categorical_columns : iterable of labels or None
            Columns to treat as categorical although their dtype is numeric.
        n_bins : int
            Cells that a continuous column is cut into, about.
        atoms : bool
            Whether frequent values get tokens of their own.
        model_missing : bool
            Whether "missing" is a value that the model learns.

        Raises
        ------
        TypeError, ValueError
            For a frame that cannot be learned from; the message names the column.
        """
        if isinstance(categorical_columns, str):
            raise TypeError(
                f"categorical_columns must be a list of labels, however: {categorical_columns!r}"
            )
        forced = set(() if categorical_columns is None else categorical_columns)
        _check_known(forced, frame.columns, "categorical_columns")
        columns = [
            fit_column(
                frame[name],
                categorical=name in forced,
                n_bins=n_bins,
                atoms=atoms,
                model_missing=model_missing,
            )
            for name in frame.columns
        ]
        for column in columns:
            _check_storable(column)
            _warn_of_identifier(column, len(frame))
        return cls(columns, frame.columns.name)

    @property
    def names(self) -> list[Any]:
        """The columns' labels, in order."""
        return [column.name for column in self.columns]

    @property
    def labels(self) -> pd.Index:
        """The columns' labels as an index of one level, tuples among them."""
        return pd.Index(self.names, name=self.label, tupleize_cols=False)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens of all columns."""
        return Vocabulary(
            tuple(column.counts for column in self.columns),
            tuple(column.positions for column in self.columns),
        )

    @property
    def incomplete(self) -> np.ndarray:
        """Whether each column had more masked cells in training than the most complete, shape (p,)."""
        n_observed = np.array([column.counts.sum() for column in self.columns])
        return n_observed < n_observed.max()

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: Any) -> Column:
        return self.columns[self.place(name)]

    def place(self, name: Any) -> int:
        """Return the position of a column.

        Raises
        ------
        ValueError
            If the table has no such column; the message lists the columns.
        """
        try:
            return self._place[name]
        except KeyError:
            known = ", ".join(repr(known) for known in self.names)
            raise ValueError(f"the table has no column {name!r}; its columns: {known}") from None

    def encode(self, frame: pd.DataFrame, *, missing_is_token: bool = False) -> np.ndarray:
        """Return a frame's cells as tokens.

        Arguments
        ---------
        frame : DataFrame, shape (n, any)
            Columns that it lacks are ``FREE`` throughout.
        missing_is_token : bool
            Whether a missing cell of a column that models missingness gets its token for
            "missing", rather than ``FREE``.

        Returns
        -------
        ndarray of int64, shape (n, p)
        """
        tokens = np.full((len(frame), len(self)), FREE, dtype=np.int64)
        for name in frame.columns:
            j = self.place(name)
            tokens[:, j] = self.columns[j].encode(frame[name])
            token = self.columns[j].missing_token
            if missing_is_token and token is not None:
                tokens[tokens[:, j] == FREE, j] = token
        return tokens

    def decode(
        self, tokens: np.ndarray, u: np.ndarray, allowed: Mapping[int, Allowed] | None = None
    ) -> pd.DataFrame:
        """Return tokens as a frame with the training columns, order and dtypes.

        Arguments
        ---------
        tokens : ndarray of int64, shape (n, p)
        u : ndarray, shape (n, p)
            Uniform draws in [0, 1), which place continuous values inside their bins.
        allowed : mapping of int to Allowed, or None
            By column position, the part of its tokens that values may come from.
        """
        allowed = {} if allowed is None else allowed
        decoded = [
            column.decode(tokens[:, j], u[:, j], allowed.get(j)) for j, column in enumerate(self.columns)
        ]
        frame = pd.concat(decoded, axis=1)
        return frame.set_axis(self.labels, axis=1)

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return a description in JSON's types, and the arrays that go with it."""
        specs, arrays = [], {}
        for j, column in enumerate(self.columns):
            spec, own = column.to_json()
            specs.append(spec)
            arrays.update({f"{j}.{name}": array for name, array in own.items()})
        label = None if self.label is None else scalar_to_json(self.label)
        return {"columns": specs, "label": label}, arrays

    @classmethod
    def from_json(cls, spec: dict[str, Any], arrays: dict[str, np.ndarray]) -> Table:
        """Return the table that :meth:`to_json` described."""
        own: list[dict[str, np.ndarray]] = [{} for _ in spec["columns"]]
        for key, array in arrays.items():
            j, name = key.split(".", 1)
            own[int(j)][name] = array
        label = None if spec["label"] is None else scalar_from_json(spec["label"])
        return cls([column_from_json(*pair) for pair in zip(spec["columns"], own)], label)


def check_frame(frame: Any) -> None:
    """Raise a TypeError or ValueError for anything but a frame with rows and distinct columns."""
    check_labels(frame)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(
            f"the frame has {frame.shape[0]} rows and {frame.shape[1]} columns; "
            "at least one of each is needed"
        )


def check_labels(frame: Any) -> None:
    """Raise a TypeError or ValueError unless it is a frame whose columns all have one own label."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"expected a pandas DataFrame, got {type(frame).__name__}; wrap it in pd.DataFrame"
        )
    if isinstance(frame.columns, pd.MultiIndex):
        raise ValueError("column labels on several levels are not supported; flatten them first")
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"column {twice!r} occurs more than once; rename or drop the copies")
    if any(isinstance(name, float) and math.isnan(name) for name in frame.columns):
        raise ValueError("a column's label is missing (NaN); name the column")


def frame_of(columns: Mapping[Any, pd.Series], index: pd.Index) -> pd.DataFrame:
    """Return a frame of columns; pandas itself would make levels of labels that are tuples."""
    frame = pd.DataFrame(dict(enumerate(columns.values())), index=index)
    return frame.set_axis(pd.Index(list(columns), tupleize_cols=False), axis=1)


def _check_storable(column: Column) -> None:
    """Raise a TypeError, before any training, for a column that a model file could not give back."""
    try:
        read = column_from_json(*column.to_json())
        nothing = np.empty(0)
        dtype, read_dtype = (c.decode(nothing.astype(np.int64), nothing).dtype for c in (column, read))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"column {column.name!r} cannot be stored in a model file: {error} (times need a named "
            "zone, other values and labels a type that JSON can tell, such as str)"
        ) from error
    if dtype != read_dtype:
        raise TypeError(
            f"column {column.name!r} of dtype {dtype} cannot be stored in a model file, which would "
            f"give back {read_dtype}; convert it before fit"
        )


def _check_known(asked: set[Any], columns: pd.Index, argument: str) -> None:
    unknown = [name for name in asked if name not in columns]
    if unknown:
        known = ", ".join(repr(name) for name in columns)
        raise ValueError(f"{argument} names {unknown[0]!r}, which is not a column; columns: {known}")


def _warn_of_identifier(column: Column, n_rows: int) -> None:
    if column.kind == "categorical" and n_rows >= 100 and column.n_values > 0.5 * n_rows:
        warnings.warn(
            f"column {column.name!r} has {column.n_values} categories in {n_rows} rows, like an "
            "identifier; sampled tables will repeat its values as they are. Drop it if they name "
            "people or things.",
            UserWarning,
            stacklevel=4,
        )
