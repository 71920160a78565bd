"""The parts of a page of HTML: every text that goes in is escaped here, and only here.

The page stands alone: style and pictures are inside, it loads and runs nothing (its content
policy says so to the browser).
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from string import Template
from typing import NewType

from scoring.style import STYLE

Html = NewType("Html", str)  # escaped already

_BESIDE_ON_A_PHONE = 3  # columns that have room there

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


def text(value: object) -> Html:
    """Return a text as it may stand in a page: escaped, and without what is no character."""
    clean = "".join(sign for sign in str(value) if sign >= " " or sign in "\t\n")
    return Html(html.escape(clean.encode("utf-8", "replace").decode("utf-8"), quote=True))


def foreign(value: object) -> Html:
    """Return a text from a table, whose direction of writing stays its own."""
    return Html(f"<bdi>{text(value)}</bdi>")


def names(words: Sequence[str]) -> Html:
    """Return names between commas; in a cell of class "names" lines break between them."""
    shown = [foreign(word) for word in words]
    return Html(" ".join([*(f"<span>{word},</span>" for word in shown[:-1]), *shown[-1:]]))


def join(parts: Iterable[Html]) -> Html:
    """Return the parts, one below the other."""
    return Html("\n".join(parts))


def page(title: str, body: Html) -> Html:
    """Return the whole page."""
    return Html(_PAGE.substitute(title=text(title), style=STYLE.strip(), body=body))


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
    """Return a table, `columns` being heading and class.

    Where it is too wide it scrolls; on a phone each row of a table of many columns becomes a block
    of cells that say their column.
    """
    heading = "".join(
        f'<th scope="col" class="{kind_of}">{text(name)}</th>' for name, kind_of in columns
    )
    top = f"<thead><tr>{heading}</tr></thead>\n" if columns else ""
    lines = rows
    if len(columns) > _BESIDE_ON_A_PHONE:
        kind = f"{kind} stack"
        lines = ([*map(_with_column, row, columns)] for row in rows)
    body = "\n".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    return Html(f'<div class="{kind}"><table>\n{top}<tbody>\n{body}\n</tbody></table></div>')


def _with_column(content: Html, column: tuple[str, str]) -> Html:
    """Return a cell that says its column where the table's heading is not shown."""
    return Html(content.replace("<td", f'<td data-column="{text(column[0])}"', 1))


def picture(png: bytes, caption: str) -> Html:
    """Return a figure with its picture inside the page."""
    return Html(
        f'<figure class="plot">{image(png, caption)}'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def image(content: bytes, said: str) -> Html:
    """Return a picture, PNG or JPEG, inside the page; `said` is for those who do not see it."""
    kind = "jpeg" if content.startswith(b"\xff\xd8") else "png"
    data = base64.b64encode(content).decode("ascii")
    return Html(f'<img alt="{text(said)}" src="data:image/{kind};base64,{data}">')


def code(lines: Iterable[str]) -> Html:
    """Return command lines, to be copied."""
    return Html(f"<pre>{text(chr(10).join(lines))}</pre>")


def bar(parts: Iterable[tuple[str, float]]) -> Html:
    """Return a bar of coloured parts: class of the style sheet and share, 0..1."""
    pieces = "".join(
        f'<span class="{text(kind)}" style="width:{100 * share:.2f}%"></span>'
        for kind, share in parts
        if share > 0
    )
    return Html(f'<div class="bar">{pieces}</div>')
