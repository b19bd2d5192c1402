"""Conditions as the command line gives them: ``column=value``, or a file of cells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from macode_plugin.files import read_table

if TYPE_CHECKING:
    import pandas as pd

    from macode_plugin.columns import CategoricalColumn, Column
    from macode_plugin.table import Table

__all__ = ["list_categories", "read_given"]


def list_categories(column: Any) -> list[Any]:
    """Return the categories that a column uses, in order."""
    return list(column.values)


def read_given(table: Table, given: Iterable[str], given_file: Path | None) -> Any:
    """Return the conditions of a draw: a value for each column, or a frame with a row for each row."""
    import pandas as pd

    values: dict[Any, Any] = {}
    for name, value in (_parse_given(table, item) for item in given):
        if name in values:
            raise ValueError(f"column {name!r} is given twice")
        values[name] = value
    if given_file is None:
        return values or None
    frame = _read_file(table, given_file)
    for name, value in values.items():
        if name in frame.columns:
            raise ValueError(f"column {name!r} is given twice: by --given and by {given_file}")
        cells = pd.Series([value] * len(frame), dtype=object, index=frame.index)
        frame[name] = cells.infer_objects()
    return frame


def _parse_given(table: Table, item: str) -> tuple[Any, Any]:
    """Split "column=value", and read the value as one of the column's own.

    A column's name may itself hold "=": the longest name that fits is taken.
    """
    names = {str(name): name for name in table.names}
    fitting = [text for text in names if item.startswith(f"{text}=")]
    if not fitting:
        if "=" not in item:
            raise ValueError(f"--given {item!r} is not of the form column=value")
        table.place(item.split("=")[0])  # raises: there is no such column
    text = max(fitting, key=len)
    return names[text], _given_value(table[names[text]], item[len(text) + 1 :])


def _given_value(column: Column, text: str) -> Any:
    from macode_plugin.columns import CategoricalColumn
    from macode_plugin.conditions import MISSING

    if isinstance(column, CategoricalColumn):
        return _category(column, text, _spellings(column))
    # Numbers and dates are read by the column itself.
    return text or MISSING


def _category(column: CategoricalColumn, text: str, spellings: dict[str, Any]) -> Any:
    """Return the category that is written as ``text``; it need not be a string itself."""
    from macode_plugin.conditions import MISSING

    if text in spellings:
        return spellings[text]
    if not text:
        return MISSING
    if (value := _read_value(column, text)) is not None:
        return value
    known = ", ".join(repr(str(value)) for value in list_categories(column)[:10])
    more = ", ..." if column.n_values > 10 else ""
    raise ValueError(
        f"column {column.name!r} has no category {text!r} in the training data; known: {known}{more}"
    )


def _spellings(column: CategoricalColumn) -> dict[str, Any]:
    """Return a categorical column's values by how they may be written."""
    spellings: dict[str, Any] = {}
    for value in list_categories(column):
        texts = [str(value)]
        if texts[0] in ("True", "False"):
            texts.append(texts[0].lower())
        if isinstance(value, float) and value.is_integer():
            texts.append(str(int(value)))
        for text in texts:
            spellings.setdefault(text, value)
    return spellings


def _read_value(column: CategoricalColumn, text: str) -> Any:
    """Return the number, time or duration among the categories that ``text`` means; None if none is.

    One value may be written in several ways: CSV files have midnights without their time.
    """
    import pandas as pd

    from macode_plugin.dtypes import is_numeric
    from macode_plugin.reading import UNREADABLE, read_as

    if not is_numeric(column.value_dtype):
        return None
    try:
        own, finer = read_as(pd.Series([text], dtype=object), column.value_dtype)
    except UNREADABLE:
        return None
    if finer.any() or own.isna().any():
        return None
    return {value: value for value in list_categories(column)}.get(own.iloc[0])


def _read_file(table: Table, path: Path) -> pd.DataFrame:
    """Read a file of given cells; the model, not the file, says which columns are text.

    Categories in a CSV file are matched by how they are written, and so are, in any file, those of
    text and numbers or times that the file has in another type.
    """
    import pandas as pd

    from macode_plugin.columns import CategoricalColumn

    categorical = [column for column in table.columns if isinstance(column, CategoricalColumn)]
    texts = [column for column in categorical if pd.api.types.is_string_dtype(column.values)]
    frame = read_table(path, text=[str(column.name) for column in texts], infer=False)
    in_text = path.suffix.lower() == ".csv"
    for column in categorical:
        if column.name in frame.columns and (in_text or _may_differ(column, frame[column.name].dtype)):
            cells, spellings = frame[column.name].astype(object), _spellings(column)
            values = {cell: _category(column, str(cell), spellings) for cell in cells.dropna().unique()}
            frame[column.name] = cells.map(values)
    return frame


def _may_differ(column: CategoricalColumn, dtype: Any) -> bool:
    """Tell whether cells of a dtype may be categories in another form."""
    import pandas as pd

    from macode_plugin.dtypes import is_numeric

    own = column.value_dtype
    return pd.api.types.is_string_dtype(column.values) or (is_numeric(own) and dtype != own)
