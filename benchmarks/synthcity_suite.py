"""synthcity's own benchmark, macode beside the host's plugins.

``python -m benchmarks.synthcity_suite --data-dir DIR --tables banknote,loan`` (with the
``synthcity`` extra)

Every figure is the host's: ``Benchmarks.evaluate`` fits, samples and measures. Left out of its
suite are the measures that take hours (networks trained as attackers or predictors) and those
that need other data (survival), and DOMIAS with a kernel density estimate, which raises an error for
every plugin on most tables (tried: breast, loan, redwine). The host leaves out what raises one: on
breast, whose 31 columns are too many for its rows, the other DOMIAS attack too. Runs that the file of
results holds already are not run again.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from synthcity.benchmark import Benchmarks
from synthcity.plugins.core.dataloader import GenericDataLoader

import macode_plugin  # noqa: F401  registers the plugin
from benchmarks import data, ledger, membership, options

__all__ = ["METRICS", "OWN_LENGTH", "RESULTS", "Run", "main", "measure"]

RESULTS = ledger.FOLDER / "synthcity.csv"

OWN_LENGTH = {"macode", "arf"}
"""Plugins that are always left to choose how long they train."""

METRICS = {
    "sanity": ["data_mismatch", "common_rows_proportion", "nearest_syn_neighbor_distance"],
    "stats": [
        "jensenshannon_dist",
        "inv_kl_divergence",
        "ks_test",
        "max_mean_discrepancy",
        "wasserstein_dist",
        "prdc",
        "alpha_precision",
    ],
    "performance": ["linear_model", "xgb", "feat_rank_distance"],
    "detection": ["detection_xgb", "detection_gmm", "detection_linear"],
    "privacy": ["k-anonymization", "identifiability_score", "DomiasMIA_prior"],
}


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one plugin's rows of results from another's.

    Arguments
    ---------
    table, plugin : str
    n_iter : int or None
        Iterations that were asked for; None for the plugin's own choice.
    max_rows : int or None
        Rows that the table was cut to; None for the whole table.
    repeats : int
        Seeds of fitting that the host takes the mean of; the split is one.
    """

    table: str
    plugin: str
    n_iter: int | None
    max_rows: int | None
    repeats: int


def main(
    tables: options.Names = "banknote,loan",
    plugins: options.Names = "macode,ctgan,tvae,ddpm,arf,nflow",
    data_dir: options.DataDir = None,
    n_iter: Annotated[
        int | None, typer.Option(help="Iterations of the neural peers; theirs if absent.")
    ] = None,
    max_rows: options.MaxRows = None,
    repeats: Annotated[int, typer.Option(help="Seeds.")] = 1,
    out: options.Out = RESULTS,
) -> None:
    """Have the host fit and measure every plugin; a row of the file for each of its measures."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        Run(table, plugin, None if plugin in OWN_LENGTH else n_iter, max_rows, repeats)
        for table in loaded
        for plugin in options.names(plugins)
    ]
    ledger.work_through(
        out, runs, lambda run: measure(run, loaded[run.table]), synthcity=membership.synthcity_version()
    )


def measure(run: Run, table: data.RealTable) -> list[dict[str, Any]]:
    """Return the name of each of the host's measures, and its mean over repeats."""
    train, test = data.split(table.frame, 0)
    asked = {} if run.n_iter is None else {"n_iter": run.n_iter}
    with tempfile.TemporaryDirectory() as folder:
        scores = Benchmarks.evaluate(
            [(run.plugin, run.plugin, asked)],
            _loader(table, train),
            _loader(table, test),
            metrics=METRICS,
            repeats=run.repeats,
            synthetic_size=len(train),
            task_type="classification",
            workspace=Path(folder),
        )[run.plugin]
    return [{"measure": name, "mean": mean} for name, mean in scores["mean"].items()]


def _loader(table: data.RealTable, frame: pd.DataFrame) -> GenericDataLoader:
    return GenericDataLoader(frame.reset_index(drop=True), target_column=table.target)


if __name__ == "__main__":
    typer.run(main)
