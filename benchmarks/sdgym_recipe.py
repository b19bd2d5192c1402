"""SDGym's benchmark on local tables, MaCoDE as a custom synthesizer; nothing is downloaded.

``python -m benchmarks.sdgym_recipe --data-dir DIR --tables banknote``

SDGym 0.15.1 runs with SDV 1.38.1 and not with 2.0, so it needs an environment of its own:
``pip install sdgym==0.15.1 sdv==1.38.1 "sdmetrics<0.32" "macode-plugin"``. It scores rows against all
those that were learned, and seeds no synthesizer. Runs that the file of results holds already are
not run again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import sdgym
import typer
from sdv.metadata import Metadata

from benchmarks import data, ledger, options
from benchmarks.sdv_suite import describe
from macode_plugin import MaCoDESynthesizer

__all__ = ["RESULTS", "Run", "main"]

RESULTS = ledger.FOLDER / "sdgym.csv"

OURS = "MaCoDE"
UNIFORM = "UniformSynthesizer"

FIGURES = {
    "quality": "Quality_Score",
    "diagnostic": "Diagnostic_Score",
    "fit_s": "Train_Time",
    "sample_s": "Sample_Time",
    "peak_mb": "Peak_Memory_MB",
}
"""SDGym's names of what is kept."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one row of results from another.

    Arguments
    ---------
    table, synthesizer : str
    epochs : int or None
        MaCoDE's, where they were asked for.
    max_rows : int or None
        Rows that the table was cut to; None for the whole table.
    """

    table: str
    synthesizer: str
    epochs: int | None
    max_rows: int | None


def main(
    tables: options.Names = "banknote",
    synthesizers: Annotated[
        str, typer.Option(help=f"{OURS} and SDGym's names of peers, separated by commas.")
    ] = f"{OURS},{UNIFORM},GaussianCopulaSynthesizer,CTGANSynthesizer",
    data_dir: options.DataDir = None,
    epochs: options.Epochs = None,
    max_rows: options.MaxRows = None,
    out: options.Out = RESULTS,
) -> None:
    """Run SDGym on each table and synthesizer; a row of the file for each."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        Run(table, name, epochs if name == OURS else None, max_rows)
        for table in loaded
        for name in options.names(synthesizers)
    ]
    versions = {name: importlib.metadata.version(name) for name in ("sdgym", "sdv")}
    ledger.work_through(out.absolute(), runs, lambda run: measure(run, loaded[run.table]), **versions)


def measure(run: Run, table: data.RealTable) -> dict[str, Any]:
    """Return SDGym's scores of one run, from 0 to 1 (best), seconds and megabytes.

    Raises
    ------
    RuntimeError
        If the synthesizer failed; SDGym notes that in place of a score.
    """
    ours = run.synthesizer == OURS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "single_table"
        _write(table, home / run.table)
        # SDGym looks for the folders of data sets under the working directory.
        with _working_in(home):
            results = sdgym.benchmark_single_table(
                synthesizers=[] if ours else [run.synthesizer],
                custom_synthesizers=[_custom(run.epochs)] if ours else None,
                sdv_datasets=None,
                additional_datasets_folder=folder,
                compute_privacy_score=False,
            )
    # SDGym adds a synthesizer of uniform numbers, which others are to be seen against.
    own = results if run.synthesizer == UNIFORM else results[results["Synthesizer"] != UNIFORM]
    [row] = own.to_dict("records")
    if pd.notna(row.get("Error")):
        raise RuntimeError(f"{run.table}, {run.synthesizer}: {row['Error']}")
    return {"n_rows": len(table.frame), **{name: row[theirs] for name, theirs in FIGURES.items()}}


def _custom(epochs: int | None) -> Any:
    def fitted(frame: pd.DataFrame, metadata: dict[str, Any]) -> MaCoDESynthesizer:
        asked = {} if epochs is None else {"epochs": epochs}
        described = Metadata.load_from_dict(metadata)
        synthesizer = MaCoDESynthesizer(described, enable_gpu=False, random_state=0, **asked)
        synthesizer.fit(frame)
        return synthesizer

    def sampled(synthesizer: MaCoDESynthesizer, n_samples: int) -> pd.DataFrame:
        return synthesizer.sample(n_samples)

    return sdgym.create_single_table_synthesizer(
        display_name=OURS, get_trained_synthesizer_fn=fitted, sample_from_synthesizer_fn=sampled
    )


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _write(table: data.RealTable, folder: Path) -> None:
    """Write a table as SDGym keeps its own: metadata beside a zipped CSV file."""
    folder.mkdir(parents=True)
    description = describe(table).to_dict()
    (folder / "metadata.json").write_text(json.dumps(description))
    with zipfile.ZipFile(folder / "data.zip", "w") as archive:
        archive.writestr("table.csv", table.frame.to_csv(index=False))


if __name__ == "__main__":
    typer.run(main)
