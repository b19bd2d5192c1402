"""The paper's figures, kept in ``paper_results`` with their sources."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["read"]

_FOLDER = Path(__file__).parent / "paper_results"


def read(name: str) -> pd.DataFrame:
    """Return the published figures of a file, such as "q1_quality"."""
    return pd.read_csv(_FOLDER / f"{name}.csv", comment="#")
