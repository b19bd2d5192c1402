"""Tables in files, .csv and .parquet, by the file's name."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_writable", "read_table", "text_columns", "write_table"]

ISO_DATE = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?"
"""A column of text that is all of this form is read from a CSV file as dates."""

ISO_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
"""And so is one in which this follows in all cells."""

TABLES = (".csv", ".parquet")

LEADING_ZERO = r"\s*0\d+\s*"
"""A whole number that is written with leading zeros, and so is more of a code."""

WHOLE = r"\s*[+-]?\d+\s*"


def read_table(path: Path, *, text: Iterable[str] = (), infer: bool = True) -> pd.DataFrame:
    """Read a table by its file's name.

    CSV: whole numbers stay whole beside missing cells, and columns of ISO dates become dates. A
    column of whole numbers is text if some have leading zeros. Empty cells are missing, and so,
    among numbers, dates, True and False, are the marks that pandas knows (NA, NaN, null, ...),
    which are text among text. A warning names a column that its zeros make text, or numbers too
    large for 64 bits, and one of text that holds a mark.

    Arguments
    ---------
    path : Path
    text : iterable of str
        Columns to read as text whatever they look like; those that the file lacks do not matter.
    infer : bool
        Whether the other columns of a CSV file may be dates, or text by the rules above; if not,
        pandas alone says what they hold, and marks are missing.

    Raises
    ------
    ValueError
        For what is no file, no table cut at commas, or a table with two columns of one name.
    """
    _check_readable(path)
    read = _read_parquet if _ending(path) == ".parquet" else _read_csv
    try:
        return read(path, set(text), infer)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} cannot be read: {error}; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise ValueError(f"no such file: {path}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file")
    if not path.is_file():
        raise ValueError(
            f"{path} is no regular file, and a table is read more than once; save it to a .csv or "
            ".parquet file first, and name that"
        )


def text_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of a table's columns of text."""
    import pandas as pd

    return [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name].dropna())]


def _read_parquet(path: Path, text: set[str], infer: bool) -> pd.DataFrame:
    from macode_plugin.parquet import read_parquet

    frame = read_parquet(path)
    already = text_columns(frame)
    return frame.astype({name: "string" for name in frame if name in text and name not in already})


def _read_csv(path: Path, text: set[str], infer: bool) -> pd.DataFrame:
    import pandas as pd

    _check_header(path)
    # In one piece: read in several, a column may change its type on the way.
    frame = pd.read_csv(path, dtype_backend="numpy_nullable", low_memory=False)
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes cells too many for an index
        raise ValueError(
            f"its rows have more cells than its header {list(frame.columns)}; cells must be separated "
            "by commas, and numbers have a point"
        )
    unsure = [name for name in frame if name in text or (infer and _may_be_text(frame[name].dtype))]
    if not unsure:
        return frame
    # Typed, cells have lost what they looked like, and a second look at these columns costs less
    # than to look at all of them as text.
    as_text = dict.fromkeys(unsure, "string")
    written = pd.read_csv(path, dtype=as_text, keep_default_na=False, na_values=[""], low_memory=False)
    for name in unsure:
        frame[name] = written[name] if name in text else _settle(frame[name], written[name])
    return frame


def _check_header(path: Path) -> None:
    """Raise a ValueError for a table that is not cut at commas, or has two columns of one name."""
    import pandas as pd

    from macode_plugin.table import check_labels

    cells = pd.read_csv(
        path, header=None, nrows=1, dtype="string", na_values=[""], keep_default_na=False
    )
    header = cells.iloc[0].dropna()
    found = [mark for mark in ";\t|" if len(header) == 1 and mark in header.iloc[0]]
    if found:
        raise ValueError(
            f"its header is one cell, {header.iloc[0]!r}; separate cells by commas, not by "
            f"{found[0]!r}, and write numbers with a point"
        )
    check_labels(pd.DataFrame(columns=header.to_list()))  # of copies, pandas would make other names


def _may_be_text(dtype: Any) -> bool:
    """Tell whether a column that pandas reads with this type may be one of text."""
    import pandas as pd

    return pd.api.types.is_integer_dtype(dtype) or dtype in ("string", "object")


def _settle(typed: pd.Series, written: pd.Series) -> pd.Series:
    """Return a column as pandas types it, as dates, or as it is written."""
    import pandas as pd

    if pd.api.types.is_integer_dtype(typed.dtype):
        codes = written[written.str.fullmatch(LEADING_ZERO).fillna(False)]
        if codes.empty:
            return typed
        _warn(typed.name, f"has leading zeros, such as {codes.iloc[0]!r}: it is read as text")
    elif (dates := _dates(typed)) is not None:
        return dates
    elif len(digits := written.dropna()) and digits.str.fullmatch(WHOLE).all():
        _warn(
            typed.name,
            f"has numbers too large for 64 bits, {max(digits, key=len)!r}: it is read as text",
        )
    marks = written[typed.isna() & written.notna()]
    if len(marks):
        _warn(typed.name, f"has {marks.iloc[0]!r}, read as text: only its empty cells are missing")
    return written


def _warn(name: Any, what: str) -> None:
    warnings.warn(
        f"column {name!r} {what} (--text {name} asks for that, without this warning)", stacklevel=2
    )


def _dates(series: pd.Series) -> pd.Series | None:
    """Return a column of ISO dates as dates, in UTC if they tell offsets; None for anything else."""
    import pandas as pd

    for form, utc in ((ISO_DATE, False), (ISO_DATE + ISO_OFFSET, True)):
        if series.notna().any() and series.dropna().str.fullmatch(form).all():
            with contextlib.suppress(ValueError):  # such as the 31st of June: no dates, then
                return pd.to_datetime(series, format="ISO8601", utc=utc)
    return None


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table in the form that the file's name asks for."""
    if _ending(path) == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)


def _ending(path: Path) -> str:
    if path.suffix.lower() not in TABLES:
        raise ValueError(f"{path}: the name of a table's file must end in .csv or .parquet")
    return path.suffix.lower()


def check_writable(path: Path, *, table: bool = False) -> None:
    """Raise a ValueError if a result could not be saved, before any work is done for it."""
    if table:
        _ending(path)
    elif path.suffix.lower() in TABLES:
        raise ValueError(f"{path} is the name of a table's file, not of a result's; choose another")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise ValueError(f"no such folder: {path.parent}")
