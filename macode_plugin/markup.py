"""The parts of a page of HTML that is complete in itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

__all__ = ["facts", "gallery", "page", "paragraph", "section", "table"]


def page(title: str, sections: Iterable[str], style: str = "") -> str:
    """Return a page.

    Arguments
    ---------
    title : str
    sections : iterable of str
        Of :func:`section`.
    style : str
        CSS that the sections need besides that of the parts in this module.
    """
    return _PAGE.format(title=escape(title), sections="\n".join(sections), style=_CSS + style)


def section(heading: str, body: str, note: str = "", *, legend: str = "") -> str:
    """Return a section of a page.

    Arguments
    ---------
    heading, body, legend : str
        HTML; the legend stands above the note.
    note : str
        Text of a paragraph above the body; none if empty.
    """
    above = paragraph(note) if note else ""
    return f"<section><h2>{heading}</h2>{legend}{above}\n{body}</section>"


def paragraph(text: str) -> str:
    """Return a text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def facts(told: Mapping[str, str]) -> str:
    """Return values by name as a list."""
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in told.items())
    return f"<dl>{items}</dl>"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells, a header first, as a table whose first column names the rows."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def gallery(images: Iterable[str], *, wide: bool = False) -> str:
    """Return images side by side, as many as the page has room for.

    Arguments
    ---------
    images : iterable of str
        Of :func:`macode_plugin.plots.as_image`.
    wide : bool
        Whether they need more room than a small plot does.
    """
    kind = "plots wide" if wide else "plots"
    return f'<div class="{kind}">{"".join(images)}</div>'


# In a dark page the plots are inverted, and their hues turned back: one image serves both.
_CSS = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6570; --line: #dfe3e8; --card: #f6f8fa; }
body { margin: 0 auto; max-width: 1320px; padding: 24px clamp(14px, 3vw, 40px) 60px;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: var(--ink); background: #ffffff; }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 8px 0 4px; }
h2 { font-size: 1.15rem; margin: 36px 0 10px; padding-top: 18px; border-top: 1px solid var(--line); }
p { color: var(--soft); margin: 0 0 12px; max-width: 75ch; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 0; }
dl div { background: var(--card); border-radius: 8px; padding: 10px 14px; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; max-width: 720px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 8px; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
tbody th { text-align: left; font-weight: 400; }
td:last-child { color: var(--soft); }
.legend { display: flex; gap: 20px; }
.legend i { display: inline-block; width: 22px; height: 12px; margin-right: 7px;
  vertical-align: -1px; box-sizing: border-box; }
.real { background: #0072b273; }
.synthetic { border: 2px solid #d55e00; }
.plots { display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(240px, 100%), 1fr)); }
.wide { grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
.curve { max-width: 640px; }
figure { margin: 0; background: var(--card); border-radius: 8px; padding: 10px; min-width: 0; }
img { display: block; width: 100%; height: auto; }
figcaption { font-size: .85rem; line-height: 1.4; color: var(--soft); padding: 4px 4px 0;
  overflow-wrap: anywhere; }
figcaption b { display: block; color: var(--ink); font-weight: 600; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #a2abb5; --line: #353b42; --card: #22272d; }
  body { background: #171a1e; }
  img, .legend i { filter: invert(1) hue-rotate(180deg); }
}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{sections}
</body>
</html>
"""
