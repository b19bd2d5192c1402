"""Parquet files as frames whose columns keep their values, to the digit, and their Arrow types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["read_parquet"]


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a parquet file, written by pandas or by anything else.

    Columns have the dtypes that pandas gives them, but for those that it would not write back as
    they were: whole numbers beside missing cells become nullable integers, not floats, and dates,
    times of day and decimals keep their Arrow type, and are not objects.

    An index with a name, as ``set_index`` makes it, comes back as columns, the first ones; one
    without is no part of the table.

    Raises
    ------
    ValueError
        For a file that is not parquet, or has two columns of one name.
    """
    import pyarrow.parquet as pq

    from macode_plugin.table import check_labels

    with pq.ParquetFile(path) as file:
        table = file.read()
    frame = table.to_pandas(types_mapper=_own_type)
    check_labels(frame)
    return _whole_again(_index_as_columns(frame), table)


def _own_type(arrow_type: pa.DataType) -> Any:
    """Return the pandas dtype for values that pandas would take for objects; None for others."""
    import pandas as pd
    import pyarrow.types as pat

    kinds = (pat.is_date, pat.is_time, pat.is_decimal)
    return pd.ArrowDtype(arrow_type) if any(kind(arrow_type) for kind in kinds) else None


def _index_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    names = frame.index.names
    levels = [k for k, name in enumerate(names) if name is not None and name not in frame.columns]
    return frame.reset_index(levels).reset_index(drop=True)


def _whole_again(frame: pd.DataFrame, table: pa.Table) -> pd.DataFrame:
    """Return a frame in which columns that pandas made floats are whole numbers, as in the file."""
    import pandas as pd
    import pyarrow.types as pat

    for name in frame.columns:
        place = table.schema.get_field_index(str(name))  # -1 where there is none, or more than one
        arrow_type = table.schema.types[place]
        if place >= 0 and pat.is_integer(arrow_type) and pd.api.types.is_float_dtype(frame[name].dtype):
            frame[name] = _nullable(arrow_type).__from_arrow__(table.column(place))
    return frame


def _nullable(arrow_type: pa.DataType) -> Any:
    """Return the nullable dtype of pandas for an Arrow type of whole numbers."""
    import pandas as pd

    return pd.api.types.pandas_dtype(str(arrow_type).replace("int", "Int").replace("u", "U"))
