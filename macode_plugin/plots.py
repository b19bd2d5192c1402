"""Plots as images that carry their own bytes, drawn in one style."""

from __future__ import annotations

import base64
import contextlib
import io
import warnings
from collections.abc import Iterator
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["INK", "REAL", "SYNTHETIC", "as_image", "drawing_style", "new_figure"]

INK = "#333333"
"""Text, and lines that stand for no table."""

REAL, SYNTHETIC = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito's palette, told apart with any colour vision."""

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Helvetica", "Arial", "DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "macode",
    "text.color": INK,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}
"""Text stays text, drawn in the reader's own font; equal plots give equal bytes."""


@contextlib.contextmanager
def drawing_style() -> Iterator[None]:
    """Draw in the style of the pages, as long as this context lasts."""
    with warnings.catch_warnings(), mpl.rc_context(_STYLE):
        # Letters that Matplotlib's font lacks are drawn in the reader's font all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of a size in inches, and its only axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def as_image(figure: Figure, alt: str, caption: str = "") -> str:
    """Return a figure as an HTML image that carries its own bytes.

    Arguments
    ---------
    figure : Figure
    alt : str
        Text that says what the image shows.
    caption : str
        HTML.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
