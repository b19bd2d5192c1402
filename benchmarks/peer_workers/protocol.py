"""What a peer's script does inside the peer's environment; needs pandas, pyarrow and nothing else.

``python SCRIPT FOLDER``: the folder holds ``job.json`` (names of the peer and of the columns, seed,
epochs) and ``train.parquet``; the script leaves ``synthetic.parquet`` and ``figures.json`` there.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

Draw = Callable[[int], pd.DataFrame]

_PYTHON = f"Python {platform.python_version()}"


def work(fit: Callable[[pd.DataFrame, dict[str, Any]], Draw], package: str) -> None:
    """Fit, draw as many rows as there are to learn from, and write both down.

    Arguments
    ---------
    fit : callable
        Takes the training table, which it may change, and the job: ``peer``, ``seed``, ``epochs``
        (None for the peer's own choice), ``continuous`` and ``categorical`` (names of columns).
        Returns what draws a table of so many rows. What it imports is not timed.
    package : str
        Name and version of what is fitted.
    """
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text())
    train = pd.read_parquet(folder / "train.parquet")
    dtypes, n_rows = train.dtypes, len(train)
    start = time.perf_counter()
    draw = fit(train, job)
    fitted = time.perf_counter()
    synthetic = draw(n_rows)
    sampled = time.perf_counter()
    # Some return categories as text, whatever they were, and numbers in types of their own.
    known = {column: dtypes[column] for column in job["categorical"]}
    synthetic = synthetic.astype({**known, **dict.fromkeys(job["continuous"], "float64")})
    synthetic.to_parquet(folder / "synthetic.parquet", index=False)
    figures = {
        "fit_s": round(fitted - start, 3),
        "sample_s": round(sampled - fitted, 3),
        "peak_mib": round(peak_memory(), 1),
        "packages": ", ".join([package, *map(version, ("torch", "numpy", "pandas")), _PYTHON]),
    }
    (folder / "figures.json").write_text(json.dumps(figures))


def peak_memory() -> float:
    """Return the most memory that this process has held, libraries included, in MiB.

    On Linux not from ``getrusage``: its maximum is handed on from the process that started this
    one, so that a small worker of a large harness would be told to be large.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024  # kB there are KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # bytes on macOS


def version(package: str) -> str:
    """Return an installed package's name and version."""
    return f"{package} {importlib.metadata.version(package)}"
