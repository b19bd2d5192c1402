"""The part of the report on question 3: multiple imputation."""

from __future__ import annotations

import pandas as pd

from benchmarks import markdown, masks, paper
from benchmarks.q3 import TABLES

__all__ = ["write"]

_SHARED = {"bias": "Bias", "coverage": "Coverage", "width": "Width"}
_OWN = {
    "bias_fixed": "Bias, fixed mean",
    "coverage_fixed": "Coverage, fixed mean",
    "width_fixed": "Width, fixed mean",
    "crps": "CRPS",
}

_INTRODUCTION = """\
## Multiple imputation (question 3 of the paper)

30 % of the cells are hidden in the columns that a mechanism hides in (`benchmarks/masks.py`). The
estimand is the share of values above a column's mean, pooled by Rubin's rules; bias is absolute,
coverage is how often the 95 % interval holds the complete table's share, .95 or more where the
imputer is unbiased (the interval allows for the sampling of that table too); bias and width are better
lower. All are averaged over continuous columns, those without hidden cells included. **Bias,
coverage, width** take the mean of each imputed table, as the released code behind the published
figures does; **fixed mean** takes the complete table's, which is harder. **CRPS** of the hidden cells
is in standard deviations of their column; lower is better.

Published means are recomputed from the published figures of the five tables, since the printed
means of all models but MaCoDE leave out breast. The paper's MNARQ masks, by the released code, are
those called MNARQ-released here; MNARQ has no published figures. Under MAR and MNARL the released
code weighs raw columns, so that those of large numbers decide, and here all are standardised first:
published figures are beside ours, not like ours."""


def write(runs: pd.DataFrame) -> str:
    """Return the part as Markdown, from the rows that ``benchmarks.q3`` wrote."""
    # 100 imputations are the paper's, and are not named.
    suffixes = ["" if m == 100 else f", {m} imputations" for m in runs["m"]]
    runs = runs.assign(label=markdown.labels(runs) + suffixes)
    published = paper.read("q3_imputation")
    published = published[published["table"].isin(TABLES)]
    protocol = "five tables, four mechanisms, seeds 0 to 9"
    parts = [_INTRODUCTION, markdown.of_protocol(runs, 200, protocol)]
    for mechanism, of_mechanism in runs.groupby("mechanism", sort=False):
        theirs = published[published["mechanism"] == masks.PUBLISHED.get(str(mechanism))]
        parts.append(_means(str(mechanism), of_mechanism, theirs))
        parts.append(_by_table(of_mechanism, theirs))
    parts += [_seconds(runs), "### Where the figures of question 3 come from"]
    for name, of_label in runs.groupby("label", sort=False):
        first = of_label.iloc[0]
        settings = f"--model {first['model']} --m {first['m']}"
        calls = markdown.commands("benchmarks.q3", of_label, settings)
        parts.append(markdown.origin(str(name), of_label, calls))
    return "\n\n".join(parts)


def _means(mechanism: str, runs: pd.DataFrame, published: pd.DataFrame) -> str:
    """Return the means over the five tables of all models; n/a unless all five were measured."""
    measures = [*_SHARED, *_OWN]
    rows = []
    for name, of_label in runs.groupby("label", sort=False):
        means = of_label.groupby("table")[measures].mean().reindex(TABLES).mean(skipna=False)
        rows.append([str(name), *(markdown.number(mean) for mean in means)])
    for model, figures in published.groupby("model", sort=False):
        known = [markdown.published(figures[measure].mean()) for measure in _SHARED]
        rows.append([f"published {model}", *known, *[markdown.ABSENT] * len(_OWN)])
    header = ["Model", *_SHARED.values(), *_OWN.values()]
    return f"### {mechanism}: means over the five tables\n\n{markdown.grid(header, rows)}"


def _by_table(runs: pd.DataFrame, published: pd.DataFrame) -> str:
    """Return each table's figures, beside the published ones of MaCoDE."""
    theirs = published[published["model"] == "MaCoDE"].set_index("table")
    rows = []
    for (table, name), of_table in runs.groupby(["table", "label"], sort=False):
        cells = [markdown.figure(of_table[measure]) for measure in [*_SHARED, *_OWN]]
        printed = [
            markdown.published(*(theirs[name].get(table, float("nan")) for name in (m, f"{m}_se")))
            for m in _SHARED
        ]
        rows.append([str(table), str(name), *cells, *printed])
    names = [f"published {title.lower()}" for title in _SHARED.values()]
    return markdown.grid(["Table", "Model", *_SHARED.values(), *_OWN.values(), *names], rows)


def _seconds(runs: pd.DataFrame) -> str:
    """Return what fitting and imputing took."""
    rows = []
    for (name, table), of_table in runs.groupby(["label", "table"], sort=False):
        epochs, *seconds = (of_table[column].mean() for column in ("epochs_run", "fit_s", "impute_s"))
        trained = f"{epochs:.1f}" if pd.notna(epochs) else markdown.ABSENT
        size = str(of_table["n_rows"].iloc[0])
        rows.append([str(name), str(table), size, trained, *(f"{s:.1f}" for s in seconds)])
    header = ["Model", "Table", "Rows", "Epochs", "Fit s", "Impute s, all imputations"]
    note = "Wall clock, means over runs, other work on the machine not excluded: no measure of speed."
    return f"### Seconds of imputation\n\n{note}\n\n{markdown.grid(header, rows)}"
