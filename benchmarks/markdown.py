"""How figures are written as Markdown, alike in every part of the report."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable

import pandas as pd

from benchmarks.data import NAMES, elsewhere

__all__ = [
    "ABSENT",
    "below_the_means",
    "commands",
    "distinct",
    "figure",
    "given",
    "grid",
    "label",
    "labels",
    "listed",
    "number",
    "of_protocol",
    "origin",
    "published",
    "section",
    "uncut",
]

ABSENT = "n/a"
_MODELS = {"default": "macode", "paper": "macode-paper"}
_VERSIONS = ("macode_plugin", "torch", "numpy", "pandas", "scikit_learn")


def label(model: str, max_rows: float, epochs: float) -> str:
    """Return the model's name, with the cuts that make its figures no match for full runs."""
    cuts = [f"{n:.0f} {unit}" for n, unit in ((max_rows, "rows"), (epochs, "epochs")) if pd.notna(n)]
    return f"{model} ({', '.join(cuts)})" if cuts else model


def labels(runs: pd.DataFrame, column: str = "model") -> pd.Series:
    """Return :func:`label` of every run, with another column's values in place of the model.

    Models are called as ``benchmarks.peers`` calls them.
    """
    values = runs[column].replace(_MODELS) if column == "model" else runs[column]
    named = zip(values, runs["max_rows"], runs["epochs"])
    return pd.Series([label(*row) for row in named], index=runs.index)


def uncut(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of the paper's whole tables with the models' own numbers of epochs."""
    return runs[runs["max_rows"].isna() & runs["epochs"].isna() & runs["table"].isin(NAMES)]


def figure(values: pd.Series) -> str:
    """Return mean ± standard error (number of seeds)."""
    values = values.dropna()
    if values.empty:
        return ABSENT
    mean = values.mean()
    error = f" ± {values.sem():.{_decimals(mean)}f}" if len(values) > 1 else ""
    return f"{number(mean)}{error} ({len(values)})"


def number(value: float) -> str:
    """Return a number to three decimals, small ones to four."""
    return f"{value:.{_decimals(value)}f}" if pd.notna(value) else ABSENT


def published(value: float, error: float = math.nan) -> str:
    """Return a figure of the paper, ± its standard error if it has one, to the decimals printed."""
    if pd.isna(value):
        return ABSENT
    return f"{value:.3f}" + (f" ± {error:.3f}" if pd.notna(error) else "")


def _decimals(value: float) -> int:
    return 3 if abs(value) >= 0.01 or value == 0 else 4


def of_protocol(runs: pd.DataFrame, full: int, protocol: str) -> str:
    """Return how many runs of the paper's protocol each model's figures rest on.

    Arguments
    ---------
    runs : DataFrame
        With columns ``table``, ``seed`` and those that :func:`labels` takes; a run a row.
    full : int
        Runs of the protocol.
    protocol : str
        What these are, in words.
    """
    own = runs[runs["table"].isin(NAMES) & runs["seed"].lt(10)]
    counts = own.groupby(labels(own), sort=False).size()
    shares = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
    return f"The full protocol is {full} runs ({protocol}). Of these there are: {shares}."


def distinct(values: pd.Series) -> str:
    """Return the distinct values, in order of appearance."""
    return " / ".join(str(value) for value in values.unique())


def grid(header: list[str], rows: list[list[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def below_the_means(tables: Iterable[str]) -> list[str]:
    """Return what is said of rows below those of the means, nothing if there are none."""
    others = ", ".join(elsewhere(tables))
    return [f"Below the means are tables from elsewhere, in none of them: {others}."] if others else []


def section(title: str, note: str, shown: str, runs: pd.DataFrame, calls: list[str]) -> str:
    """Return a heading, a note, what is shown, and where it comes from."""
    return "\n\n".join([f"## {title}", note, shown, origin("", runs, calls)])


def origin(name: str, runs: pd.DataFrame, calls: list[str]) -> str:
    """Return machine, date, versions and commands behind some runs."""
    versions = ", ".join(f"{v.replace('_', '-')} {distinct(runs[v])}" for v in _VERSIONS)
    told = f"{distinct(runs['machine'])}; {distinct(runs['date'])}; {versions}."
    named = f"**{name}**: {told}" if name else told
    return named + "\n\n```\n" + "\n".join(calls) + "\n```"


def commands(module: str, runs: pd.DataFrame, settings: str = "") -> list[str]:
    """Return the calls of a benchmark that repeat these runs.

    Arguments
    ---------
    module : str
    runs : DataFrame
        With columns ``table``, ``seed``, ``max_rows`` and ``epochs``, and ``mechanism`` if the
        benchmark has them.
    settings : str
        Options that all calls share, as a shell takes them.
    """
    lists = ["table", "mechanism"] if "mechanism" in runs else ["table"]
    calls = []
    for _, alike in runs.groupby(["max_rows", "epochs"], sort=False, dropna=False):
        seeds = alike.groupby(lists, sort=False)["seed"]
        rows = seeds.agg(lambda of_one: listed(of_one.sort_values())).reset_index()
        for name in lists:
            others = [column for column in rows if column != name]
            rows = rows.groupby(others, sort=False)[name].agg(",".join).reset_index()
        for row in rows.to_dict("records"):
            chosen = [f"--{name}s {shlex.quote(row[name])}" for name in [*lists, "seed"]]
            shared = [settings] if settings else []
            call = " ".join([f"python -m {module} --data-dir DIR", *chosen, *shared])
            calls.append(call + given(alike, "max_rows", "epochs"))
    return calls


def given(runs: pd.DataFrame, *names: str) -> str:
    """Return the options of these names that the first run was given, each behind a blank."""
    values = {name.replace("_", "-"): runs[name].iloc[0] for name in names}
    return "".join(f" --{option} {value:.0f}" for option, value in values.items() if pd.notna(value))


def listed(values: pd.Series) -> str:
    """Return the distinct values in order of appearance, as an option takes them."""
    return ",".join(str(value) for value in values.unique())
