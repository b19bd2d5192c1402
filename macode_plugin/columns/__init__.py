"""What a token of a column means, in both directions.

A column turns its values into tokens ``0..n_tokens - 1`` and tokens back into values of its own
dtype. Missing cells have no token (``FREE``), unless the column models missingness: then the last
token means "missing".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.columns.base import FREE, Column
from macode_plugin.columns.categorical import CategoricalColumn
from macode_plugin.columns.numeric import NumericColumn

__all__ = ["FREE", "CategoricalColumn", "Column", "NumericColumn", "column_from_json", "fit_column"]


def fit_column(
    series: pd.Series, *, categorical: bool, n_bins: int, atoms: bool, model_missing: bool
) -> Column:
    """Fit the kind of column that a training column's dtype asks for.

    Arguments
    ---------
    series : Series
        The training column.
    categorical : bool
        Treat it as categorical whatever its dtype is.
    model_missing : bool
        Whether "missing" becomes a token, if any cell is.
    """
    series = dtypes.mark_missing(series)
    model_missing = model_missing and bool(series.isna().any())
    if not model_missing and series.isna().all():
        raise ValueError(
            f"column {series.name!r} has no value at all; drop it, or fit with missing='model'"
        )
    try:
        numeric = not categorical and dtypes.is_numeric(series.dtype)
    except TypeError as error:
        raise TypeError(f"column {series.name!r}: {error}") from None
    if not numeric:
        return CategoricalColumn.fit(series, model_missing=model_missing)
    return NumericColumn.fit(series, n_bins=n_bins, atoms=atoms, model_missing=model_missing)


KINDS: dict[str, Any] = {kind.kind: kind for kind in (NumericColumn, CategoricalColumn)}


def column_from_json(spec: dict[str, Any], arrays: dict[str, np.ndarray]) -> Column:
    """Return the column of whichever kind that ``to_json`` described."""
    return KINDS[spec["kind"]].from_json(spec, arrays)
