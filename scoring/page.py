"""The parts of a page of HTML: every text that goes in is escaped here, and only here.

The page stands alone: style and pictures are inside, it loads and runs nothing (its content
policy says so to the browser). It is readable on a phone, on a desk and on paper.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from string import Template
from typing import NewType

Html = NewType("Html", str)  # escaped already

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
$body
</main>
</body>
</html>
""")

_STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #5b6570; --line: #dfe3e8; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f6f8; color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 0 0 .25rem;
  overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; }
section { background: #fff; border: 1px solid var(--line); border-radius: .6rem; padding: 1rem;
  margin-top: 1rem; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); font-size: .9rem; }
.headline { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
.headline div { background: #fff; border: 1px solid var(--line); border-radius: .6rem;
  padding: .6rem .9rem; min-width: 8.5rem; flex: 1; }
.headline strong { display: block; font-size: 1.6rem; line-height: 1.2; color: var(--blue);
  font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .4rem .6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.wide th, .wide td { overflow-wrap: normal; }
thead th { font-weight: 600; color: var(--soft); white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.number small { display: block; color: var(--soft); }
.wide .long { min-width: 9rem; max-width: 34rem; overflow-wrap: anywhere; }
.long small { display: block; color: var(--soft); font-weight: 400; }
.facts th { width: 11rem; color: var(--soft); font-weight: 500; }
.bar { display: flex; height: .8rem; border-radius: .2rem; overflow: hidden; min-width: 4rem;
  margin-top: .35rem; background: var(--line); }
.ok { background: #0072b2; } .absent { background: #e69f00; } .failed { background: #d55e00; }
.key span { white-space: nowrap; margin-right: .9rem; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem;
  margin-right: .3rem; vertical-align: -1px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 1rem; }
figure { margin: 0; } img { width: 100%; max-width: 46rem; height: auto; display: block; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .25rem; }
.note { border-left: .25rem solid #e69f00; padding: .3rem .8rem; margin: .5rem 0;
  background: #fdf6e7; }
@media (max-width: 34rem) {
  main { padding: 1rem .6rem 2rem; } section { padding: .8rem; }
  table { font-size: .84rem; } th, td { padding: .35rem .3rem; }
  thead th, thead .number { white-space: normal; } .bar { min-width: 2rem; }
  .facts th, .facts td { display: block; width: auto; border: 0; padding: .1rem 0; }
  .facts td { margin-bottom: .5rem; }
}
@media print {
  body { background: #fff; font-size: 11pt; } main { max-width: none; padding: 0; }
  section, figure, tr { break-inside: avoid; } section { border: 0; padding: .5rem 0; }
  .wide { overflow: visible; } table { font-size: 9pt; }
  .bar *, .key i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def text(value: object) -> Html:
    """Return a text as it may stand in a page: escaped, and without what is no character."""
    clean = "".join(sign for sign in str(value) if sign >= " " or sign in "\t\n")
    return Html(html.escape(clean.encode("utf-8", "replace").decode("utf-8"), quote=True))


def foreign(value: object) -> Html:
    """Return a text from a table, whose direction of writing stays its own."""
    return Html(f"<bdi>{text(value)}</bdi>")


def join(parts: Iterable[Html]) -> Html:
    """Return the parts, one below the other."""
    return Html("\n".join(parts))


def page(title: str, body: Html) -> Html:
    """Return the whole page."""
    return Html(_PAGE.substitute(title=text(title), style=_STYLE.strip(), body=body))


def section(heading: str, *parts: Html) -> Html:
    """Return a section with its heading."""
    return Html(f"<section>\n<h2>{text(heading)}</h2>\n{join(parts)}\n</section>")


def paragraph(words: str, kind: str = "") -> Html:
    """Return a paragraph; `kind` is a class of the style sheet, such as "soft" or "note"."""
    return Html(f'<p class="{text(kind)}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>")


def cell(content: Html, kind: str = "", tag: str = "td") -> Html:
    """Return a cell of a table."""
    return Html(f'<{tag} class="{kind}">{content}</{tag}>' if kind else f"<{tag}>{content}</{tag}>")


def head(content: Html, kind: str = "") -> Html:
    """Return a cell that names its row."""
    named = Html(f'scope="row" class="{kind}"' if kind else 'scope="row"')
    return Html(f"<th {named}>{content}</th>")


def table(
    columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Html]], kind: str = "wide"
) -> Html:
    """Return a table, `columns` being heading and class; it scrolls where it is too wide."""
    heading = "".join(
        f'<th scope="col" class="{kind_of}">{text(name)}</th>' for name, kind_of in columns
    )
    top = f"<thead><tr>{heading}</tr></thead>\n" if columns else ""
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return Html(f'<div class="{kind}"><table>\n{top}<tbody>\n{body}\n</tbody></table></div>')


def picture(png: bytes, caption: str) -> Html:
    """Return a figure with its picture inside the page."""
    data = base64.b64encode(png).decode("ascii")
    image = f'<img alt="{text(caption)}" src="data:image/png;base64,{data}">'
    return Html(f"<figure>{image}<figcaption>{text(caption)}</figcaption></figure>")
