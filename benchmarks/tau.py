"""What the temperature of a draw (the paper's tau) buys in privacy and costs in quality.

``python -m benchmarks.tau --data-dir DIR --tables banknote,redwine --seeds 0,1,2``

One fit for each table and seed, a synthetic table at each temperature. Temperature is a knob, not
differential privacy: what is measured here is what some attacks achieve, not what none can.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from matplotlib.figure import Figure

from benchmarks import data, detection, ledger, markdown, membership, metrics, options, paper, privacy
from benchmarks.comparison import Comparison
from benchmarks.measures import TRADE_OFFS
from benchmarks.page_plots import draw_trade_off
from benchmarks.q1 import Preset, compare
from benchmarks.timing import timed
from macode_plugin import MaCoDE

__all__ = ["PLOT", "RESULTS", "Fit", "TauRun", "main", "measure"]

RESULTS = ledger.FOLDER / "tau.csv"
PLOT = ledger.FOLDER / "tau.svg"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TauRun(ledger.Run):
    """One synthetic table of one fit."""

    tau: int


@dataclasses.dataclass(frozen=True)
class Fit:
    """A model, the rows it learned from, those held out, and the seconds that it took."""

    model: MaCoDE
    train: pd.DataFrame
    test: pd.DataFrame
    seconds: float


def main(
    tables: options.Names = options.TABLES,
    seeds: options.Numbers = options.SEEDS,
    taus: Annotated[
        str, typer.Option(help="Temperatures: whole numbers, separated by commas.")
    ] = "1,2,3,4,5",
    data_dir: options.DataDir = None,
    preset: Annotated[Preset, typer.Option(help="Settings of the model.")] = Preset.default,
    max_rows: options.MaxRows = None,
    epochs: options.Epochs = None,
    out: options.Out = RESULTS,
    plot: options.Plot = PLOT,
) -> None:
    """Fit, draw a table at each temperature, and measure its quality and its privacy."""
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        TauRun(table, Preset(preset).value, seed, max_rows, epochs, tau=tau)
        for table in loaded
        for seed in options.numbers(seeds)
        for tau in _temperatures(taus)
    ]

    @functools.lru_cache(maxsize=1)  # runs of one fit follow each other
    def fitted(table: str, seed: int) -> Fit:
        model = options.model(seed, epochs, paper=preset == Preset.paper)
        return _fit(model, loaded[table])

    ledger.work_through(
        out,
        runs,
        lambda run: measure(run.tau, loaded[run.table], fitted(run.table, run.seed)),
        synthcity=membership.synthcity_version(),
    )
    _draw(pd.read_csv(out), plot)


def measure(tau: int, real: data.RealTable, fit: Fit) -> dict[str, Any]:
    """Return the figures of as many rows as training rows, drawn at a temperature."""
    # The model's own seed, so that rows of temperature 1 are those that benchmarks.q1 measures.
    seed = fit.model.random_state
    synthetic, sample_s = timed(
        lambda: fit.model.sample(len(fit.train), temperature=tau, random_state=seed)
    )
    return {
        "n_train": len(fit.train),
        "n_columns": fit.train.shape[1],
        "fit_s": fit.seconds,
        "sample_s": sample_s,
        "epochs_run": len(fit.model.history_),
        **_figures(compare(real, fit.train, fit.test, synthetic)),
    }


def _figures(c: Comparison) -> dict[str, float]:
    return {
        "kl": metrics.kl_divergence(c),
        "gof": metrics.goodness_of_fit(c),
        "wd": metrics.wasserstein_distance(c),
        "smape": metrics.smape(c),
        "f1": metrics.f1(c),
        "detector_auc": detection.detector_auc(c),
        "k_anonymity": privacy.k_anonymity(c),
        "dcr": privacy.distance_to_closest_record(c),
        "attribute_disclosure": privacy.attribute_disclosure(c),
        **membership.nearest_neighbour_attack(c),
        **membership.domias(c),
    }


def _fit(model: MaCoDE, real: data.RealTable) -> Fit:
    train, test = data.split(real.frame, model.random_state)
    _, seconds = timed(lambda: model.fit(train, categorical_columns=real.categorical))
    return Fit(model, train, test, seconds)


def _temperatures(text: str) -> list[int]:
    taus = options.numbers(text)
    if min(taus) < 1:
        raise ValueError(f"temperatures must be positive whole numbers, however: {text!r}")
    return taus


def _draw(results: pd.DataFrame, path: Path) -> None:
    """Draw privacy against quality, a line of temperatures for each table and model."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    named = results.assign(table=markdown.labels(results, "table") + ", " + results["model"])
    drawn = sorted({name for pair in TRADE_OFFS for name in pair})
    means = named.groupby(["tau", "table"], sort=False)[drawn].mean()
    printed = paper.read("tau").dropna(subset="tau")
    printed = printed.groupby("tau")[[name for name in drawn if name in printed]].mean()
    for axes, pair in zip(figure.subplots(1, 2), TRADE_OFFS):
        draw_trade_off(axes, means, printed, *pair)
    figure.legend(*figure.axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
