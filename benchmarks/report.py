"""Write RESULTS.md from the files of results and the published figures, and from nothing else.

``python -m benchmarks.report``
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from benchmarks import (
    markdown,
    paper,
    report_baseline,
    report_density,
    report_hosts,
    report_imputation,
    report_incomplete,
    report_peers,
    report_privacy,
    report_repeated,
    report_scaling,
    report_targets,
)
from benchmarks.data import NAMES, elsewhere
from benchmarks.ledger import FOLDER
from benchmarks.measures import BESTS, MEASURES, TITLES, ideal_sentence

__all__ = ["WRITERS", "main"]

_HERE = Path(__file__).parent

_ABLATION = {
    "validation_nll": "Validation NLL",
    "test_score": "Test score",
    **{measure: TITLES[measure] for measure in ("detector_auc", "nearest_record_share", "smape", "f1")},
}

_CHANGES = """\
Validation NLL is that of the validation rows at the best epoch, in nats per row; lower is better. It
counts tokens, so that it compares changes that leave them as they are. The best is of the first two
thirds of the epochs, of all of them for "held-out rows never learned". Test score is the mean
log-likelihood of the held-out rows, in nats per row and the data's own units; higher is better, and
changes of the tokens can be compared too, but for "no tokens for repeated values": columns then lose
their grid of decimals, and densities stand where masses did. The other measures are of one synthetic
table of the size of the training table, as in question 1.

"Rates of larger tables" are those from 3000 training rows on, with the shorter momentum; "rates that do
not grow" are those of 4000 rows."""

_TITLE = """\
# Results

Written by `python -m benchmarks.report` from the files in `benchmarks/results`; do not edit. Figures
are means over seeds ± standard error, with the number of seeds in brackets; n/a was not measured or
is not defined. Means over tables are given where all nine were measured. **macode** is `MaCoDE()`,
**macode-paper** is `MaCoDE.paper()`. Each part names the commands, versions, machine and dates behind
it; a version's suffix is the commit of the package, and rows without one are older than that custom."""

_INTRODUCTION = """\
## Quality of complete data (question 1 of the paper)

**baseline** fits nothing: half of the real training rows stands in for synthetic ones and the other
half for the training rows, so that it shows what fresh real rows reach.
Published figures: An et al., AAAI 2025, arXiv 2405.20602, its tenth table (covtype) left out. The
default was chosen with seeds 0 to 2 of these tables (breast: 0 to 4), held-out rows included; seeds
from there on are a fresh test of it."""


def main(
    folder: Annotated[Path, typer.Option(help="Folder of the files of results.")] = FOLDER,
    out: Annotated[Path, typer.Option(help="Markdown file to write.")] = _HERE / "RESULTS.md",
) -> None:
    """Write the figures as Markdown, beside the published ones."""
    paths = {name: folder / f"{name}.csv" for name in WRITERS}
    files = {name: pd.read_csv(path) for name, path in paths.items() if path.exists()}
    if not files:
        raise FileNotFoundError(f"no file of results is in the folder, however: {folder}")
    aims = [report_targets.write(files)] if "q1" in files else []
    parts = aims + [WRITERS[name](runs) for name, runs in files.items()]
    out.write_text("\n\n".join([_TITLE, _contents(parts), *parts]) + "\n", encoding="utf-8")


def _contents(parts: list[str]) -> str:
    """Return links to the parts, by the anchors that GitHub gives their headings."""
    titles = [line[3:] for part in parts for line in part.splitlines() if line.startswith("## ")]
    anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    return "\n".join(f"- [{title}](#{anchor})" for title, anchor in zip(titles, anchors))


def _quality(ours: pd.DataFrame) -> str:
    """Return the part on question 1."""
    ours = ours.assign(label=markdown.labels(ours))
    published = paper.read("q1_quality")
    sections = [
        _INTRODUCTION,
        markdown.of_protocol(ours, 90, "nine tables, seeds 0 to 9"),
        *markdown.below_the_means(ours["table"]),
        _means_of_models(ours, published),
        *(_one_measure(ours, published, measure) for measure in MEASURES),
        *report_baseline.write(markdown.uncut(ours[ours["model"] == "baseline"]), published),
        *report_repeated.write(ours),
        _seconds(ours[ours["model"] != "baseline"]),
        _origin(ours),
    ]
    return "\n\n".join(sections)


def _means_of_models(ours: pd.DataFrame, published: pd.DataFrame) -> str:
    """Return the table of all models, each measure averaged over the nine tables."""
    rows = [
        [label, *(markdown.number(_mean_of_tables(runs, measure)) for measure in MEASURES)]
        for label, runs in ours.groupby("label", sort=False)
    ]
    for model, figures in published.groupby("model", sort=False):
        known = [m for m in MEASURES if m in figures]
        absent = [markdown.ABSENT] * (len(MEASURES) - len(known))
        rows.append(
            [f"published {model}", *(markdown.published(figures[m].mean()) for m in known), *absent]
        )
    header = ["Model", *TITLES.values()]
    return f"### Means over the nine tables\n\n{markdown.grid(header, rows)}"


def _one_measure(ours: pd.DataFrame, published: pd.DataFrame, measure: str) -> str:
    """Return the figures of one measure, by table."""
    title, best = MEASURES[measure]
    by_label = dict(list(ours.groupby("label", sort=False)))
    beside = None
    if measure in published:
        beside = published.pivot_table([measure, f"{measure}_se"], index="table", columns="model")

    def row(table: str) -> list[str]:
        figures = (markdown.figure(of.loc[of["table"] == table, measure]) for of in by_label.values())
        return [table, *figures, *_published_cells(beside, measure, table)]

    means = [markdown.number(_mean_of_tables(runs, measure)) for runs in by_label.values()]
    mean = ["**mean**", *means, *_published_cells(beside, measure, None)]
    rows = [*map(row, NAMES), mean, *map(row, elsewhere(ours["table"]))]
    names = [] if beside is None else ["published MaCoDE", "best published", "published Baseline"]
    told = ideal_sentence(BESTS[best], in_paper=beside is not None)
    return f"### {title}\n\n{told}\n\n{markdown.grid(['Table', *by_label, *names], rows)}"


def _published_cells(figures: pd.DataFrame | None, measure: str, table: str | None) -> list[str]:
    """Return MaCoDE's, the best model's and the baseline's figure of a table; None for the mean."""
    if figures is None:
        return []
    if table is not None and table not in figures.index:
        return [markdown.ABSENT] * 3
    means = figures[measure].mean() if table is None else figures.loc[table, measure]
    # The paper gives no errors of means over these tables.
    errors = {} if table is None else figures.loc[table, f"{measure}_se"]
    cells = {model: markdown.published(mean, errors.get(model, nan)) for model, mean in means.items()}
    rivals = means.drop("Baseline")
    first = rivals.idxmax() if MEASURES[measure][1] == 1 else rivals.idxmin()
    return [cells["MaCoDE"], f"{cells[first]} ({first})", cells["Baseline"]]


def _mean_of_tables(runs: pd.DataFrame, measure: str) -> float:
    """Return the mean of the tables' means, NaN unless all nine have one."""
    return runs.groupby("table")[measure].mean().reindex(NAMES).mean(skipna=False)


def _seconds(fitted: pd.DataFrame) -> str:
    """Return what fitting and sampling took."""
    rows = []
    for (label, table), runs in fitted.groupby(["label", "table"], sort=False):
        size = [f"{runs[name].iloc[0]}" for name in ("n_train", "n_columns")]
        effort = [f"{runs[name].mean():.1f}" for name in ("epochs_run", "fit_s", "sample_s")]
        rows.append([label, table, *size, *effort, markdown.distinct(runs["threads"])])
    header = ["Model", "Table", "Training rows", "Columns", "Epochs", "Fit s", "Sample s", "Threads"]
    note = "Wall clock, means over seeds, other work on the machine not excluded: no measure of speed."
    return f"### Seconds\n\n{note}\n\n{markdown.grid(header, rows)}"


def _origin(ours: pd.DataFrame) -> str:
    """Return the commands, versions, machines and dates behind the figures."""
    parts = ["### Where the figures come from", "DIR is the folder of the parquet files."]
    for label, runs in ours.groupby("label", sort=False):
        model = runs["model"].iloc[0]
        settings = "--half-real" if model == "baseline" else f"--preset {model}"
        calls = markdown.commands("benchmarks.q1", runs, settings)
        parts.append(markdown.origin(str(label), runs, calls))
    return "\n\n".join(parts)


def _ablation(trials: pd.DataFrame) -> str:
    """Return what each change of the default does, a table for each table learned."""
    trials = trials.assign(label=markdown.labels(trials, "change"))
    shown = []
    for table, of_table in trials.groupby("table", sort=False):
        rows = [
            [str(label), *(markdown.figure(of_change[name]) for name in _ABLATION)]
            for label, of_change in of_table.groupby("label", sort=False)
        ]
        shown.append(f"**{table}**\n\n{markdown.grid(['Change', *_ABLATION.values()], rows)}")
    calls = markdown.commands("benchmarks.ablation", trials)
    return markdown.section("Departures from the paper", _CHANGES, "\n\n".join(shown), trials, calls)


WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "q1": _quality,
    "ablation": _ablation,
    "q2": report_incomplete.write,
    "q3": report_imputation.write,
    "peers": report_peers.write,
    "tau": report_privacy.write,
    "scaling": report_scaling.write,
    **report_density.WRITERS,
    **report_hosts.WRITERS,
}
"""Writers of the report's parts, in order, by the name of the results file."""


if __name__ == "__main__":
    typer.run(main)
