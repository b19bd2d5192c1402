"""synthcity's own benchmark, macode beside the host's plugins.

``python -m benchmarks.synthcity_suite --data-dir DIR --tables banknote,loan`` (with the
``synthcity`` extra)

Every figure is the host's: ``Benchmarks.evaluate`` fits, samples and measures. Left out of its
suite are the measures that take hours (networks trained as attackers or predictors) and those
that need other data (survival), and DOMIAS with a kernel density estimate, which raises an error for
every plugin on most tables (tried: breast, loan, redwine). The host leaves out what raises one: on
breast, whose 31 columns are too many for its rows, the other DOMIAS attack too.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from synthcity.benchmark import Benchmarks
from synthcity.plugins.core.dataloader import GenericDataLoader

import macode_plugin  # noqa: F401  registers the plugin
from benchmarks import data, ledger, options

__all__ = ["METRICS", "RESULTS", "main"]

RESULTS = ledger.FOLDER / "synthcity.csv"

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


def main(
    tables: options.Names = "banknote,loan",
    plugins: options.Names = "macode,ctgan,tvae,ddpm,arf",
    data_dir: options.DataDir = None,
    n_iter: Annotated[
        int | None, typer.Option(help="Iterations of the neural peers; theirs if absent.")
    ] = None,
    max_rows: options.MaxRows = None,
    repeats: Annotated[int, typer.Option(help="Seeds.")] = 1,
    out: options.NewOut = RESULTS,
) -> None:
    """Print the host's table for each data set, and write both to one file."""
    parts = []
    for name, table in data.load_all(options.names(tables), data_dir, max_rows).items():
        scores = evaluate(table, options.names(plugins), n_iter, repeats)
        typer.echo(f"\n{name}\n{scores.to_string()}")
        parts.append(scores.rename_axis("measure").reset_index().assign(table=name))
        pd.concat(parts).assign(n_iter=n_iter, max_rows=max_rows, **ledger.environment()).to_csv(
            out, index=False
        )


def evaluate(
    table: data.RealTable, plugins: list[str], n_iter: int | None, repeats: int
) -> pd.DataFrame:
    """Return the host's measures, a row each, the mean over repeats in a column for each plugin."""
    train, test = data.split(table.frame, 0)
    train, test = (_loader(table, frame) for frame in (train, test))
    own = {"macode", "arf"}
    tests = [
        (name, name, {} if n_iter is None or name in own else {"n_iter": n_iter}) for name in plugins
    ]
    with tempfile.TemporaryDirectory() as folder:
        scores = Benchmarks.evaluate(
            tests,
            train,
            test,
            metrics=METRICS,
            repeats=repeats,
            synthetic_size=len(train),
            task_type="classification",
            workspace=Path(folder),
        )
    return pd.DataFrame({name: frame["mean"] for name, frame in scores.items()})


def _loader(table: data.RealTable, frame: pd.DataFrame) -> GenericDataLoader:
    return GenericDataLoader(frame.reset_index(drop=True), target_column=table.target)


if __name__ == "__main__":
    typer.run(main)
