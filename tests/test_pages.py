import base64
import gzip
import json
from html.parser import HTMLParser

from experiments.pages import (
    Card,
    build_page,
    cards,
    command,
    figure,
    figure_library,
    gallery,
    heading,
    listing,
    paragraph,
    picture,
    section,
    table,
)

PNG = b"\x89PNG rest"
JPEG = b"\xff\xd8 rest"


class Reader(HTMLParser):
    """What of a page a person sees, and whether its tags match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.sources += [found["src"] or ""] if "src" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []


def test_whatever_is_named_stays_a_text() -> None:
    name = "<script>alert(1)</script> & \"x\" 'y'"
    page = build_page(
        name,
        [
            section(name, paragraph(name), table((name,), [(name,)])),
            gallery([(PNG, name)]),
            picture(PNG, name),
        ],
    )
    read = Reader(page)
    assert "<script" not in page
    assert read.texts.count(name) == 7  # title, two headings, text, two cells, caption


def test_page_asks_for_nothing_else() -> None:
    read = Reader(
        build_page("t", [gallery([(PNG, "a"), (JPEG, "b")]), picture(PNG, "c")])
    )
    assert all(source.startswith("data:image/") for source in read.sources)
    assert all(link.startswith("data:") for link in read.links)
    kind, _, content = read.sources[1].partition(";base64,")
    assert (kind, base64.b64decode(content)) == ("data:image/jpeg", JPEG)
    assert read.sources[0].startswith("data:image/png")


def test_card_has_an_image_a_text_and_bars_as_long_as_their_shares() -> None:
    name = "<b>&\"'"
    card = Card(image=JPEG, text=name, bars=[(name, 0.25)], address="file:///a'b.jpg")
    page = build_page("t", [cards([card])])
    read = Reader(page)
    assert read.texts.count(name) == 2  # caption and bar
    assert "25.0 %" in read.texts
    assert 'style="width: 25.0%"' in page
    assert read.links[-1] == "file:///a'b.jpg"
    assert read.sources[0].startswith("data:image/jpeg")


def test_headings_lists_and_commands_are_texts() -> None:
    name = "<b>a</b> & b"
    page = build_page("t", [heading(name), listing([name, name]), command(name, name)])
    assert Reader(page).texts.count(name) == 5
    assert "<b>" not in page


class Drawn:
    """A figure as plotly makes one, whose text is not made safe."""

    def update_layout(self, **_: object) -> None:
        pass

    def to_json(self) -> str:
        return json.dumps({"data": ["</script><script>alert(1)</script>"]})


def test_figure_is_data_that_ends_no_script() -> None:
    content = figure(Drawn(), "curves")
    assert content.startswith('<div class="figure" id="curves"></div>')
    assert content.count("<script") == content.count("</script>") == 1
    _, _, data = content.partition('<script type="application/json">')
    found = json.loads(data.removesuffix("</script>"))
    assert found == json.loads(Drawn().to_json())


def test_library_of_figures_is_plotlys_own() -> None:
    from plotly.offline import get_plotlyjs

    start = '<script type="text/plain" id="plotly">'
    _, _, rest = figure_library().partition(start)
    packed = base64.b64decode(rest.partition("</script>")[0])
    assert gzip.decompress(packed).decode() == get_plotlyjs()
    assert figure_library() == figure_library()
