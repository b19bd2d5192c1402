"""Write one HTML page from the files of results and the published figures, and from nothing else.

``python -m benchmarks.page -o report.html``, or ``macode bench --report`` in a clone
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from benchmarks import markdown, page_plots, paper, report
from benchmarks.data import NAMES
from benchmarks.ledger import FOLDER
from benchmarks.measures import AGAINST_SECONDS, MEASURES, TITLES, TRADE_OFFS
from benchmarks.page_figures import (
    Field,
    Figures,
    combine,
    fields,
    loss,
    measured,
    named,
    pareto_front,
    published,
)
from benchmarks.page_html import STYLE, details, legend, origins, table
from macode_plugin import markup
from macode_plugin.markup import gallery, paragraph, section
from macode_plugin.plots import drawing_style

__all__ = ["FILES", "main", "render"]

FILES = ("q1", "peers", "tau", "q2", "q3", "calibration")
"""The files of results that have a part in the page, each by the name of its benchmark."""

_MODEL = {"q1": "model", "peers": "peer"}
"""The column that names the model, in the files that have the measures of question 1."""

_RANKS = """\
Models are ranked table by table and measure by measure, on figures to three decimals, and the ranks
are averaged: 1 would be the best in everything. Other figures are means over the tables. macode is
MaCoDE() (default in q1.csv), macode-paper is MaCoDE.paper(); baseline is half of the real training
rows instead of synthetic ones, and is not ranked. Published: An et al., AAAI 2025, arXiv 2405.20602,
means of ten seeds. Ranks of few seeds are to be read with care, and more so as the default was chosen
with seeds 0 to 2 of these tables (breast: 0 to 4), held-out rows included."""

_BARS = """\
Means over the tables with their standard errors over seeds; no error is shown where a table has one
seed. A bar with ▸ is cut."""

_SECONDS = """\
Seconds of fitting are wall clock on the machine named below, other work on it not excluded, means over
seeds and tables. Points joined by a line are the Pareto front: no other model is as quick and as
good."""

_CELLS = "Figures are means over seeds ± standard error, with the number of seeds in brackets."

_TEMPERATURE = """\
What the temperature of a draw (tau in the paper) buys in privacy and costs in quality: each line is a
table, and the numbers on it are its lowest and highest temperature. Means are over the paper's tables
where any were run; published are those over ten. Temperature is a knob, not differential privacy:
these are what some attacks achieve, not what none can."""

_BY_TEMPERATURE = (
    *("detector_auc", "smape", "f1", "membership_auc", "membership_tpr"),
    *("attribute_disclosure", "dcr", "k_anonymity"),
)

_TITLES = {
    **{"model": "Model", "mechanism": "Mechanism", "m": "m", "tau": "tau", "level": "Level, %"},
    **TITLES,
    **{"membership_auc": "Membership AUC", "membership_tpr": "Membership TPR at 1 % FPR"},
    **{"attribute_disclosure": "Attribute disclosure", "dcr": "DCR", "k_anonymity": "k-anonymity, %"},
    **{"bias": "Bias", "coverage": "Coverage", "width": "Width", "crps": "CRPS"},
    **{"claimed": "Claimed", "covered": "Covered"},
}
"""Titles of a table's columns."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """A part of the page that is one table of figures for each table of data.

    Arguments
    ---------
    title, note : str
    rows : tuple of str
        Columns that tell rows apart.
    measures : tuple of str
        Columns of figures.
    """

    title: str
    note: str
    rows: tuple[str, ...]
    measures: tuple[str, ...]


_SUMMARIES = {
    "q2": Summary(
        "Incomplete training tables",
        "30 % of the cells are hidden where a mechanism hides; the model learns from the rest. SMAPE is "
        "better lower, F1 higher.",
        ("model", "mechanism"),
        ("smape", "f1"),
    ),
    "q3": Summary(
        "Multiple imputation",
        "30 % of the cells are hidden and imputed m times. Bias and width are better lower, coverage is "
        "of the 95 % interval. CRPS of the hidden cells, in standard deviations, is better lower.",
        ("model", "mechanism", "m"),
        ("bias", "coverage", "width", "crps"),
    ),
    "calibration": Summary(
        "Calibration of conditional intervals",
        "Central intervals of each continuous column given all others, on held-out rows; means over "
        "the columns. Claimed is the probability that the model gives an interval.",
        ("model", "level"),
        ("claimed", "covered"),
    ),
}


def main(
    results: Annotated[Path, typer.Option(help="Folder of the files of results.")] = FOLDER,
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML file to write.")] = Path(
        "report.html"
    ),
) -> None:
    """Write the page of those results of ``FILES`` that the folder has."""
    output.write_text(render(results), encoding="utf-8")


def render(folder: Path) -> str:
    """Return the page, complete in itself.

    Arguments
    ---------
    folder : Path
        Of :data:`FILES`. Those that are absent have no part in the page.

    Raises
    ------
    FileNotFoundError
        If all are absent.
    """
    paths = {name: folder / f"{name}.csv" for name in FILES}
    runs = {name: pd.read_csv(path) for name, path in paths.items() if path.exists()}
    if not runs:
        raise FileNotFoundError(
            f"none of {[f'{name}.csv' for name in FILES]} is in the folder: {folder}"
        )
    with drawing_style():
        sections = [section("Summary", _facts(runs)), *_quality(runs)]
        sections += [_PARTS[name](of) for name, of in runs.items() if name in _PARTS]
    return markup.page("MaCoDE: results", sections, STYLE)


def _facts(runs: dict[str, pd.DataFrame]) -> str:
    told = ["table", "macode_plugin", "date", "machine"]
    of = pd.concat([of_file[told] for of_file in runs.values()])
    return markup.facts(
        {
            "files of results": ", ".join(runs),
            "tables of data": ", ".join(sorted(of["table"].unique())),
            "macode-plugin": markdown.distinct(of["macode_plugin"]),
            "measured": " to ".join(dict.fromkeys([of["date"].min(), of["date"].max()])),
            "machine": markdown.distinct(of["machine"]),
        }
    )


def _quality(runs: dict[str, pd.DataFrame]) -> list[str]:
    """Return the parts on the measures of question 1."""
    files = {name: of for name, of in runs.items() if name in _MODEL}
    if not files:
        return []
    run = ["model", "table", "seed"]
    parts = [named(of, _MODEL[name])[[*run, *MEASURES]] for name, of in files.items()]
    own = pd.concat(parts).drop_duplicates(run)  # MaCoDE may be in both files
    figures = combine(measured(own, list(MEASURES)), published())
    found = fields(figures)
    told = _basis(own) + _origins(files)
    rankings = [(_told_of(field), _ranking(field)) for field in found]
    return [
        section("Ranking", _first_open(rankings) + told, _RANKS),
        section("Measures", _bars(found[0]) + told, _BARS),
        section("Table by table", _drill_down(figures) + told, _CELLS),
    ]


def _told_of(field: Field) -> str:
    titles = ", ".join(TITLES[measure] for measure in field.counted)
    what = f"{_count(len(field.rank), 'model')} on {_count(len(field.tables), 'table')}"
    return f"{what} ({', '.join(field.tables)}), ranked by {titles or 'nothing that all have'}"


def _ranking(field: Field) -> str:
    rows = [["Model", "Mean rank", "Seeds", *TITLES.values()]]
    for model, means in field.mean.iterrows():
        rank = f"{field.rank[model]:.2f}" if model in field.rank.dropna() else "not ranked"
        numbers = (markdown.number(means[measure]) for measure in MEASURES)
        rows.append([str(model), rank, field.seeds[model] or markdown.ABSENT, *numbers])
    return table(rows, f"Ranking of {_told_of(field)}")


def _bars(field: Field) -> str:
    drawn = [
        page_plots.bars(field.mean[measure], field.error[measure], measure)
        for measure in MEASURES
        if field.mean[measure].notna().any()
    ]
    return paragraph(_told_of(field)) + legend(page_plots.COLOURS) + gallery(drawn, wide=True)


def _seconds(runs: pd.DataFrame) -> str:
    """Return the part on quality against seconds of fitting, from ``peers.csv``."""
    own = named(runs, "peer")
    shown = []
    for threads, alike in own.groupby("threads", sort=False):
        for field in fields(measured(alike, [*MEASURES, "fit_s"])):
            told = f"{_count(len(field.rank), 'model')} with {_count(threads, 'thread')} each on"
            shown.append((f"{told} {', '.join(field.tables)}", _effort(field)))
    body = legend(page_plots.RUN_HERE) + _first_open(shown) + _basis(own) + _origins({"peers": runs})
    return section("Quality against seconds", body, _SECONDS)


def _effort(field: Field) -> str:
    """Return measures against seconds as plots, and the same as a table."""
    mean = field.mean.sort_values("fit_s")
    drawn = [
        page_plots.scatter(mean, field.error.loc[mean.index], measure) for measure in AGAINST_SECONDS
    ]
    fronts = {
        TITLES[m]: pareto_front(mean["fit_s"], loss(mean[m], MEASURES[m][1])) for m in AGAINST_SECONDS
    }
    rows = [["Model", "Fit s", *fronts, "On the front of"]]
    for k, (model, means) in enumerate(mean.iterrows()):
        numbers = [markdown.number(means[measure]) for measure in AGAINST_SECONDS]
        first = ", ".join(title for title, front in fronts.items() if front[k]) or "none"
        rows.append([str(model), f"{means['fit_s']:.1f}", *numbers, first])
    return gallery(drawn, wide=True) + table(rows, "Quality and seconds of fitting")


def _temperature(runs: pd.DataFrame) -> str:
    """Return the part on what temperature buys and costs, from ``tau.csv``."""
    own = named(runs)
    figures = measured(own, [name for name in _BY_TEMPERATURE if name in runs], ["model", "tau"])
    printed = paper.read("tau").dropna(subset="tau").set_index("tau")
    body = []
    for model, of in figures.mean.groupby(level="model", sort=False):
        mean = of.droplevel("model")
        drawn = [page_plots.trade_off(mean, printed, *pair) for pair in TRADE_OFFS]
        rows = table(_by_temperature(mean, printed), f"{model} by temperature")
        body += [paragraph(f"{model}:"), gallery(drawn, wide=True), rows]
    body += [_drill_down(figures), _basis(own), _origins({"tau": runs})]
    return section("Privacy and quality by temperature", "".join(body), _TEMPERATURE)


def _by_temperature(mean: pd.DataFrame, printed: pd.DataFrame) -> list[list[str]]:
    """Return means over tables by temperature, the published ones below, as rows of cells."""
    of_paper = mean[mean.index.get_level_values("table").isin(NAMES)]
    mean = of_paper if len(of_paper) else mean
    # A table that lacks a temperature would make a step where it comes in.
    drawn = mean.groupby(level="table")["f1"].transform("size")
    whole = mean[drawn == mean.index.unique("tau").size].groupby(level="tau").mean()
    rows = [_header(whole)]
    for name, means in (("{}", whole), ("{}, published", printed)):
        for tau, of in means.reindex(columns=mean.columns).iterrows():
            rows.append([name.format(f"{tau:g}"), *map(markdown.number, of)])
    return rows


def _summary(name: str, runs: pd.DataFrame) -> str:
    """Return a part of :data:`_SUMMARIES`."""
    part, own = _SUMMARIES[name], named(runs)
    cells = _drill_down(measured(own, part.measures, part.rows))
    return section(part.title, cells + _basis(own) + _origins({name: runs}), f"{part.note} {_CELLS}")


def _drill_down(figures: Figures) -> str:
    """Return a table of figures for each table of data, to be opened."""
    names, parts = figures.mean.index.unique("table"), []
    for name in names:
        mean, error, seeds = (
            frame.xs(name, level="table") for frame in (figures.mean, figures.error, figures.seeds)
        )
        rows = [_header(mean)]
        for k, which in enumerate(mean.index):
            of_row = (frame.iloc[k] for frame in (mean, error, seeds))
            what = map(str, which if isinstance(which, tuple) else [which])
            rows.append([*what, *map(_cell, *of_row)])
        parts.append(details(str(name), table(rows, str(name)), shown=len(names) == 1))
    return "".join(parts)


def _header(frame: pd.DataFrame) -> list[str]:
    """Return the titles of what tells rows apart and of the figures."""
    return [_TITLES[name] for name in (*frame.index.names, *frame.columns)]


def _cell(mean: float, error: float, seeds: float) -> str:
    """Return mean ± standard error (number of seeds), as RESULTS.md has it."""
    if not seeds:
        return markdown.ABSENT
    told = f" ± {error:.3f}" if seeds > 1 else ""
    return f"{mean:.3f}{told} ({seeds:.0f})"


def _first_open(parts: list[tuple[str, str]]) -> str:
    """Return parts with a title each, of which all but the first are to be opened."""
    (title, first), *others = parts
    return paragraph(title) + first + "".join(details(title, part) for title, part in others)


def _basis(own: pd.DataFrame) -> str:
    """Return how many tables and seeds figures rest on, as a paragraph."""
    seeds = own.groupby(["model", "table"])["seed"].nunique()
    low, high = seeds.min(), seeds.max()
    several = _count(high, "seed") if low == high else f"{low} to {high} seeds"
    tables = _count(own["table"].nunique(), "table")
    return paragraph(f"Run here: {tables}, {several} for each model and table.")


def _origins(files: dict[str, pd.DataFrame]) -> str:
    return origins(*(report.WRITERS[name](runs) for name, runs in files.items()))


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


_PARTS: dict[str, Callable[[pd.DataFrame], str]] = {
    "peers": _seconds,
    "tau": _temperature,
    **{name: functools.partial(_summary, name) for name in _SUMMARIES},
}


if __name__ == "__main__":
    typer.run(main)
