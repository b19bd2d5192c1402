"""What the page of results shows: figures by model and table, ranks, and what no model beats."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks import markdown, paper
from benchmarks.measures import MEASURES

__all__ = [
    "REFERENCES",
    "Field",
    "Figures",
    "combine",
    "fields",
    "loss",
    "measured",
    "named",
    "pareto_front",
    "published",
]

REFERENCES = ("baseline", "published Baseline")
"""Real rows in the place of synthetic ones: shown beside the models, not ranked."""

_PUBLISHED_SEEDS = 10


@dataclasses.dataclass(frozen=True)
class Figures:
    """Means over seeds, their standard errors, and how many seeds are behind them.

    Arguments
    ---------
    mean, error, seeds : DataFrame
        Alike: a row for each model (or what else was measured) and table, the table in the index's
        last level, and a column for each measure. A single seed has an error of NaN.
    """

    mean: pd.DataFrame
    error: pd.DataFrame
    seeds: pd.DataFrame


@dataclasses.dataclass(frozen=True)
class Field:
    """Models that were all measured on the same tables, the best first.

    Arguments
    ---------
    tables : tuple of str
    counted : list of str
        The measures that all the models have on all the tables: those that ranks are made of.
    rank : Series
        Mean rank by model, 1 if no other model is better in anything.
    mean, error : DataFrame
        Means over the tables, and their standard errors over seeds: a row for each model and then
        each reference, a column for each measure. NaN where a table was not measured.
    seeds : Series
        Seeds behind the rows, such as "3" or "1-3" if the tables differ; "" if it lacks one.
    """

    tables: tuple[str, ...]
    counted: list[str]
    rank: pd.Series
    mean: pd.DataFrame
    error: pd.DataFrame
    seeds: pd.Series


def named(runs: pd.DataFrame, model: str = "model") -> pd.DataFrame:
    """Return runs with their cuts in their names, so that only what is alike is set side by side.

    Arguments
    ---------
    runs : DataFrame
        With columns ``table``, ``max_rows``, ``epochs`` and the one that ``model`` names.
    model : str
        Column of the model. In the result it is ``model``: MaCoDE is "macode" whatever the file
        calls it, and fewer epochs make another model of it, as fewer rows make another table.
    """
    renamed = runs.assign(model=runs[model])
    tables = markdown.labels(renamed.assign(epochs=np.nan), "table")
    return renamed.assign(table=tables, model=markdown.labels(renamed.assign(max_rows=np.nan)))


def measured(runs: pd.DataFrame, measures: Sequence[str], rows: Sequence[str] = ("model",)) -> Figures:
    """Return the figures of runs, whatever one seed has several of (columns, say) averaged first.

    Arguments
    ---------
    runs : DataFrame
        With columns ``table``, ``seed``, the measures and the rows.
    measures, rows : sequence of str
        Columns of figures, and those that tell apart what was measured.
    """
    shown = [*rows, "table"]
    of_seeds = runs.groupby([*shown, "seed"], sort=False)[list(measures)].mean()
    grouped = of_seeds.groupby(shown, sort=False)
    return Figures(grouped.mean(), grouped.sem(), grouped.count())


def published() -> Figures:
    """Return the paper's figures of question 1, its models named "published ..."."""
    printed = paper.read("q1_quality")
    printed = printed.assign(model="published " + printed["model"]).set_index(["model", "table"])
    mean = printed.reindex(columns=list(MEASURES))
    error = printed.reindex(columns=[f"{measure}_se" for measure in MEASURES])
    seeds = mean.notna() * _PUBLISHED_SEEDS
    return Figures(mean, error.set_axis(mean.columns, axis=1), seeds)


def combine(first: Figures, second: Figures) -> Figures:
    """Return the figures of both."""
    parts = ("mean", "error", "seeds")
    return Figures(*(pd.concat([getattr(first, part), getattr(second, part)]) for part in parts))


def loss(mean: pd.DataFrame | pd.Series, best: float) -> pd.DataFrame | pd.Series:
    """Return how far figures are from their best value, as printed: to three decimals."""
    # Published figures have no more: finer differences to them would be those of rounding.
    return (mean - best).abs().round(3)


def fields(figures: Figures) -> list[Field]:
    """Return comparisons on the same tables, the broadest first.

    That is the one with the most models run here times tables, then with the most models.

    There is one for each set of tables that some model was measured on, with all models that were
    measured on these; and once more without the published models, which lack some measures.
    """
    tables = {model: of.index.get_level_values("table") for model, of in figures.mean.groupby("model")}
    models = [m for m in figures.mean.index.unique("model") if m not in REFERENCES]
    here = [model for model in models if not model.startswith("published ")]
    chosen: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    for rivals in (models, here):
        for model in rivals:
            of = frozenset(tables[model])
            alike = [rival for rival in rivals if of <= set(tables[rival])]
            if rivals is models or len(alike) > 1:
                chosen.setdefault((of, frozenset(alike)), alike)
    found = [_field(figures, alike, sorted(of)) for (of, _), alike in chosen.items()]
    return sorted(found, key=lambda field: (-_breadth(field), -len(field.rank)))


def _breadth(field: Field) -> int:
    here = [model for model in field.rank.index if not model.startswith("published ")]
    return len(here) * len(field.tables)


def pareto_front(seconds: Sequence[float], losses: Sequence[float]) -> list[bool]:
    """Return which models no other beats: none is as quick and as good, and better in one of them.

    Arguments
    ---------
    seconds, losses : sequence of float, shape [n_models]
        Less is better; NaN is never on the front.
    """
    points = list(zip(seconds, losses))
    return [
        not np.isnan(point).any() and not any(_beats(other, point) for other in points)
        for point in points
    ]


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1] and one != other


def _field(figures: Figures, models: list[str], tables: list[str]) -> Field:
    known = figures.mean.loc[pd.MultiIndex.from_product([models, tables], names=["model", "table"])]
    counted = [m for m in MEASURES if m in known and known[m].notna().all()]
    losses = pd.DataFrame({m: loss(known[m], MEASURES[m][1]) for m in counted}, index=known.index)
    ranks = losses.groupby(level="table").rank()
    rank = ranks.groupby(level="model", sort=False).mean().mean(axis=1).sort_values(kind="stable")
    present = set(figures.mean.index.unique("model"))
    shown = [*rank.index, *(name for name in REFERENCES if name in present)]
    # A reference may lack tables: their rows are NaN here.
    index = pd.MultiIndex.from_product([shown, tables], names=["model", "table"])
    mean, error = figures.mean.reindex(index), figures.error.reindex(index)
    seeds = figures.seeds.reindex(index).max(axis=1).groupby(level="model", sort=False)
    return Field(
        tuple(tables),
        counted,
        rank,
        _by_model(mean, lambda of: of.mean(skipna=False)),
        # Tables are split and learned one by one, so that their errors are independent.
        _by_model(error, lambda of: np.sqrt((of**2).sum(skipna=False)) / len(of)),
        seeds.agg(_span),
    )


def _by_model(frame: pd.DataFrame, summary: object) -> pd.DataFrame:
    return frame.groupby(level="model", sort=False).agg(summary)


def _span(seeds: pd.Series) -> str:
    if seeds.isna().any():
        return ""
    low, high = seeds.min(), seeds.max()
    return f"{low:.0f}" if low == high else f"{low:.0f}-{high:.0f}"
