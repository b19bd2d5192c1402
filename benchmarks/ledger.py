"""The file of results: one row a run, written at once, so that a benchmark resumes where it stopped."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import functools
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
import torch
from tqdm.auto import tqdm

import macode_plugin

__all__ = ["FOLDER", "RESULTS", "Run", "append", "environment", "finished", "work_through"]

FOLDER = Path(__file__).parent / "results"

RESULTS = FOLDER / "q1.csv"


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one row of results from another.

    Arguments
    ---------
    table, model : str
    seed : int
    max_rows : int or None
        Rows that the table was cut to; None for the whole table.
    epochs : int or None
        Epochs that were asked for; None for the model's own choice.
    """

    table: str
    model: str
    seed: int
    max_rows: int | None = None
    epochs: int | None = None


def finished(path: Path, kind: type = Run) -> set[Any]:
    """Return the runs that the file holds; none if there is no file.

    Arguments
    ---------
    path : Path
    kind : type
        What a run is: a frozen dataclass of str, int and ``int | None`` fields.

    Raises
    ------
    ValueError
        If the file lacks one of these fields, as one that another version wrote may.
    """
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        needed = [field.name for field in dataclasses.fields(kind)]
        absent = [name for name in needed if name not in (rows.fieldnames or [])]
        if absent:
            raise ValueError(
                f"{path} must have columns {needed}, however: {absent} are absent; "
                "add them or choose another file (--out)"
            )
        return {_run(kind, row) for row in rows}


def work_through(
    path: Path,
    runs: Sequence[Any],
    measure: Callable[[Any], dict[str, Any] | list[dict[str, Any]]],
    **versions: str,
) -> None:
    """Measure the runs that the file does not hold, in their order, and write each at once.

    Arguments
    ---------
    path : Path
    runs : sequence of dataclasses
        All of one kind, as :func:`finished` reads it.
    measure : callable
        Takes a run and returns its figures, or a list of them for as many rows.
        :func:`environment` follows them in the row.
    **versions : str
        Of packages that ``environment`` does not name, by column.
    """
    done = finished(path, type(runs[0])) if runs else set()
    origin = environment()  # before anything is measured: the commit may change meanwhile
    bar = tqdm([run for run in dict.fromkeys(runs) if run not in done], unit="run")
    for run in bar:
        bar.set_description(_described(run))
        found = measure(run)
        rows = found if isinstance(found, list) else [found]
        append(path, run, *({**figures, **origin, **versions} for figures in rows))


def append(path: Path, run: Any, *figures: dict[str, Any]) -> None:
    """Write a row for each of a run's figures behind the run itself, any dataclass.

    Columns have names above them if the file is new.

    Raises
    ------
    ValueError
        If the file has other columns, as one that another version wrote may have, or there are no
        figures.
    """
    if not figures:
        raise ValueError(f"{_described(run)}: nothing was measured")
    rows = [{**dataclasses.asdict(run), **of_row} for of_row in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    if not new:
        _check_header(path, list(rows[0]))
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def environment() -> dict[str, Any]:
    """Return what a run's figures depend on besides its settings."""
    return {
        "threads": torch.get_num_threads(),
        "machine": _machine(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "macode_plugin": _package_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scikit_learn": sklearn.__version__,
    }


def _described(run: Any) -> str:
    """Return what a run is in short, its numbers with their names."""
    settings = dataclasses.asdict(run).items()
    told = [
        value if isinstance(value, str) else f"{name} {value}"
        for name, value in settings
        if value is not None
    ]
    return ", ".join(told)


@functools.lru_cache(maxsize=1)
def _package_version() -> str:
    """Return the package's version; in a clone with the last commit that changed the package.

    A version lives through many changes of defaults, and figures of one are no match for another's.
    """
    package = Path(macode_plugin.__file__).parent
    git = ["git", "-C", str(package)]
    try:
        asked = subprocess.run([*git, "log", "-1", "--format=%h", "--", "."], capture_output=True)
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."], capture_output=True)
    except OSError:  # no git
        return macode_plugin.__version__
    commit = asked.stdout.decode().strip()
    if asked.returncode or not commit:
        return macode_plugin.__version__
    return f"{macode_plugin.__version__}+{commit}{'.changed' if changed.returncode else ''}"


def _machine() -> str:
    cores = f"{os.cpu_count()} CPU cores"
    return f"{cores}, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else cores


def _cell(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _run(kind: type, row: dict[str, str]) -> Any:
    texts = {field.name: row[field.name] for field in dataclasses.fields(kind)}
    strings = {field.name for field in dataclasses.fields(kind) if field.type in ("str", str)}
    return kind(**{k: v if k in strings else int(v) if v else None for k, v in texts.items()})


def _check_header(path: Path, names: list[str]) -> None:
    with path.open(newline="") as file:
        header = next(csv.reader(file))
    if header != names:
        differing = sorted(set(header) ^ set(names)) or "the order"
        raise ValueError(f"{path} has other columns than these results, however: {differing} differ")
