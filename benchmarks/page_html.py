"""How the page of results is written as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from macode_plugin import markup

__all__ = ["STYLE", "details", "legend", "origins", "table"]

STYLE = """
.scroll { overflow-x: auto; max-width: 100%; margin: 0 0 14px; }
.scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
.scroll table { width: auto; max-width: none; font-size: .9rem; border-collapse: separate;
  border-spacing: 0; line-height: 1.35; }
.scroll td, .scroll tbody th { white-space: nowrap; }
.scroll thead th { vertical-align: bottom; }
.scroll tr > th:first-child { text-align: left; position: sticky; left: 0; background: var(--page); }
.scroll td:last-child { color: inherit; }
details { margin: 0 0 4px; }
details details { margin-left: 14px; }
summary { cursor: pointer; padding: 3px 0; overflow-wrap: anywhere; }
pre { background: var(--card); border-radius: 8px; padding: 10px 14px; margin: 0 0 12px;
  overflow-x: auto; font-size: .85rem; }
.legend { flex-wrap: wrap; gap: 4px 20px; }
.plots { margin: 0 0 14px; align-items: start; }
.plots figure { max-width: 560px; }
:root { --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --page: #171a1e; } }
"""
"""What the page needs besides the style of :func:`macode_plugin.markup.page`."""

_ORIGIN = re.compile(r"(?:\*\*(?P<name>.+)\*\*: )?(?P<told>.+)\n\n```\n(?P<calls>(?:.+\n)+)```")
"""What :func:`benchmarks.markdown.origin` writes."""


def table(rows: Sequence[Sequence[str]], label: str) -> str:
    """Return rows of cells, a header first, as a table that scrolls in a box of its own.

    Arguments
    ---------
    rows : sequence of rows of cells, all of one length
    label : str
        What a screen reader calls the box.
    """
    box = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">'
    return f"{box}{markup.table(rows)}</div>"


def details(summary: str, *parts: str, shown: bool = False) -> str:
    """Return parts of the page that a click on a text shows and hides."""
    opened = " open" if shown else ""
    return f"<details{opened}><summary>{escape(summary)}</summary>\n{''.join(parts)}</details>"


def legend(colours: dict[str, str]) -> str:
    """Return what colours stand for.

    Arguments
    ---------
    colours : dict of str to str
        Colour by what it stands for.
    """
    keys = (f'<span><i style="background:{c}"></i>{escape(name)}</span>' for name, c in colours.items())
    return f'<p class="legend">{"".join(keys)}</p>'


def origins(*texts: str) -> str:
    """Return where figures come from, as the parts of RESULTS.md say it of the same runs.

    Arguments
    ---------
    *texts : str
        Markdown that holds what :func:`benchmarks.markdown.origin` returns, once or more.
    """
    parts = []
    for text in texts:
        for found in _ORIGIN.finditer(text):
            name = f"{found['name']}: " if found["name"] else ""
            parts.append(
                f"{markup.paragraph(name + found['told'])}<pre>{escape(found['calls'].rstrip())}</pre>"
            )
    return details("Versions, dates and commands", *parts)
