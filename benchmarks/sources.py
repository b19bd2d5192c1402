"""Tables from elsewhere than the paper, asked for by a name with their source in front.

============================== ==================================================================
``sklearn:wine``               a classification table that ships with scikit-learn
``openml:31``, ``openml:iris`` OpenML's table of that number, or its oldest active one of that name
``openml:credit-g@1``          a version of it
``sdv:adult``                  a demo table of SDV (with the ``sdv`` extra)
``file:mine.csv``              a file in the folder of tables (``--data-dir``), or ``.parquet``
============================== ==================================================================

Behind any of them ``#COLUMN`` names the target. Only OpenML's and SDV's tables are downloaded, and a
line says so before they are. Nothing here can hold a comma: the command line separates names by it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import typer
from pandas.api.types import is_numeric_dtype
from sklearn.datasets import (
    fetch_openml,
    get_data_home,
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
)

from macode_plugin.dtypes import is_numeric
from macode_plugin.files import read_table

__all__ = ["FORMS", "Found", "bundled", "read"]

FORMS = ("sklearn:NAME", "openml:ID", "openml:NAME", "openml:NAME@VERSION", "sdv:NAME", "file:NAME")
"""How tables from elsewhere are asked for."""

_BUNDLED = {
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
}

_SDV_CATEGORIES = ("categorical", "ordinal", "boolean")


class Found(NamedTuple):
    """A table from elsewhere: complete rows of numbers and categories.

    Arguments
    ---------
    frame : DataFrame
        Categories are strings or whole numbers, as in the tables of the paper.
    categorical : list of str
        The target is the last of them.
    """

    frame: pd.DataFrame
    categorical: list[str]


def read(name: str, data_dir: Path | None = None) -> Found:
    """Return a table from elsewhere.

    Categorical are the target and the columns that :class:`macode_plugin.MaCoDE` takes for categories
    (of SDV's tables, those that their metadata calls so); other numbers are continuous. Columns that
    are neither, such as dates, and rows with missing cells are left out, and a line says so.

    Arguments
    ---------
    name : str
        One of :data:`FORMS`, with or without ``#COLUMN``. Without it, the target is the one that
        scikit-learn or OpenML names, or else the last categorical column. A column of whole numbers
        is a target only if it is named.
    data_dir : Path or None
        Folder of the files; the other sources need none.

    Raises
    ------
    ValueError
        For another name, a file that cannot be read or has no folder, a table without a complete row,
        or a target that is not categorical.
    ImportError
        For a table of SDV, if that is not installed.
    ConnectionError
        If a table cannot be downloaded.
    """
    source, _, rest = name.partition(":")
    if source not in _READERS:
        raise ValueError(f"a table from elsewhere must be one of {FORMS}, however: {name!r}")
    what, _, asked = rest.partition("#")
    frame, named = _READERS[source](what, data_dir)
    frame = _leave_out(name, frame, [column for column in frame if _is_neither(frame[column].dtype)])
    frame = _complete(name, frame)
    others = [column for column in frame if not is_numeric(frame[column].dtype)]
    target = _target(name, frame, others, asked, named)
    categorical = [*(column for column in others if column != target), target]
    plain = {column: _plain(frame[column], column in categorical) for column in frame}
    return Found(pd.DataFrame(plain), categorical)


def bundled(name: str, target: str = "target") -> pd.DataFrame:
    """Return a table that ships with scikit-learn, the names of its classes in a column ``target``."""
    if name not in _BUNDLED:
        raise ValueError(f"scikit-learn's tables of classes are {tuple(_BUNDLED)}, however: {name!r}")
    bunch = _BUNDLED[name](as_frame=True)
    return bunch.data.assign(**{target: bunch.target_names.astype(object)[bunch.target]})


def _openml(what: str) -> tuple[pd.DataFrame, str | None]:
    """Return a table of OpenML and its target, None unless there is one."""
    name, at, version = what.partition("@")
    if not name or (at and (name.isdecimal() or not version.isdecimal())):
        raise ValueError(
            "OpenML's tables are asked for as in 'openml:31', 'openml:credit-g' or "
            f"'openml:credit-g@1', however: {f'openml:{what}'!r}"
        )
    asked: dict[str, Any] = {"data_id": int(name)} if name.isdecimal() else {"name": name}
    if at:
        asked["version"] = int(version)
    _tell(f"openml:{what} is downloaded from openml.org, unless it is in the cache {get_data_home()}")
    try:
        # scikit-learn 1.9's quicker parser, by pandas, fails with pandas 3.1 where categories look
        # like numbers (https://github.com/scikit-learn/scikit-learn/pull/34902).
        bunch = fetch_openml(**asked, as_frame=True, parser="liac-arff")
    except OSError as error:
        raise _unreachable(f"openml:{what}", error) from None
    return bunch.frame, bunch.target_names[0] if len(bunch.target_names) == 1 else None


def _sdv(what: str) -> tuple[pd.DataFrame, None]:
    """Return a demo table of SDV, whose metadata has no target."""
    try:
        from botocore.exceptions import BotoCoreError
        from sdv.datasets.demo import download_demo
    except ModuleNotFoundError as error:
        raise ImportError(
            f"sdv:{what} needs SDV; install it with: pip install 'macode-plugin[sdv]'"
        ) from error
    _tell(f"sdv:{what} is downloaded from SDV's public bucket of demo tables, and not kept")
    try:
        tables, metadata = download_demo("single_table", what)
    except BotoCoreError as error:
        raise _unreachable(f"sdv:{what}", error) from None
    # SDV 2.0 gives a table by its name, 1.x the table.
    frame = tables if isinstance(tables, pd.DataFrame) else next(iter(tables.values()))
    (described,) = metadata.to_dict()["tables"].values()
    return _by_metadata(f"sdv:{what}", frame, described["columns"]), None


def _by_metadata(name: str, frame: pd.DataFrame, columns: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return the numbers as they are, and the categories as such: codes of classes may be numbers."""
    sdtypes = {column: columns.get(column, {}).get("sdtype") for column in frame}
    categories = [column for column, sdtype in sdtypes.items() if sdtype in _SDV_CATEGORIES]
    others = [k for k, sdtype in sdtypes.items() if sdtype not in (*_SDV_CATEGORIES, "numerical")]
    return _leave_out(name, frame, others).astype(dict.fromkeys(categories, "category"))


def _file(what: str, data_dir: Path | None) -> tuple[pd.DataFrame, None]:
    """Return the table of a file."""
    if data_dir is None:
        raise ValueError(f"table {f'file:{what}'!r} needs the folder that holds {what} (--data-dir)")
    if Path(what).name != what:  # results would name a folder of one machine
        raise ValueError(
            f"a file is asked for by its name, and its folder by --data-dir, however: {f'file:{what}'!r}"
        )
    return read_table(Path(data_dir) / what), None


_READERS: dict[str, Callable[[str, Path | None], tuple[pd.DataFrame, str | None]]] = {
    "sklearn": lambda what, data_dir: (bundled(what), "target"),
    "openml": lambda what, data_dir: _openml(what),
    "sdv": lambda what, data_dir: _sdv(what),
    "file": _file,
}
"""Readers of a table and the target that its source names, None if it names none."""


def _leave_out(name: str, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the other columns."""
    if columns:
        _tell(f"{name}: columns that are neither numbers nor categories are left out: {columns}")
    return frame.drop(columns=columns)


def _complete(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without missing cells, which the measures need."""
    complete = frame.dropna()
    if complete.empty:
        missing = frame.isna().mean()
        raise ValueError(
            f"{name} must have rows without missing cells, however: of {len(frame)} rows these shares "
            f"are missing: {missing[missing > 0].round(2).to_dict()}; save it without such columns as a "
            "file, and ask for that (file:NAME)"
        )
    if len(complete) < len(frame):
        gaps = len(frame) - len(complete)
        _tell(f"{name}: {gaps} of {len(frame)} rows have missing cells and are left out")
    return complete


def _target(name: str, frame: pd.DataFrame, categories: list[str], asked: str, named: str | None) -> str:
    """Return the column that is asked for, or that the source names, or the last of the categories."""
    target = asked or named
    if target is None and categories:
        target = categories[-1]
        _tell(f"{name}: the target is {target!r}, the last column of categories")
    whole = [k for k in frame if k not in categories and (frame[k] % 1 == 0).all()]
    choices = [*categories, *whole]
    if target not in (choices if asked else categories):
        raise ValueError(
            f"the target of {name} must be one of its categorical columns, however: {target!r}; name "
            f"a column of categories or whole numbers behind '#', one of {choices}"
        )
    return target


def _is_neither(dtype: Any) -> bool:
    """Tell dates, times and durations, which the model learns and the measures cannot compare."""
    return is_numeric(dtype) and not is_numeric_dtype(dtype)


def _plain(values: pd.Series, category: bool) -> pd.Series:
    """Return numbers of a NumPy dtype; categories as whole numbers if they are, or as strings."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if not is_numeric(values.dtype):
        return values.astype(str)
    whole = category and (values % 1 == 0).all()
    return values.astype(int if whole else values.dtype.type)


def _tell(line: str) -> None:
    """Write a line where it does not mix with results."""
    typer.echo(line, err=True)


def _unreachable(name: str, error: Exception) -> ConnectionError:
    return ConnectionError(
        f"{name} cannot be downloaded: {error}; where there is a network, save the table as a file, and "
        "ask for it as file:NAME.parquet#TARGET with the folder that holds it (--data-dir)"
    )
