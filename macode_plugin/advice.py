"""What stands in the way of a fit of a file's table, and the command line's own ways out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_learnable"]


def check_learnable(
    frame: pd.DataFrame, *, categorical: Iterable[str], missing_is_learned: bool
) -> None:
    """Raise a ValueError for a column that cannot be learned as it is, naming options that help.

    Arguments
    ---------
    frame : DataFrame, shape (n, p)
    categorical : iterable of str
        Columns that will be categorical whatever they hold.
    missing_is_learned : bool
        Whether being missing is a value, so that a column may have no other.
    """
    numeric = set(frame.columns) - set(categorical)
    for name in frame.columns if len(frame) else ():
        known = frame[name].dropna()
        if known.empty and not missing_is_learned:
            raise ValueError(
                f"column {name!r} has no value at all; drop it, or have it drawn empty too by "
                "--missing model"
            )
        if name in numeric and (large := _too_large(known)) is not None:
            raise ValueError(
                f"column {name!r} holds {large}, more digits than a 64-bit integer can count; "
                f"--text {name} makes categories of its values"
            )


def _too_large(known: pd.Series) -> Any:
    """Return a value whose units, of a decimal its last digits, no ``int64`` can count; else None."""
    import pandas as pd

    from macode_plugin.dtypes import is_arrow_decimal

    scale = known.dtype.pyarrow_dtype.scale if is_arrow_decimal(known.dtype) else 0
    if known.empty or not (is_arrow_decimal(known.dtype) or pd.api.types.is_integer_dtype(known.dtype)):
        return None
    ends = (known.min(), known.max())
    return next((end for end in ends if not -(2**63) <= int(end) * 10**scale < 2**63), None)
