"""SDGym's benchmark on local tables, MaCoDE as a custom synthesizer; nothing is downloaded.

``python -m benchmarks.sdgym_recipe --data-dir DIR --tables banknote``

SDGym 0.15.1 runs with SDV 1.38.1 and not with 2.0, so it needs an environment of its own:
``pip install sdgym==0.15.1 sdv==1.38.1 "sdmetrics<0.32" "macode-plugin"``.
"""

from __future__ import annotations

import contextlib
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

__all__ = ["RESULTS", "main"]

RESULTS = ledger.FOLDER / "sdgym.csv"


def main(
    tables: options.Names = "banknote",
    synthesizers: Annotated[
        str, typer.Option(help="SDGym's names of peers, separated by commas.")
    ] = "GaussianCopulaSynthesizer,CTGANSynthesizer",
    data_dir: options.DataDir = None,
    epochs: options.Epochs = None,
    max_rows: options.MaxRows = None,
    out: options.NewOut = RESULTS,
) -> None:
    """Run SDGym on the tables and write its own results."""
    out = out.absolute()
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "single_table"
        for name, table in loaded.items():
            _write(table, home / name)
        # SDGym looks for the folders of data sets under the working directory.
        with _working_in(home):
            results = sdgym.benchmark_single_table(
                synthesizers=[name for name in options.names(synthesizers) if name],
                custom_synthesizers=[_custom(epochs)],
                sdv_datasets=None,
                additional_datasets_folder=folder,
                compute_privacy_score=False,
            )
    out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(results).assign(**ledger.environment()).to_csv(out, index=False)
    typer.echo(results.to_string(index=False))


def _custom(epochs: int | None) -> Any:
    def fitted(frame: pd.DataFrame, metadata: dict[str, Any]) -> MaCoDESynthesizer:
        options = {} if epochs is None else {"epochs": epochs}
        described = Metadata.load_from_dict(metadata)
        synthesizer = MaCoDESynthesizer(described, enable_gpu=False, **options)
        synthesizer.fit(frame)
        return synthesizer

    def sampled(synthesizer: MaCoDESynthesizer, n_samples: int) -> pd.DataFrame:
        return synthesizer.sample(n_samples)

    return sdgym.create_single_table_synthesizer(
        display_name="MaCoDE", get_trained_synthesizer_fn=fitted, sample_from_synthesizer_fn=sampled
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
