"""The sections of RESULTS.md on benchmarks inside the hosts."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable
from typing import Any

import pandas as pd

from benchmarks.markdown import ABSENT, distinct, figure, given, grid, labels, listed, origin, section

__all__ = ["WRITERS"]

_KEPT: dict[str, Any] = {"sort": False, "dropna": False}
"""Groups in the file's order, with those that have no such setting."""


def _synthcity(scores: pd.DataFrame) -> str:
    """Return what synthcity's own benchmark says of its plugins and of macode, by table."""
    parts = [
        "## synthcity's own benchmark",
        f"synthcity {distinct(scores['synthcity'])}. `gt` rows are real training rows. macode and arf "
        "choose how long they train, and so do the others where no iterations are named. The host "
        f"leaves out a measure that raises an error ({ABSENT} where it did for some plugins).",
    ]
    named = scores.assign(named=[_trained(*run) for run in zip(scores["plugin"], scores["n_iter"])])
    for (data, cut, repeats), of_table in named.groupby(["table", "max_rows", "repeats"], **_KEPT):
        shown = of_table.pivot_table("mean", "measure", "named", sort=False, dropna=False)
        rows = [
            [measure, *(f"{value:.4g}" if pd.notna(value) else ABSENT for value in cells)]
            for measure, *cells in shown.itertuples()
        ]
        size = "all rows" if pd.isna(cut) else f"{cut:.0f} rows"
        seeds = "one seed" if repeats == 1 else f"mean of {repeats} seeds"
        parts.append(f"**{data}**, {size}, 80 % of them to learn from, {seeds}.")
        parts.append(grid(["Measure", *shown.columns], rows))
    commands = [
        f"python -m benchmarks.synthcity_suite --data-dir DIR --tables {shlex.quote(data)} "
        f"--plugins {listed(alike['plugin'])}{given(alike, 'n_iter', 'max_rows', 'repeats')}"
        for (data, *_), alike in scores.groupby(["table", "max_rows", "n_iter", "repeats"], **_KEPT)
    ]
    return "\n\n".join([*parts, origin("", scores, commands)])


def _trained(plugin: str, n_iter: float) -> str:
    """Return a plugin's name, with the iterations that it was given."""
    return plugin if pd.isna(n_iter) else f"{plugin} ({n_iter:.0f} iterations)"


def _rare_conditions(runs: pd.DataFrame) -> str:
    """Return the seconds that rows under a rare rule take."""
    asked, patience = (distinct(runs[name]) for name in ("asked", "patience"))
    learned = distinct(runs["training_rows"])
    note = (
        f"synthcity {distinct(runs['synthcity'])}, {learned} training rows, of which one in a thousand "
        f"keeps the rule. macode draws; the others generate {asked} rows and keep those that fit, in "
        f"{patience} rounds at most: {patience} times {asked} / 1000 where a plugin has "
        "learned how rare they are."
    )
    named = runs.assign(named=[_trained(*run) for run in zip(runs["plugin"], runs["n_iter"])])
    shown = _rows_got(named, {"named": "Plugin", "rule": "Rule"})
    command = (
        f"python -m benchmarks.rare_conditions --plugins {listed(runs['plugin'])} --n {asked} "
        f"--training-rows {learned} --patience {patience}"
        + given(runs[runs["n_iter"].notna()], "n_iter")
    )
    return section("Rows under a rare rule", note, shown, runs, [command])


def _sdv(runs: pd.DataFrame) -> str:
    """Return SDV's own scores of its synthesizers and of MaCoDESynthesizer."""
    scores = ("diagnostic", "quality", "column_shapes", "column_pair_trends", "quality_held_out")
    rows = [
        [
            *map(str, which),
            *(figure(of[score]) for score in scores),
            *(f"{of[seconds].mean():.1f}" for seconds in ("fit_s", "sample_s")),
        ]
        for which, of in runs.groupby(["table", labels(runs, "synthesizer")], sort=False)
    ]
    titles = ("Diagnostic", "Quality", "Shapes", "Pair trends", "Quality on held-out rows")
    shown = grid(["Table", "Synthesizer", *titles, "Fit s", "Sample s"], rows)
    note = (
        f"`run_diagnostic` and `evaluate_quality` of SDV {distinct(runs['sdv'])}, from 0 to 1 (best), "
        "against the training rows, and quality against held-out rows. The neural peers have SDV's own "
        "number of epochs where none is named. Seconds are of a machine with other work on it."
    )
    commands = [
        f"python -m benchmarks.sdv_suite --data-dir DIR --tables {shlex.quote(listed(alike['table']))} "
        f"--synthesizers {listed(alike['synthesizer'])} --seeds {listed(alike['seed'].sort_values())}"
        + given(alike.assign(macode_epochs=alike["epochs"]), "max_rows", "epochs", "macode_epochs")
        for _, alike in runs.groupby(["max_rows", "epochs"], **_KEPT)
    ]
    return section("SDV's quality reports", note, shown, runs, commands)


def _sdgym(runs: pd.DataFrame) -> str:
    """Return SDGym's scores of SDV's synthesizers and of MaCoDESynthesizer."""
    rows = [
        [run["table"], label, f"{run['diagnostic']:.3f}", f"{run['quality']:.3f}"]
        for run, label in zip(runs.to_dict("records"), labels(runs, "synthesizer"))
    ]
    note = (
        f"SDGym {distinct(runs['sdgym'])} with SDV {distinct(runs['sdv'])}, one run: scores from 0 to 1 "
        "(best) against the rows learned from, which are all rows of the table. Peers have SDV's own "
        "settings. Its seconds and megabytes stand in the file of results; it was not alone on the "
        "machine."
    )
    commands = [
        "python -m benchmarks.sdgym_recipe --data-dir DIR "
        f"--tables {shlex.quote(listed(alike['table']))} "
        f"--synthesizers {listed(alike['synthesizer'])}{given(alike, 'max_rows', 'epochs')}"
        for _, alike in runs.groupby(["max_rows", "epochs"], **_KEPT)
    ]
    shown = grid(["Table", "Synthesizer", "Diagnostic", "Quality"], rows)
    return section("SDGym", note, shown, runs, commands)


def _sdv_conditions(runs: pd.DataFrame) -> str:
    """Return the seconds that known rows take, and how many come back."""
    note = (
        f"SDV {distinct(runs['sdv'])}, {distinct(runs['table'])}: `sample`, and "
        "`sample_remaining_columns` with a category or a number known in every row; at most "
        f"{distinct(runs['tries'])} tries.{_absent(runs, 'synthesizer', 'known', 'asked')}"
    )
    shown = _rows_got(runs, {"synthesizer": "Synthesizer", "known": "Known"})
    table = shlex.quote(distinct(runs["table"]))
    command = (
        f"python -m benchmarks.sdv_conditions --data-dir DIR --table {table} "
        f"--synthesizers {listed(runs['synthesizer'])} --n {listed(runs['asked'])} "
        f"--epochs {distinct(runs['epochs'])} --tries {distinct(runs['tries'])}"
    )
    return section("Known rows completed in SDV", note, shown, runs, [command])


def _absent(runs: pd.DataFrame, *names: str) -> str:
    """Return a sentence on the combinations of these columns' values that were not run, if any."""
    run = set(runs[list(names)].itertuples(index=False, name=None))
    absent = [c for c in itertools.product(*(runs[name].unique() for name in names)) if c not in run]
    listed = "; ".join(", ".join(map(str, combination)) for combination in absent)
    return f" Not run, or stopped as too slow: {listed}." if absent else ""


def _rows_got(runs: pd.DataFrame, named: dict[str, str]) -> str:
    """Return rows asked for and got and the seconds, behind columns of other titles."""
    rows = [
        [*(str(run[name]) for name in [*named, "asked", "got"]), f"{run['s']:.2f}"]
        for run in runs.to_dict("records")
    ]
    return grid([*named.values(), "Rows asked", "Rows got", "Seconds"], rows)


WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "synthcity": _synthcity,
    "rare_conditions": _rare_conditions,
    "sdv": _sdv,
    "sdgym": _sdgym,
    "sdv_conditions": _sdv_conditions,
}
"""Writers of the sections by the name of the results file."""
