"""The part of RESULTS.md on what the project aims at, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from benchmarks import markdown, paper
from benchmarks.data import NAMES
from benchmarks.measures import MEASURES, PREDICTION

__all__ = ["MEANS", "write"]

MEANS = {
    "kl": 0.004,
    "gof": 0.018,
    "mmd": 0.0015,
    "wd": 1.15,
    "smape": 0.128,
    "f1": 0.65,
    "model_selection": 0.75,
    "feature_selection": 0.95,
    "detector_auc": 0.56,
}
"""What the mean over the nine tables is to reach: at least, where 1 is best, otherwise at most."""

_MOST_SHARE = 0.55
_MOST_AUC = 0.55
_MEMBERSHIP_ROWS = 1000
_ATTACKS = {"membership_auc": "the nearest neighbour", "domias_prior_auc": "DOMIAS"}

_INTRODUCTION = """\
## Aims, and where they stand

Of `MaCoDE()`, from the same runs as the sections below. A mean over the nine tables is n/a until all
nine were measured; the published best and half of the real rows (Baseline) are those of the paper's
tables."""

_BY_TABLE = """\
Aims for every table, with the figure that is held against them in brackets: means over seeds. Peers
are compared on the same tables, seeds and threads (`Beside peers`); seconds are of single runs on a
machine with other work, so that a ratio near its limit decides nothing."""


def write(files: Mapping[str, pd.DataFrame]) -> str:
    """Return the part as Markdown.

    Arguments
    ---------
    files : mapping of str to DataFrame
        What ``benchmarks.q1`` wrote as ``q1``, and what ``benchmarks.peers`` and ``benchmarks.tau``
        did as ``peers`` and ``tau``, if they did.
    """
    runs = markdown.uncut(files["q1"])
    runs = runs[runs["model"] == "default"]
    rows = _nearest(runs)
    if "tau" in files:
        rows += _membership(markdown.uncut(files["tau"]), runs)
    if "peers" in files:
        rows += _beside_peers(markdown.uncut(files["peers"]))
    header = ["Aim", "Reached", "Not reached", "Not measured"]
    parts = [_INTRODUCTION, _means(runs), *_unrepeated(runs), _BY_TABLE, markdown.grid(header, rows)]
    return "\n\n".join(parts)


def _means(runs: pd.DataFrame) -> str:
    """Return the aims for means over the tables."""
    published = paper.read("q1_quality").groupby("model").mean(numeric_only=True)
    rivals = published.drop(index="Baseline")
    rows = []
    for measure, aim in MEANS.items():
        title, best = MEASURES[measure]
        higher = best == 1
        reached = runs.groupby("table")[measure].mean().reindex(NAMES).mean(skipna=False)
        beside = [markdown.ABSENT] * 2
        if measure in published:
            first = rivals[measure].max() if higher else rivals[measure].min()
            beside = [markdown.published(first), markdown.published(published.loc["Baseline", measure])]
        met = reached >= aim if higher else reached <= aim
        shown = markdown.ABSENT if pd.isna(reached) else f"{reached:.4f}"
        told = markdown.ABSENT if pd.isna(reached) else "yes" if met else "no"
        rows.append([title, f"{'≥' if higher else '≤'} {aim:g}", shown, told, *beside])
    header = ["Mean over nine tables", "Aim", "Here", "Reached", "Published best", "Published Baseline"]
    return markdown.grid(header, rows)


def _unrepeated(runs: pd.DataFrame) -> list[str]:
    """Return what the measures of prediction are without repeated rows, where all tables have them."""
    names = {f"{measure}_unrepeated": MEASURES[measure][0] for measure in PREDICTION}
    if not set(names) <= set(runs):
        return []
    means = runs.groupby("table")[list(names)].mean().reindex(NAMES).mean(skipna=False)
    if means.isna().any():
        return []
    told = ", ".join(f"{title} {means[name]:.4f}" for name, title in names.items())
    return [f"Without the held-out rows that training rows repeat (a section below): {told}."]


def _nearest(runs: pd.DataFrame) -> list[list[str]]:
    share = runs.groupby("table")["nearest_record_share"].mean().reindex(NAMES)
    return [_row(f"nearest-record share at most {_MOST_SHARE}", share, share <= _MOST_SHARE)]


def _membership(attacked: pd.DataFrame, runs: pd.DataFrame) -> list[list[str]]:
    """Return the aims on telling training rows from others, for tables large enough."""
    sizes = runs.groupby("table")["n_train"].first()
    large = [table for table in NAMES if sizes.get(table, 0) >= _MEMBERSHIP_ROWS]
    attacked = attacked[(attacked["tau"] == 1) & (attacked["model"] == "default")]
    means = attacked.groupby("table")[list(_ATTACKS)].mean().reindex(large)
    rows = []
    for measure, attack in _ATTACKS.items():
        aim = (
            f"membership AUC of {attack} within {_MOST_AUC - 0.5:.2g} of a guess (.5), "
            f"{_MEMBERSHIP_ROWS} training rows or more"
        )
        # Far below a guess an attack tells as much as far above it.
        rows.append(_row(aim, means[measure], (means[measure] - 0.5).abs() <= _MOST_AUC - 0.5))
    return rows


def _beside_peers(runs: pd.DataFrame) -> list[list[str]]:
    """Return the aims that peers set: a row for each that was run with MaCoDE on some table."""
    if "macode" not in set(runs["peer"]):
        return []
    rows = []
    if "tabularargn" in set(runs["peer"]):
        rows.append(
            _at_most(
                1, _ratios(runs, "tabularargn", "detector_auc"), "detector AUC at most TabularARGN's"
            )
        )
    for peer, write_rows in _TIMED.items():
        if peer in set(runs["peer"]):
            rows += write_rows(*_most_threads(runs, peer))
    return rows


def _beside_tabularargn(runs: pd.DataFrame, threads: str) -> list[list[str]]:
    seconds, rate = (_ratios(runs, "tabularargn", name) for name in ("fit_s", "drawn"))
    mean = _mean(runs, "tabularargn")
    return [
        _at_most(1, seconds, f"fitting no longer than TabularARGN, {threads}"),
        _at_most(0.5, mean, f"half of TabularARGN's fitting time on the mean, {threads}"),
        _at_least(2, rate, f"twice TabularARGN's rows drawn per second, {threads}"),
    ]


def _beside_ctgan(runs: pd.DataFrame, threads: str) -> list[list[str]]:
    return [_at_most(1, _ratios(runs, "ctgan", "fit_s"), f"fitting no longer than CTGAN, {threads}")]


def _beside_authors(runs: pd.DataFrame, threads: str) -> list[list[str]]:
    faster = f"fitting 40 times faster than the authors' package, {threads}"
    drawn = f"30 times the authors' rows drawn per second, {threads}"
    return [
        _at_least(40, 1 / _ratios(runs, "authors", "fit_s"), faster),
        _at_least(30, _ratios(runs, "authors", "drawn"), drawn),
    ]


_TIMED = {
    "tabularargn": _beside_tabularargn,
    "ctgan": _beside_ctgan,
    "authors": _beside_authors,
}
"""The writers of the aims of time, by peer."""


def _most_threads(runs: pd.DataFrame, peer: str) -> tuple[pd.DataFrame, str]:
    """Return the runs with the most threads that the peer and MaCoDE both had, and how many."""
    had = {name: set(runs.loc[runs["peer"] == name, "threads"]) for name in (peer, "macode")}
    threads = int(max(had[peer] & had["macode"] or had[peer]))
    return runs[runs["threads"] == threads], f"{threads} thread{'s' * (threads > 1)}"


def _ratios(runs: pd.DataFrame, peer: str, name: str) -> pd.Series:
    """Return MaCoDE's figure over a peer's with the same seeds and threads, by table."""
    runs = runs.assign(drawn=runs["n_train"] / runs["sample_s"])
    wide = runs.pivot_table(name, index=["table", "seed", "threads"], columns="peer")
    wide = wide.reindex(columns=["macode", peer])
    return (wide["macode"] / wide[peer]).groupby("table").mean().reindex(NAMES)


def _mean(runs: pd.DataFrame, peer: str) -> pd.Series:
    """Return MaCoDE's mean seconds of fitting over a peer's, if both were run on all nine tables."""
    seconds = runs.pivot_table("fit_s", index="peer", columns="table")
    seconds = seconds.reindex(index=["macode", peer], columns=NAMES)
    seconds = seconds.mean(axis=1, skipna=False)
    return pd.Series({"all nine": seconds["macode"] / seconds[peer]})


def _at_most(limit: float, ratios: pd.Series, aim: str) -> list[str]:
    return _row(f"{aim}: ratio", ratios, ratios <= limit)


def _at_least(limit: float, ratios: pd.Series, aim: str) -> list[str]:
    return _row(f"{aim}: ratio", ratios, ratios >= limit)


def _row(aim: str, figures: pd.Series, met: pd.Series) -> list[str]:
    """Return an aim, where it is reached and where not, with the figures, and what has none."""
    known = figures.notna()

    def named(which: pd.Series) -> str:
        return ", ".join(f"{table} ({figure:.3g})" for table, figure in figures[which].items()) or "none"

    return [aim, named(known & met), named(known & ~met), ", ".join(figures.index[~known]) or "none"]
