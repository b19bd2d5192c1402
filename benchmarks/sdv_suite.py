"""SDV's own measures of quality, MaCoDE beside the host's single-table synthesizers.

``python -m benchmarks.sdv_suite --data-dir DIR --tables breast,banknote`` (with the ``sdv`` extra)

Every score is the host's: ``evaluate_quality`` and ``run_diagnostic`` against the rows trained on,
and ``evaluate_quality`` against held-out rows as well. Runs that the file of results holds already
are not run again.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pandas as pd
import sdv
import typer
from sdv.evaluation import evaluate_quality, run_diagnostic
from sdv.metadata import Metadata
from sdv.single_table import (
    CopulaGANSynthesizer,
    CTGANSynthesizer,
    GaussianCopulaSynthesizer,
    TVAESynthesizer,
)

from benchmarks import data, ledger, options
from benchmarks.timing import timed
from macode_plugin import MaCoDESynthesizer

__all__ = ["RESULTS", "SYNTHESIZERS", "Run", "build", "describe", "main", "pack", "unpack"]

RESULTS = ledger.FOLDER / "sdv.csv"

SYNTHESIZERS = {
    "MaCoDE": MaCoDESynthesizer,
    "CTGAN": CTGANSynthesizer,
    "TVAE": TVAESynthesizer,
    "GaussianCopula": GaussianCopulaSynthesizer,
    "CopulaGAN": CopulaGANSynthesizer,
}
EPOCHLESS = {"GaussianCopula"}

TABLE = "table"


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one row of results from another.

    Arguments
    ---------
    table, synthesizer : str
    seed : int
        Of the split; and of fitting, where the synthesizer takes one.
    epochs : int or None
        Epochs that were asked for; None for the synthesizer's own choice.
    max_rows : int or None
        Rows that the table was cut to; None for the whole table.
    """

    table: str
    synthesizer: str
    seed: int
    epochs: int | None
    max_rows: int | None


def main(
    tables: options.Names = "breast,banknote,abalone",
    synthesizers: options.Names = "MaCoDE,CTGAN,TVAE,CopulaGAN,GaussianCopula",
    data_dir: options.DataDir = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of the host's neural synthesizers; theirs if absent.")
    ] = None,
    macode_epochs: options.Epochs = None,
    seeds: options.Numbers = "0",
    max_rows: options.MaxRows = None,
    out: options.Out = RESULTS,
) -> None:
    """Fit, sample and measure; a row of the file for each table, synthesizer and seed."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    chosen = options.names(synthesizers)
    asked = {**dict.fromkeys(chosen, epochs), **dict.fromkeys(EPOCHLESS), "MaCoDE": macode_epochs}
    runs = [
        Run(table, name, seed, asked[name], max_rows)
        for table in loaded
        for name in chosen
        for seed in options.numbers(seeds)
    ]
    ledger.work_through(out, runs, lambda run: measure(run, loaded[run.table]), sdv=sdv.__version__)


def measure(run: Run, table: data.RealTable) -> dict[str, Any]:
    """Return the host's scores of one run, from 0 to 1 (best), and seconds."""
    train, test = data.split(table.frame, run.seed)
    metadata = describe(table)
    synthesizer = build(run.synthesizer, metadata, run.epochs, run.seed)
    _, fit_s = timed(lambda: synthesizer.fit(pack(train.copy())))
    drawn, sample_s = timed(lambda: unpack(synthesizer.sample(len(train))))
    quality = evaluate_quality(pack(train), pack(drawn), metadata, verbose=False)
    held_out = evaluate_quality(pack(test), pack(drawn), metadata, verbose=False)
    diagnostic = run_diagnostic(pack(train), pack(drawn), metadata, verbose=False)
    parts = quality.get_properties().set_index("Property")["Score"]
    return {
        "quality": quality.get_score(),
        "column_shapes": parts["Column Shapes"],
        "column_pair_trends": parts["Column Pair Trends"],
        "quality_held_out": held_out.get_score(),
        "diagnostic": diagnostic.get_score(),
        "n_train": len(train),
        "fit_s": fit_s,
        "sample_s": sample_s,
    }


def build(name: str, metadata: Metadata, epochs: int | None, seed: int) -> Any:
    """Return an unfitted synthesizer, on the CPU where it has a choice."""
    if name not in SYNTHESIZERS:
        raise ValueError(f"synthesizer must be one of {tuple(SYNTHESIZERS)}, however: {name!r}")
    options: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    if name not in EPOCHLESS:
        options["enable_gpu"] = False
    if name == "MaCoDE":
        options["random_state"] = seed
    return SYNTHESIZERS[name](metadata, **options)


def describe(table: data.RealTable) -> Metadata:
    """Return a table's metadata: numbers and categories."""
    columns = {name: {"sdtype": "numerical"} for name in table.continuous}
    columns.update({name: {"sdtype": "categorical"} for name in table.categorical})
    return Metadata.load_from_dict({"tables": {TABLE: {"columns": columns}}})


def pack(frame: pd.DataFrame) -> Any:
    """Return a table as the installed SDV takes it: by name in 2.0, as it is in 1.x."""
    return {TABLE: frame} if sdv.__version__ >= "2" else frame


def unpack(table: Any) -> pd.DataFrame:
    """Return what the installed SDV gives as a frame."""
    return table[TABLE] if sdv.__version__ >= "2" else table


if __name__ == "__main__":
    typer.run(main)
