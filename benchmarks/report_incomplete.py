"""The part of the report on question 2: tables learned from incomplete rows."""

from __future__ import annotations

import pandas as pd

from benchmarks import markdown, masks, paper
from benchmarks.data import NAMES, elsewhere
from benchmarks.measures import BESTS, MEASURES

__all__ = ["write"]

_MEASURES = ("smape", "f1")

_INTRODUCTION = """\
## Incomplete training tables (question 2 of the paper)

30 % of the cells are hidden in the columns that a mechanism hides in (`benchmarks/masks.py`), the
target's included; the model learns from what is left and draws a complete table, which is
measured against untouched test rows as in question 1. Published are MaCoDE's figures. The
paper's MNARQ masks, by the released code, are those called MNARQ-released here; MNARQ has no
published figures. Under MAR and MNARL the released code weighs raw columns, so that those of large
numbers decide, and here all are standardised first: published figures are beside ours, not like ours."""


def write(runs: pd.DataFrame) -> str:
    """Return the part as Markdown, from the rows that ``benchmarks.q2`` wrote."""
    published = paper.read("q2_incomplete").set_index(["table", "mechanism"])
    protocol = "nine tables, four mechanisms, seeds 0 to 9"
    parts = [
        _INTRODUCTION,
        markdown.of_protocol(runs, 360, protocol),
        *markdown.below_the_means(runs["table"]),
    ]
    by_label = list(runs.groupby(markdown.labels(runs), sort=False))
    for name, of_model in by_label:
        parts += [_one_measure(name, of_model, published, measure) for measure in _MEASURES]
    parts.append("### Where the figures of question 2 come from")
    for name, of_model in by_label:
        settings = f"--model {of_model['model'].iloc[0]}"
        calls = markdown.commands("benchmarks.q2", of_model, settings)
        parts.append(markdown.origin(str(name), of_model, calls))
    return "\n\n".join(parts)


def _one_measure(name: object, runs: pd.DataFrame, published: pd.DataFrame, measure: str) -> str:
    """Return a model's figures of one measure, by table and mechanism, beside the published ones."""
    by_mechanism = dict(list(runs.groupby("mechanism", sort=False)))
    header, means = ["Table"], ["**mean**"]
    rows = [[table] for table in (*NAMES, *elsewhere(runs["table"]))]
    for mechanism, of_mechanism in by_mechanism.items():
        header += [str(mechanism), "published"]
        named = masks.PUBLISHED.get(str(mechanism))
        theirs = published.loc[published.index.get_level_values("mechanism") == named]
        theirs = theirs.droplevel("mechanism")
        for cells in rows:
            ours = of_mechanism.loc[of_mechanism["table"] == cells[0], measure]
            printed = (theirs[one].get(cells[0], float("nan")) for one in (measure, f"{measure}_se"))
            cells += [markdown.figure(ours), markdown.published(*printed)]
        of_tables = of_mechanism.groupby("table")[measure].mean().reindex(NAMES)
        means += [
            markdown.number(of_tables.mean(skipna=False)),
            markdown.published(theirs[measure].mean()),
        ]
    rows.insert(len(NAMES), means)
    title, best = MEASURES[measure]
    return f"### {name}: {title} ({BESTS[best]})\n\n{markdown.grid(header, rows)}"
