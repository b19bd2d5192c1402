"""The options that benchmarks share on the command line, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import data, masks
from macode_plugin import MaCoDE

__all__ = [
    "MECHANISMS",
    "SEEDS",
    "TABLES",
    "DataDir",
    "Epochs",
    "MaxRows",
    "Mechanisms",
    "Names",
    "NewOut",
    "Numbers",
    "Out",
    "Plot",
    "mechanisms",
    "model",
    "names",
    "numbers",
]

Names = Annotated[str, typer.Option(help="Names, separated by commas.")]
Numbers = Annotated[str, typer.Option(help="Numbers, separated by commas.")]
Mechanisms = Annotated[str, typer.Option(help=f"Of {', '.join(masks.MECHANISMS)}, separated by commas.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of NAME.parquet files.")]
MaxRows = Annotated[int | None, typer.Option(help="Cut each table to so many rows.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of MaCoDE; its own choice if absent.")]
Out = Annotated[Path, typer.Option(help="CSV file; what it holds already is not run again.")]
NewOut = Annotated[Path, typer.Option(help="CSV file to write; what it holds is lost.")]
Plot = Annotated[Path, typer.Option(help="Figure to write.")]

TABLES = ",".join(data.NAMES)
SEEDS = "0,1,2,3,4,5,6,7,8,9"
MECHANISMS = "MCAR,MAR,MNARL,MNARQ"
"""What the paper measures, as the command line takes it."""


def names(text: str) -> list[str]:
    """Return the parts of a text that commas separate."""
    return text.split(",")


def numbers(text: str) -> list[int]:
    """Return the whole numbers that a text holds, separated by commas.

    Raises
    ------
    ValueError
        For anything else between the commas.
    """
    try:
        return [int(part) for part in names(text)]
    except ValueError:
        raise ValueError(f"numbers are asked for as in '0,1,2', however: {text!r}") from None


def mechanisms(text: str) -> list[str]:
    """Return the missing-data mechanisms that a text names, separated by commas.

    Raises
    ------
    ValueError
        For a name that is none of :data:`benchmarks.masks.MECHANISMS`.
    """
    strange = [name for name in names(text) if name not in masks.MECHANISMS]
    if strange:
        raise ValueError(f"mechanism must be one of {list(masks.MECHANISMS)}, however: {strange}")
    return names(text)


def model(seed: int, epochs: int | None, *, paper: bool = False, **changes: Any) -> MaCoDE:
    """Return an unfitted model that shows no bar of its own.

    Arguments
    ---------
    seed : int
    epochs : int or None
        None for the model's own choice.
    paper : bool
        The published settings instead of the defaults.
    **changes : Any
        Of these settings.
    """
    build = MaCoDE.paper if paper else MaCoDE
    asked = {} if epochs is None else {"epochs": epochs}
    return build(random_state=seed, verbose=False, **asked, **changes)
