"""The tables of experiments: load, split, and code their categories for the metrics.

Of the paper's, ``breast`` ships with scikit-learn; every other one is a file ``NAME.parquet`` with the
original column names. Tables from elsewhere have their source in front (:mod:`benchmarks.sources`).
Nothing is downloaded that is not asked for so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks import sources

__all__ = [
    "NAMES",
    "RealTable",
    "code",
    "elsewhere",
    "load",
    "load_all",
    "mask_unseen",
    "repeated",
    "split",
]

_TARGETS = {
    "abalone": "Rings",
    "banknote": "class",
    "breast": "Diagnosis",
    "concrete": "Age",
    "kings": "grade",
    "letter": "lettr",
    "loan": "Personal Loan",
    "redwine": "quality",
    "whitewine": "quality",
}
_OTHER_CATEGORICAL = {
    "abalone": ["Sex"],
    "kings": ["bedrooms", "bathrooms", "floors", "waterfront", "view", "condition"],
    "loan": ["Family", "Securities Account", "CD Account", "Online", "CreditCard"],
}
_DROPPED = {"loan": ["Education"]}  # the authors use it neither as a number nor as a category

NAMES = tuple(_TARGETS)
"""The complete tables of the paper; its tenth, covtype, is too large to be handed around."""


@dataclass(frozen=True)
class RealTable:
    """A real table and what its columns are.

    Arguments
    ---------
    name : str
    frame : DataFrame
        The continuous columns, then the categorical ones (the order that the authors use).
    continuous, categorical : list of str
    target : str
        The categorical column that classifiers predict.
    """

    name: str
    frame: pd.DataFrame
    continuous: list[str]
    categorical: list[str]
    target: str


def load(name: str, data_dir: Path | None = None, max_rows: int | None = None) -> RealTable:
    """Return a table of the paper or from elsewhere.

    Arguments
    ---------
    name : str
        One of :data:`NAMES`, or one that :func:`benchmarks.sources.read` takes.
    data_dir : Path or None
        Folder of the tables' files; ``breast`` and other sources need none.
    max_rows : int or None
        Keep that many rows, always the same ones.

    Raises
    ------
    ValueError
        For another name, or a missing ``data_dir``.
    FileNotFoundError
        If the folder has no file of that name.
    ImportError, ConnectionError
        If SDV is not installed, or a table from elsewhere cannot be downloaded.
    """
    frame, categorical = sources.read(name, data_dir) if ":" in name else _of_paper(name, data_dir)
    continuous = [column for column in frame if column not in categorical]
    if max_rows is not None and max_rows < len(frame):
        frame = frame.sample(max_rows, random_state=0)
    frame = frame[continuous + categorical].reset_index(drop=True)
    return RealTable(name, frame, continuous, categorical, target=categorical[-1])


def load_all(
    names: list[str], data_dir: Path | None = None, max_rows: int | None = None
) -> dict[str, RealTable]:
    """Return tables by name, as :func:`load` gives each.

    All at once, so that a wrong name or a missing file shows before hours of work.
    """
    return {name: load(name, data_dir, max_rows) for name in names}


def elsewhere(names: Iterable[str]) -> list[str]:
    """Return the names of tables that are not the paper's, each once, in their order."""
    return [name for name in dict.fromkeys(names) if name not in NAMES]


def split(frame: pd.DataFrame, seed: int, test_size: float = 0.2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows to train on and those held out, as the paper splits them."""
    train, test = train_test_split(frame, test_size=test_size, random_state=seed)
    return train.reset_index(drop=True), test.reset_index(drop=True)


def mask_unseen(frame: pd.DataFrame, train: pd.DataFrame, categorical: list[str]) -> pd.DataFrame:
    """Return a copy of ``frame`` in which categories that ``train`` does not show are missing."""
    masked = frame.copy()
    for column in categorical:
        masked[column] = frame[column].where(frame[column].isin(train[column]))
    return masked


def repeated(frame: pd.DataFrame, train: pd.DataFrame) -> np.ndarray:
    """Return which rows of ``frame`` are rows of ``train`` too, shape (n,)."""
    return pd.MultiIndex.from_frame(frame).isin(pd.MultiIndex.from_frame(train))


def code(table: RealTable, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of ``frame`` with categories as 1..K, in sorted order of the whole table.

    Raises
    ------
    ValueError
        If ``frame`` holds a category that the table does not.
    """
    coded = frame[table.continuous + table.categorical].copy()
    for column in table.categorical:
        codes = {category: k for k, category in enumerate(sorted(table.frame[column].unique()), start=1)}
        strange = set(coded[column]) - set(codes)
        if strange:
            raise ValueError(f"column {column!r} of {table.name} has no such category: {strange}")
        coded[column] = coded[column].map(codes)
    return coded


def _of_paper(name: str, data_dir: Path | None) -> sources.Found:
    if name not in NAMES:
        raise ValueError(
            f"table must be one of {NAMES} or from elsewhere, as {sources.FORMS}, however: {name!r}"
        )
    target = _TARGETS[name]
    frame = sources.bundled("breast_cancer", target) if name == "breast" else _read(name, data_dir)
    categorical = [*_OTHER_CATEGORICAL.get(name, []), target]
    return sources.Found(frame.drop(columns=_DROPPED.get(name, [])), categorical)


def _read(name: str, data_dir: Path | None) -> pd.DataFrame:
    if data_dir is None:
        raise ValueError(f"table {name!r} needs a folder that holds {name}.parquet (--data-dir)")
    return pd.read_parquet(Path(data_dir) / f"{name}.parquet")
