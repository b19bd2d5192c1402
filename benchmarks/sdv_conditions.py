"""Known rows completed: MaCoDE, CTGAN and GaussianCopula asked the same in SDV.

``python -m benchmarks.sdv_conditions --data-dir DIR`` (with the ``sdv`` extra)

Asked for are the columns that are not known of held-out rows, in SDV's own way. A row counts as got
if it came back with the known values; what stops a synthesizer is noted as its result.
"""

from __future__ import annotations

import dataclasses
import functools
import time
import warnings
from typing import Annotated, Any

import pandas as pd
import sdv
import typer

from benchmarks import data, ledger, options
from benchmarks.sdv_suite import EPOCHLESS, build, describe, pack, unpack

__all__ = ["RESULTS", "Run", "main"]

RESULTS = ledger.FOLDER / "sdv_conditions.csv"


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one row of results from another.

    Arguments
    ---------
    table, synthesizer : str
    known : {"nothing", "category", "number"}
        Which columns were known: none, the target, or the first number.
    asked : int
        Rows asked for.
    epochs, tries : int
        Epochs of training; SDV's ``max_tries_per_batch``.
    """

    table: str
    synthesizer: str
    known: str
    asked: int
    epochs: int
    tries: int


def main(
    table: Annotated[str, typer.Option(help="Name of the table.")] = "abalone",
    synthesizers: options.Names = "MaCoDE,CTGAN,GaussianCopula",
    data_dir: options.DataDir = None,
    n: Annotated[str, typer.Option(help="Rows to ask for, separated by commas.")] = "200,10000",
    epochs: Annotated[int, typer.Option(help="Epochs of the neural ones.")] = 10,
    tries: Annotated[int, typer.Option(help="SDV's max_tries_per_batch.")] = 100,
    out: options.Out = RESULTS,
) -> None:
    """Time each synthesizer on each condition, and count the rows that come back."""
    real = data.load(table, data_dir)
    train, test = data.split(real.frame, 0)
    runs = [
        Run(table, name, known, asked, epochs, tries)
        for name in options.names(synthesizers)
        for asked in options.numbers(n)
        for known in ("nothing", "category", "number")
    ]

    @functools.lru_cache(maxsize=1)  # runs of one synthesizer follow each other
    def fitted(name: str) -> Any:
        synthesizer = build(name, describe(real), None if name in EPOCHLESS else epochs, 0)
        synthesizer.fit(pack(train.copy()))
        return synthesizer

    def measure(run: Run) -> dict[str, Any]:
        known = _known(real, train, test, run)
        return complete(fitted(run.synthesizer), known, run.asked, run.tries)

    ledger.work_through(out, runs, measure, sdv=sdv.__version__)


def complete(synthesizer: Any, known: pd.DataFrame | None, asked: int, tries: int) -> dict[str, Any]:
    """Ask for rows and return how many came back as known, the seconds, and what went wrong."""
    problem, got = "", 0
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            if known is None:
                got = len(unpack(synthesizer.sample(asked)))
            else:
                drawn = unpack(synthesizer.sample_remaining_columns(known, max_tries_per_batch=tries))
                got = int((drawn[known.columns] == known.loc[drawn.index]).all(axis=1).sum())
    except Exception as error:  # whatever stops the host's own way is a result here
        problem = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    return {"got": got, "s": round(time.perf_counter() - start, 2), "problem": problem}


def _known(
    real: data.RealTable, train: pd.DataFrame, test: pd.DataFrame, run: Run
) -> pd.DataFrame | None:
    """Return values of a column in held-out rows that training showed, or had on either side."""
    if run.known == "nothing":
        return None
    column = real.target if run.known == "category" else real.continuous[0]
    values, shown = test[column], train[column]
    inside = values.isin(shown) if run.known == "category" else values.between(shown.min(), shown.max())
    return (
        values[inside].sample(run.asked, replace=True, random_state=0).reset_index(drop=True).to_frame()
    )


if __name__ == "__main__":
    typer.run(main)
