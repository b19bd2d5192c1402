"""The plots of the page of results, as images that carry their own bytes."""

from __future__ import annotations

from html import escape
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from benchmarks.measures import AXES, BESTS, MEASURES
from benchmarks.page_figures import REFERENCES, loss, pareto_front
from macode_plugin.plots import INK, REAL, SYNTHETIC, as_image, new_figure

__all__ = ["COLOURS", "RUN_HERE", "bars", "draw_front", "draw_trade_off", "scatter", "trade_off"]

WIDTH = 4.2
"""Inches: text of a plot is as large as that around it where the page is a phone's."""

_OURS, _PEERS, _PRINTED, _REAL_ROWS = "MaCoDE, run here", "others, run here", "published", "real rows"
COLOURS = {_OURS: REAL, _PEERS: SYNTHETIC, _PRINTED: "#8a9199", _REAL_ROWS: "#009e73"}
"""Colour of each kind of model; with grey, of Okabe and Ito's palette."""

RUN_HERE = {kind: COLOURS[kind] for kind in (_OURS, _PEERS)}

_SMALL = 8.0
_GAP = 5.0
_LINES = (REAL, SYNTHETIC, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_MARKERS = "osD^vP*X<"


def bars(means: pd.Series, errors: pd.Series, measure: str) -> str:
    """Return a bar with its standard error for each model that has a figure of a measure.

    Arguments
    ---------
    means, errors : Series, shape [n_models]
        By model; an error may be NaN.
    measure : str
        One of :data:`benchmarks.measures.MEASURES`.
    """
    means = means.dropna()
    title, best = MEASURES[measure]
    figure, axes = new_figure(WIDTH, 0.5 + 0.2 * len(means))
    limit = _limit(means) if best == 0 else np.inf
    places, errors = np.arange(len(means)), errors[means.index].where(means <= limit)
    axes.barh(places, means.clip(upper=limit), color=[_colour(model) for model in means.index])
    axes.errorbar(means, places, xerr=errors, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2)
    for place, mean, error in zip(places, means, errors.fillna(0)):
        cut = mean > limit
        text = f"{mean:.3f} ▸" if cut else f"{mean:.3f}"
        end = limit if cut else max(mean + error, 0)
        axes.annotate(
            text, (end, place), (3, 0), textcoords="offset points", va="center", fontsize=_SMALL
        )
    axes.set_yticks(places, list(means.index))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    low = min((means - errors.fillna(0)).min(), 0)
    high = max((means + errors.fillna(0)).clip(upper=limit).max(), 0)
    axes.set_xlim(1.05 * low, high + (0.3 * (high - low) or 1))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if best == 0.5:
        axes.axvline(best, color=INK, linewidth=1, linestyle=":")
    told = ", ".join(f"{model} {mean:.3f}" for model, mean in means.items())
    return as_image(figure, f"{title}, {BESTS[best]}: {told}", f"<b>{title}</b>{BESTS[best]}")


def scatter(mean: pd.DataFrame, error: pd.DataFrame, measure: str) -> str:
    """Return a measure against the seconds of fitting, those that nobody beats joined by a line.

    Arguments
    ---------
    mean, error : DataFrame
        A row for each model, columns ``fit_s`` and the measure.
    measure : str
        One of :data:`benchmarks.measures.MEASURES`.
    """
    title, best = MEASURES[measure]
    figure, axes = new_figure(WIDTH, 3.4)
    front = draw_front(axes, mean, error, measure)
    named = ", ".join(front)
    points = zip(mean.index, mean[measure], mean["fit_s"])
    told = ", ".join(f"{model} {value:.3f} in {seconds:.1f} s" for model, value, seconds in points)
    caption = f"<b>{title}</b>{BESTS[best]}; on the front: {escape(named)}"
    alt = f"{title} against seconds of fitting: {told}. On the front: {named}"
    return as_image(figure, alt, caption)


def draw_front(axes: Axes, mean: pd.DataFrame, error: pd.DataFrame, measure: str) -> list[str]:
    """Draw what :func:`scatter` shows, and return the models that nobody beats, the quickest first."""
    seconds = mean["fit_s"].clip(lower=1e-3)  # rounded to milliseconds, which a logarithm cannot take
    values = mean[measure]
    on_front = np.array(pareto_front(seconds, loss(values, MEASURES[measure][1])))
    axes.errorbar(seconds, values, error[measure], fmt="none", ecolor=INK, elinewidth=1, zorder=1)
    front = mean[on_front].sort_values("fit_s")
    axes.plot(front["fit_s"], front[measure], color=INK, linewidth=1, linestyle="--", zorder=2)
    for model, x, y, first in zip(mean.index, seconds, values, on_front):
        axes.plot(x, y, "D" if first else "o", color=_colour(model), markersize=8 if first else 6)
    _set_log_axis(axes, seconds)
    axes.margins(y=0.15)
    _name_points(axes, mean.index, seconds, values)
    return list(map(str, front.index))


def trade_off(figures: pd.DataFrame, printed: pd.DataFrame, quality: str, risk: str) -> str:
    """Return privacy against quality, as :func:`draw_trade_off` draws them."""
    figure, axes = new_figure(WIDTH, 4.0)
    names = draw_trade_off(axes, figures, printed, quality, risk)
    figure.legend(loc="outside lower center", ncols=3, fontsize=_SMALL)
    alt = f"{AXES[risk]} against {AXES[quality]}, by temperature, for {', '.join(names)}"
    return as_image(figure, alt)


def draw_trade_off(
    axes: Axes, figures: pd.DataFrame, printed: pd.DataFrame, quality: str, risk: str
) -> list[str]:
    """Draw privacy against quality: a line of temperatures for each table, and for the paper.

    Arguments
    ---------
    axes : Axes
    figures : DataFrame
        Means by (temperature, table), with columns of both measures.
    printed : DataFrame
        The published means by temperature; drawn if it has both columns.
    quality, risk : str
        Of :data:`benchmarks.measures.AXES`. What is drawn ends at the lowest and the highest
        temperature, which are named.

    Returns
    -------
    list of str
        The tables.
    """
    lines = dict(list(figures.groupby(level="table", sort=False)))
    for k, (name, of_table) in enumerate(lines.items()):
        style = {"color": _LINES[k % len(_LINES)], "marker": _MARKERS[k % len(_MARKERS)]}
        _draw_line(axes, of_table.droplevel("table"), quality, risk, label=name, **style)
    if {quality, risk} <= set(printed):
        _draw_line(axes, printed, quality, risk, label="published", color=COLOURS[_PRINTED], marker=".")
    axes.set_xlabel(AXES[quality])
    axes.set_ylabel(AXES[risk])
    axes.margins(0.08)
    return list(lines)


def _colour(model: str) -> str:
    if model in REFERENCES:
        return COLOURS[_REAL_ROWS]
    if model.startswith("published "):
        return COLOURS[_PRINTED]
    return COLOURS[_OURS if model.startswith("macode") else _PEERS]


def _limit(means: pd.Series) -> float:
    """Return where bars are cut, so that one far off does not flatten the others."""
    return max(4 * means.median(), 1.5 * means.quantile(0.75)) or means.max()


def _draw_line(axes: Axes, means: pd.DataFrame, quality: str, risk: str, **style: Any) -> None:
    means = means[[quality, risk]].dropna().sort_index()
    axes.plot(means[quality], means[risk], markersize=4, linewidth=1, **style)
    for tau in {means.index.min(), means.index.max()}:
        axes.annotate(f"{tau:g}", means.loc[tau], (3, 3), textcoords="offset points", fontsize=_SMALL)


def _set_log_axis(axes: Axes, seconds: pd.Series) -> None:
    low, high = seconds.min(), seconds.max()
    axes.set_xscale("log")
    axes.set_xlim(low / 4, high * 4)  # names are beside
    axes.set_xlabel("seconds of fitting")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _name_points(axes: Axes, names: pd.Index, seconds: pd.Series, values: pd.Series) -> None:
    """Write names near their points, where they lie on no other name or point if there is room."""
    figure = cast(Figure, axes.figure)
    figure.draw_without_rendering()
    # In points, as text is measured: a row for each box, its left, right, lower and upper end.
    x, y = axes.transData.transform(np.c_[seconds, values]).T * 72 / figure.dpi
    taken = np.c_[x - 4, x + 4, y - 4, y + 4]
    for k in np.argsort(-x):  # those on the right have less room
        name = str(names[k])
        places = [(side, rise) for rise in (4, -11, 14, -21, 24) for side in ("left", "right")]
        boxes = [_text_box(x[k], y[k] + rise, side, name) for side, rise in places]
        free = (i for i, box in enumerate(boxes) if not _overlaps(box, taken))
        best = next(free, 0)
        taken = np.vstack([taken, boxes[best]])
        side, rise = places[best]
        axes.annotate(
            name,
            (seconds.iloc[k], values.iloc[k]),
            (_GAP if side == "left" else -_GAP, rise),
            textcoords="offset points",
            ha=side,
            fontsize=_SMALL,
        )


def _text_box(x: float, y: float, side: str, text: str) -> tuple[float, float, float, float]:
    """Return the ends of a text about as wide as most fonts make it, from its aligned side."""
    width = 0.58 * _SMALL * len(text)
    left = x + _GAP if side == "left" else x - _GAP - width
    return left, left + width, y - 1, y + _SMALL - 1


def _overlaps(box: tuple[float, float, float, float], others: np.ndarray) -> bool:
    left, right, low, high = box
    apart = (others[:, 0] > right) | (others[:, 1] < left) | (others[:, 2] > high) | (others[:, 3] < low)
    return not apart.all()
