"""Pages that a browser shows without a network: one HTML file that holds it all."""

import base64
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 2rem auto;
       max-width: 1200px; padding: 0 1rem; }
h2 { margin-top: 2rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd;
         white-space: nowrap; }
th { border-bottom: 2px solid #555; }
th:first-child, td:first-child { text-align: left; }
table.words th, table.words td { text-align: left; white-space: normal;
         overflow-wrap: break-word; max-width: 24rem; vertical-align: top; }
code { background: #f2f2f2; padding: .1rem .3rem; overflow-wrap: anywhere; }
img.picture { max-width: 100%; height: auto; }
.gallery { display: flex; flex-wrap: wrap; gap: .8rem; }
.gallery figure { margin: 0; width: 140px; font-size: 12px; overflow-wrap: anywhere; }
.gallery img { width: 140px; height: 140px; object-fit: contain; background: #eee;
               image-rendering: auto; }
.gallery img.small { image-rendering: pixelated; }
.cards figure { width: 200px; }
.cards img { width: 200px; height: 200px; }
.bar { display: grid; grid-template-columns: 1fr auto; position: relative;
       padding: .1rem .3rem; margin-top: .15rem; background: #f2f2f2; }
.bar i { position: absolute; inset: 0 auto 0 0; background: #bcd6f0; }
.bar b, .bar span { position: relative; font-weight: normal; }
.bar:first-of-type b { font-weight: bold; }
.groups { display: flex; flex-wrap: wrap; gap: 1rem; }
.groups > div { border: 1px solid #ccc; border-radius: 6px; padding: .6rem; }
.groups p { margin: 0 0 .5rem; font-size: 13px; max-width: 450px; }
"""

_DRAW_FIGURES = """
document.addEventListener("DOMContentLoaded", async () => {
  const packed = atob(document.getElementById("plotly").textContent);
  const bytes = Uint8Array.from(packed, (sign) => sign.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const library = document.createElement("script");
  library.textContent = await new Response(plain).text();
  document.head.append(library);
  const settings = {displaylogo: false, responsive: true};
  for (const place of document.querySelectorAll("div.figure")) {
    const figure = JSON.parse(place.nextElementSibling.textContent);
    Plotly.newPlot(place, figure.data, figure.layout, settings);
  }
});
"""


def build_page(
    title: str, sections: Iterable[str], *, style: str = "", head: str = ""
) -> str:
    """Returns a whole page.

    Args:
        title: A text; it also is the first heading.
        sections: HTML, one after another.
        style: Rules of CSS beside those of every page.
        head: HTML for the head, such as a script.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<link rel="icon" href="data:,">\n'  # a browser would ask for one
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n{head}\n"
        "</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """Returns HTML below a heading, which is a text."""
    return "\n".join([f"<h2>{escape(heading)}</h2>", *parts])


def paragraph(text: str) -> str:
    """Returns a text as HTML."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Returns a smaller heading, within a section."""
    return f"<h3>{escape(text)}</h3>"


def listing(texts: Iterable[str]) -> str:
    """Returns texts as a list."""
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def command(line: str, why: str) -> str:
    """Returns a line that a person types, and what it does."""
    return f"<p>{escape(why)}<br><code>{escape(line)}</code></p>"


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False
) -> str:
    """Returns a table of texts.

    Args:
        head: Of the columns: the first one is a name, the others are numbers.
        rows: Below it.
        words: Whether all of them are words, which break where they are long.
    """
    lines = [_row(head, "th"), *(_row(row, "td") for row in rows)]
    kind = ' class="words"' if words else ""
    return "\n".join(
        [f'<div class="table">\n<table{kind}>', *lines, "</table>\n</div>"]
    )


def picture(png: bytes, description: str) -> str:
    """Returns a picture that is part of the page.

    Args:
        png: The file.
        description: For whoever does not see it.
    """
    return (
        f'<img class="picture" alt="{escape(description)}" src="{_inline(png, "png")}">'
    )


def gallery(images: Iterable[tuple[bytes, str]], *, small: bool = False) -> str:
    """Returns images beside each other, each with a text below it.

    Args:
        images: A JPEG or PNG file, and the text.
        small: Whether to show pixels as blocks.
    """
    kind = ' class="small"' if small else ""
    cells = [
        f'<figure><img{kind} loading="lazy" alt="{escape(text)}" '
        f'src="{_inline(content, _kind(content))}">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
        for content, text in images
    ]
    return "\n".join(['<div class="gallery">', *cells, "</div>"])


@dataclass(frozen=True, kw_only=True)
class Card:
    """An image, and how likely it is what.

    Attributes:
        image: A JPEG or PNG file.
        text: What it is.
        bars: A name and a share of 1 each, the first of which counts most.
        address: Where a click on it leads.
    """

    image: bytes
    text: str
    bars: Sequence[tuple[str, float]]
    address: str


def cards(found: Iterable[Card], *, small: bool = False) -> str:
    """Returns images beside each other, each with its bars below it.

    Args:
        found: The images.
        small: Whether to show pixels as blocks.
    """
    kind = ' class="small"' if small else ""
    cells = [
        f'<figure><a href="{escape(card.address)}"><img{kind} loading="lazy" '
        f'alt="{escape(card.text)}" src="{_inline(card.image, _kind(card.image))}"></a>'
        f"<figcaption>{escape(card.text)}</figcaption>"
        + "".join(_bar(name, share) for name, share in card.bars)
        + "</figure>"
        for card in found
    ]
    return "\n".join(['<div class="gallery cards">', *cells, "</div>"])


def _bar(name: str, share: float) -> str:
    percent = f"{100 * share:.1f}"
    return (
        f'<div class="bar"><i style="width: {percent}%"></i><b>{escape(name)}</b>'
        f"<span>{percent} %</span></div>"
    )


def groups(parts: Iterable[tuple[str, str]]) -> str:
    """Returns galleries beside each other, each in a box below a text.

    Args:
        parts: The text, and the gallery as HTML.
    """
    boxes = [f"<div>{paragraph(text)}\n{images}</div>" for text, images in parts]
    return "\n".join(['<div class="groups">', *boxes, "</div>"])


def figure(figure: Any, identifier: str) -> str:
    """Returns a figure to explore, on a page whose head is `figure_library()`.

    Args:
        figure: One of plotly.
        identifier: Of its place on the page.
    """
    figure.update_layout(template="plotly_white", font={"size": 13})
    # As a part of a script's text nothing can end it.
    content = str(figure.to_json()).replace("<", "\\u003c")
    return (
        f'<div class="figure" id="{escape(identifier)}"></div>\n'
        f'<script type="application/json">{content}</script>'
    )


def figure_library() -> str:
    """Returns HTML for the head of a page with figures, about 2 MB.

    It is plotly's script, packed: as it is, it has 5 MB. Its letters are such that
    nobody takes them for a secret: whatever is recorded has its secrets hidden, by
    their shape, and `accessToken=...` would be cut out of the script itself.
    """
    from plotly.offline import get_plotlyjs

    packed = gzip.compress(get_plotlyjs().encode(), 6, mtime=0)
    script = base64.b64encode(packed).decode()
    return (
        f'<script type="text/plain" id="plotly">{script}</script>\n'
        f"<script>{_DRAW_FIGURES}</script>"
    )


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"


def _inline(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _kind(content: bytes) -> str:
    return "png" if content.startswith(b"\x89PNG") else "jpeg"
