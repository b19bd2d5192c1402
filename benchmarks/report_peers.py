"""The section of RESULTS.md on MaCoDE beside its peers."""

from __future__ import annotations

import pandas as pd

from benchmarks.data import NAMES, elsewhere
from benchmarks.markdown import commands, distinct, figure, grid, labels, listed, number, section
from benchmarks.measures import MEASURES, TITLES

__all__ = ["write"]

_TERMS = ["threads", "max_rows", "epochs"]

_NOTE = """\
Each peer in an environment of its own, with the same training rows (80 % of the table) and number of
threads, no GPU, and with its own settings, except that TabularARGN's value protection is off and
that `authors` is the authors' package with the paper's settings (`authors-defaults`: with its own).
`macode` is `MaCoDE()`, `macode-paper` is `MaCoDE.paper()`. Measures as in question 1: lower is better
up to SMAPE, higher from F1 to feature selection, 0.5 is best for the last two.

![quality against seconds of fitting](results/peers.svg)"""

_EFFORT = """\
Wall clock of fitting and of drawing as many rows as the training table has, loading of libraries not
counted. The ratio is that of fitting times on the same table, seeds, threads and cuts. Memory is the
most that the peer's process held, libraries counted. Means over seeds; other work on the machine is
not excluded."""


def write(runs: pd.DataFrame) -> str:
    """Return the section as Markdown, from the rows that ``benchmarks.peers`` wrote."""
    runs = runs.assign(label=labels(runs, "peer"))
    tables = [*NAMES, *elsewhere(runs["table"])]
    places = runs.assign(place=runs["table"].map(tables.index))
    in_order = places.sort_values(["place", "peer"], kind="stable")
    header = ["Table", "Peer", "Threads"]
    effort = ["Training rows", "Fit s", "Fit s / macode's", "Rows drawn/s", "Memory MiB"]
    packages = [f"- {name}: {distinct(of['packages'])}" for name, of in runs.groupby("peer", sort=False)]
    shown = [
        grid([*header, *TITLES.values()], _quality(in_order)),
        _EFFORT,
        grid([*header, *effort], _effort(in_order)),
        "\n".join(packages),
    ]
    return section("Beside peers", _NOTE, "\n\n".join(shown), runs, _commands(runs))


def _quality(runs: pd.DataFrame) -> list[list[str]]:
    """Return the measures, a row for each table, peer and number of threads."""
    return [
        [*map(str, which), *(figure(of[measure]) for measure in MEASURES)]
        for which, of in runs.groupby(["table", "label", "threads"], sort=False)
    ]


def _effort(runs: pd.DataFrame) -> list[list[str]]:
    """Return what fitting and drawing took, in rows as those of the measures."""
    alike = ["table", "seed", *_TERMS]
    ours = runs.loc[runs["peer"] == "macode", [*alike, "fit_s"]]
    runs = runs.merge(ours, "left", on=alike, suffixes=("", "_macode"))
    rows = []
    for which, of in runs.groupby(["table", "label", "threads"], sort=False):
        ratio = of["fit_s"].mean() / of["fit_s_macode"].mean(skipna=False)
        seconds = [f"{of['fit_s'].mean():.1f}", number(ratio)]
        drawn = of["n_train"].sum() / of["sample_s"].sum()
        size = [f"{drawn:.0f}", f"{of['peak_mib'].mean():.0f}"]
        rows.append([*map(str, which), distinct(of["n_train"]), *seconds, *size])
    return rows


def _commands(runs: pd.DataFrame) -> list[str]:
    """Return the calls that repeat these runs."""
    peers = runs.groupby(["table", *_TERMS], dropna=False)["peer"].transform(listed)
    settings = "--peers " + peers + " --threads " + runs["threads"].astype(str)
    calls = (commands("benchmarks.peers", of, name) for name, of in runs.groupby(settings, sort=False))
    return [call for of_settings in calls for call in of_settings]
