"""Tables as plain text, and a self-contained HTML report with plots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from macode_plugin import markup
from macode_plugin.coding import Coded, code_alike
from macode_plugin.dtypes import restore_numbers
from macode_plugin.evaluation import Quality, associations, marginal_distances
from macode_plugin.plots import INK, REAL, SYNTHETIC, as_image, drawing_style, new_figure

__all__ = ["quality_rows", "render_report", "text_table"]

REAL_ALPHA = 0.45

MAX_COLUMNS = 32
"""Columns whose marginal distributions are drawn."""

MAX_BARS = 8
"""Categories drawn in one plot; the rarer ones share a bar."""

MAX_LABELS = 40
"""Columns up to which a heat map names them all."""

HEAT_MAP_NOTE = (
    "Spearman's correlation of every two columns, in one order both ways; categories by sorted or "
    "declared order; grey where a column is constant."
)

LEGEND = (
    '<p class="legend"><span><i class="real"></i>real</span>'
    '<span><i class="synthetic"></i>synthetic</span></p>'
)


def text_table(rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return rows of cells as aligned lines.

    Arguments
    ---------
    rows : sequence of rows of cells, all of one length
    left : int
        Leading columns that are aligned to the left; the others are to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if j < left else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def quality_rows(synthetic: Quality, second_real: Quality | None = None) -> list[list[str]]:
    """Return quality figures as rows of cells, a header first.

    Arguments
    ---------
    synthetic : Quality
        Of a synthetic table.
    second_real : Quality or None
        Of a second real sample, for comparison. Without one, and without a target, there is no
        column for it.
    """
    rows = [["", "synthetic", "real", "ideal"]]
    for field, label, ideal in (
        ("marginal_distance", "marginal distance", "0"),
        ("association_difference", "association difference", "0"),
        ("detector_auc", "detector AUC", "0.5"),
    ):
        real = "" if second_real is None else _number(getattr(second_real, field))
        rows.append([label, _number(getattr(synthetic, field)), real, ideal])
    score = synthetic.target_score
    if score is not None:
        rows.append(
            [f"{score.target}: {score.metric}", _number(score.synthetic), _number(score.real), "1"]
        )
    if not any(row[2] for row in rows[1:]):
        return [[label, figure, ideal] for label, figure, _, ideal in rows]
    return rows


def render_report(
    title: str,
    facts: Mapping[str, str],
    quality: Sequence[Sequence[str]],
    note: str,
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    history: Sequence[Mapping[str, float]],
) -> str:
    """Return an HTML page, complete in itself.

    Arguments
    ---------
    title : str
    facts : mapping of str to str
        What was fitted: a name and a value each.
    quality : sequence of rows of cells
        Of :func:`quality_rows`.
    note : str
        What the quality figures compare.
    real, synthetic : DataFrame
        With the same columns.
    history : sequence of mappings
        A fitted model's ``history_``.

    Raises
    ------
    ValueError
        For tables that :func:`macode_plugin.coding.code_alike` cannot compare.
    """
    coded = code_alike(real, synthetic)
    with drawing_style():
        sections = [
            markup.section("Summary", markup.facts(facts)),
            markup.section("Quality", markup.table(quality), note),
            markup.section("Columns", _marginals(real, coded), _columns_note(real), legend=LEGEND),
            markup.section("Rank correlations", _heat_maps(list(real.columns), coded), HEAT_MAP_NOTE),
            markup.section("Training", _training_curve(history)),
        ]
    return markup.page(title, sections)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _columns_note(real: pd.DataFrame) -> str:
    n = len(real.columns)
    what = "Shares of rows; each distance is between 0 (alike) and 1."
    return what if n <= MAX_COLUMNS else f"{what} The first {MAX_COLUMNS} of {n} columns."


def _marginals(real: pd.DataFrame, coded: Coded) -> str:
    """Return a plot for each of the first columns."""
    distances = marginal_distances(coded)
    plots = []
    for j, name in enumerate(real.columns[:MAX_COLUMNS]):
        figure, axes = new_figure(2.8, 1.7)
        first, second = (table[:, j] for table in coded.tables)
        categories = coded.categories[j]
        if categories is None:
            _draw_histograms(axes, first, second, real[name].dtype, coded.origins[j])
        else:
            _draw_bars(axes, first, second, categories)
        caption = f"<b>{escape(str(name))}</b>distance {distances[j]:.3f}"
        missing = [float(np.isnan(x).mean()) for x in (first, second)]
        if any(missing):
            caption += f", missing {missing[0]:.1%} real, {missing[1]:.1%} synthetic"
        plots.append(as_image(figure, f"Distribution of {name}, real and synthetic", caption))
    return markup.gallery(plots)


def _draw_histograms(
    axes: Axes, real: np.ndarray, synthetic: np.ndarray, dtype: Any, origin: int
) -> None:
    """Draw shares of rows in common bins: real filled, synthetic as a line."""
    pair = [x[~np.isnan(x)] for x in (real, synthetic)]
    present = np.concatenate(pair)
    if len(present) == 0:
        _draw_nothing(axes)
        return
    edges = _edges(present)
    shares = [np.histogram(x, edges)[0] / max(len(x), 1) for x in pair]
    axes.stairs(shares[0], edges, fill=True, color=REAL, alpha=REAL_ALPHA)
    axes.stairs(shares[1], edges, color=SYNTHETIC, linewidth=1.6)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if not pd.api.types.is_any_real_numeric_dtype(dtype):
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _time_label(round(x) + origin, dtype)))
    elif origin:
        axes.xaxis.set_major_locator(MaxNLocator(1))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: str(round(x) + origin)))


def _edges(values: np.ndarray) -> np.ndarray:
    low, high, size = values.min(), values.max(), np.abs(values).max()
    if high - low <= 1e-9 * size:
        # One value, as far as floats can tell: bins around it, of a width that they can tell.
        half = max(0.5, 1e-6 * size)
        low, high = low - half, high + half
    return np.linspace(low, high, int(np.clip(len(values) ** 0.5, 8, 30)) + 1)


def _time_label(count: int, dtype: Any) -> str:
    """Return the date, duration or period that a count of the dtype's unit stands for."""
    value = restore_numbers(np.array([count]), np.zeros(1, dtype=bool), dtype).iloc[0]
    return str(value).removeprefix("0 days ")[:10]


def _draw_bars(axes: Axes, real: np.ndarray, synthetic: np.ndarray, categories: list[str]) -> None:
    """Draw shares of rows by category: real filled, synthetic as an outline."""
    if not categories:
        _draw_nothing(axes)
        return
    shares = np.array([_shares(x, len(categories)) for x in (real, synthetic)])
    labels = [_short(category, 16) for category in categories]
    if len(categories) > MAX_BARS:
        most = np.sort(np.argsort(-shares.sum(axis=0), kind="stable")[: MAX_BARS - 1])
        rest = shares.sum(axis=1) - shares[:, most].sum(axis=1)
        labels = [*(labels[k] for k in most), f"{len(categories) - len(most)} others"]
        shares = np.c_[shares[:, most], rest]
    places = np.arange(len(labels))
    axes.barh(places, shares[0], color=REAL, alpha=REAL_ALPHA)
    axes.barh(places, shares[1], facecolor="none", edgecolor=SYNTHETIC, linewidth=1.6)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(3))


def _draw_nothing(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no values", ha="center", transform=axes.transAxes)


def _shares(codes: np.ndarray, n: int) -> np.ndarray:
    present = codes[~np.isnan(codes)].astype(np.int64)
    return np.bincount(present, minlength=n) / max(len(present), 1)


def _heat_maps(names: list[Any], coded: Coded) -> str:
    """Return three plots on one scale: correlations of both tables and their difference."""
    real, synthetic = (associations(table) for table in coded.tables)
    plots = [
        _heat_map(matrix, names, caption)
        for caption, matrix in (
            ("real", real),
            ("synthetic", synthetic),
            ("synthetic minus real", synthetic - real),
        )
    ]
    return markup.gallery(plots, wide=True)


def _heat_map(matrix: np.ndarray, names: list[Any], caption: str) -> str:
    figure, axes = new_figure(4.6, 4.0)
    colours = mpl.colormaps["RdBu_r"].with_extremes(bad="#bbbbbb")
    image = axes.imshow(matrix, cmap=colours, vmin=-1, vmax=1, interpolation="none", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    if len(names) <= MAX_LABELS:
        size = float(np.clip(220 / len(names), 5.5, 9))
        axes.set_yticks(range(len(names)), [_short(str(name), 24) for name in names], fontsize=size)
        axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, orientation="horizontal", aspect=40, shrink=0.8)
    bar.outline.set_visible(False)
    return as_image(figure, f"Rank correlations of the columns, {caption}", f"<b>{caption}</b>")


def _training_curve(history: Sequence[Mapping[str, float]]) -> str:
    """Return a plot of negative log-likelihoods by epoch."""
    figure, axes = new_figure(5.6, 3.0)
    epochs = [record["epoch"] for record in history]
    for key, label, line in (("train_nll", "training", ":"), ("validation_nll", "validation", "-")):
        values = [record[key] for record in history]
        if not all(map(math.isnan, values)):
            marker = "o" if len(values) == 1 else ""
            axes.plot(epochs, values, line, marker=marker, color=INK, label=label)
            if key == "validation_nll":
                best = int(np.nanargmin(values))
                axes.plot(epochs[best], values[best], "o", color=INK, label="best epoch")
    axes.set_xlabel("epoch")
    axes.set_ylabel("negative log-likelihood, nats per row")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    if axes.lines:
        axes.legend()
    return f'<div class="curve">{as_image(figure, "Negative log-likelihood by epoch")}</div>'


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
