"""The part of RESULTS.md on privacy: the measures of quality and risk by temperature."""

from __future__ import annotations

import pandas as pd

from benchmarks import markdown, paper
from benchmarks.data import NAMES, elsewhere
from benchmarks.measures import BESTS, MEASURES, ideal_sentence

__all__ = ["write"]

_GUESS = "0.5 is a guess"
_SAFER_HIGH, _SAFER_LOW = "higher is more private", "lower is more private"
_MEASURES = {
    **{
        measure: (title, BESTS[best])
        for measure, (title, best) in MEASURES.items()
        if measure in ("kl", "gof", "wd", "smape", "f1", "detector_auc")
    },
    "k_anonymity": ("k-anonymity, % of the rows", _SAFER_HIGH),
    "dcr": ("DCR", _SAFER_HIGH),
    "attribute_disclosure": ("Attribute disclosure", _SAFER_LOW),
    "membership_auc": ("Membership AUC, nearest neighbour", _GUESS),
    "membership_tpr": ("Membership TPR at 1 % FPR", "0.01 is a guess"),
    "domias_prior_auc": ("Membership AUC, DOMIAS with a normal prior", _GUESS),
    "domias_kde_auc": ("Membership AUC, DOMIAS with a kernel density", _GUESS),
}

_INTRODUCTION = """\
## Privacy by temperature

One fit for each table and seed, a synthetic table at each temperature (`temperature`, the paper's
tau). Measures: `benchmarks/privacy.py` (the paper's) and `benchmarks/membership.py` (whether training
rows can be told from held-out ones; DOMIAS where synthcity is installed). Temperature is a knob, not
differential privacy, and no figure here is a bound on what an attacker can learn. By table the paper
has a temperature of 1 alone; by temperature, and for its baseline (half of the real rows), means
over ten tables, covtype included, which is left out here.

In the figure each line is a table, the numbers on it are temperatures.

![privacy against quality](results/tau.svg)"""


def write(runs: pd.DataFrame) -> str:
    """Return the part as Markdown, from the rows that ``benchmarks.tau`` wrote."""
    by_label = list(runs.groupby(markdown.labels(runs), sort=False))
    parts = [_INTRODUCTION, *markdown.below_the_means(runs["table"])]
    for name, of_model in by_label:
        measured = [measure for measure in _MEASURES if of_model[measure].notna().any()]
        parts += [_one_measure(name, of_model, measure) for measure in measured]
    parts.append("### Where the figures by temperature come from")
    for name, of_model in by_label:
        parts.append(markdown.origin(str(name), of_model, _commands(of_model)))
        hosts = of_model["synthcity"].dropna()
        parts += [f"DOMIAS by synthcity {markdown.distinct(hosts)}."] if len(hosts) else []
    return "\n\n".join(parts)


def _one_measure(name: object, runs: pd.DataFrame, measure: str) -> str:
    """Return a model's figures of one measure, by table and temperature, beside the published ones."""
    title, ideal = _MEASURES[measure]
    taus = sorted(runs["tau"].unique())
    cells = {tau: runs.loc[runs["tau"] == tau, ["table", measure]] for tau in taus}

    def row(table: str) -> list[str]:
        figures = (markdown.figure(of.loc[of["table"] == table, measure]) for of in cells.values())
        return [table, *figures]

    means = [of.groupby("table")[measure].mean().reindex(NAMES) for of in cells.values()]
    mean_row = ["**mean**", *(markdown.number(mean.mean(skipna=False)) for mean in means)]
    rows, others = [*map(row, NAMES), mean_row], [*map(row, elsewhere(runs["table"]))]
    header = ["Table", *(f"tau {tau}" for tau in taus)]
    by_table = _published_by_table(measure)
    if by_table is not None:
        header.append("published, tau 1")
        published = [*by_table.reindex(NAMES), by_table.reindex(NAMES).mean(skipna=False)]
        rows = [[*shown, markdown.published(value)] for shown, value in zip(rows, published)]
        rows += _published_means(measure, taus)
        others = [[*shown, markdown.ABSENT] for shown in others]
    told = ideal_sentence(ideal, in_paper=by_table is not None)
    return f"### {name}: {title}\n\n{told}\n\n{markdown.grid(header, rows + others)}"


def _published_by_table(measure: str) -> pd.Series | None:
    """Return MaCoDE's published figures, None if the paper has no such measure."""
    for name in ("q1_quality", "privacy"):
        figures = paper.read(name)
        if measure in figures:
            return figures[figures["model"] == "MaCoDE"].set_index("table")[measure]
    return None


def _published_means(measure: str, taus: list[int]) -> list[list[str]]:
    """Return the rows of the paper's means over ten tables, MaCoDE's and the baseline's."""
    figures = paper.read("tau").set_index("tau")[measure]
    by_tau = [markdown.published(figures.get(tau, float("nan"))) for tau in taus]
    real = [markdown.published(figures[figures.index.isna()].iloc[0])] * len(taus)
    return [
        ["published, ten tables", *by_tau, markdown.ABSENT],
        ["published baseline, ten tables", *real, markdown.ABSENT],
    ]


def _commands(runs: pd.DataFrame) -> list[str]:
    """Return the calls of ``benchmarks.tau`` that repeat these runs."""
    preset = runs["model"].iloc[0]
    taus = runs["table"].map(runs.sort_values("tau").groupby("table")["tau"].agg(markdown.listed))
    return [
        call
        for asked, alike in runs.groupby(taus, sort=False)
        for call in markdown.commands("benchmarks.tau", alike, f"--taus {asked} --preset {preset}")
    ]
