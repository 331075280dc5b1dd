import gzip
import re
from base64 import b64decode
from html.parser import HTMLParser

import pytest
from plotly.offline import get_plotlyjs

from experiments.config.kinds.objective import Objective
from experiments.redaction import redact_file
from experiments.search.results.page import build_page
from experiments.search.trials.trial import Outcome, Proposal, Trial


def trial(number, objective, values=None, **more):
    end = "complete" if objective is not None else "failed"
    return Trial(
        proposal=Proposal(number=number, values=values or {}),
        outcome=Outcome(**{"end": end, "objective": objective, **more}),
    )


EVIL = '</script><script>alert("1|2,3")</script>'
TRIALS = [
    trial(0, 0.3, {"lr": 0.001, "name": "b"}),
    trial(1, None, {"lr": 0.5, "name": "c"}, failure="oom", reason="3 < 4 | GiB"),
    trial(2, 0.8, {"lr": 1.0, "name": "a", "nesterov": True}),
    trial(3, 0.5, {"lr": 0.1, "name": "b"}, end="pruned"),
    trial(4, 0.6, {"lr": 0.01, "name": "b"}, end="paused"),
    trial(5, 0.7, {"lr": 0.2, "name": EVIL}),
]


_ADDRESSES = ("src", "href")


class Reader(HTMLParser):
    """Collects the tags with their attributes and the cells of the table."""

    def __init__(self):
        super().__init__()
        self.tags, self.rows, self.open = [], [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open = tag
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open in ("td", "th"):
            self.rows[-1].append(data)


def build(trials, direction="max", folder="lr-0123"):
    objective = Objective("val_accuracy", direction)
    return build_page(trials, objective=objective, oracle="random", folder=folder)


def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


def figures(page):
    return re.findall(r'<div class="figure" id="([a-z-]+)"', page)


def test_page_needs_no_network():
    tags = read(build(TRIALS)).tags
    addresses = {a for _, attrs in tags for k, a in attrs.items() if k in _ADDRESSES}
    assert addresses == {"data:,"}  # an icon that no server is asked for


def test_script_of_plotly_is_inlined_once():
    page = build(TRIALS)
    (packed,) = re.findall(r'<script type="text/plain" id="plotly">(.*?)<', page)
    assert gzip.decompress(b64decode(packed)).decode() == get_plotlyjs()
    assert 1e6 < len(page) < 3e6


def test_page_is_recorded_as_it_was_made():
    """Whatever is recorded loses what has the shape of a secret: the page has none."""
    page = build(TRIALS)
    assert redact_file(page, "search.html") == page


def test_page_shows_course_parameters_importance_and_table():
    more = [trial(6 + n, n / 99, {"lr": n / 9, "name": "a"}) for n in range(30)]
    page = build([*TRIALS, *more])
    assert figures(page) == [
        "objective-by-trial",
        "parameters",
        "importance-of-the-parameters",
    ]
    rows = read(page).rows
    assert rows[0][:4] == ["#", "trial", "val_accuracy", "lr"]
    assert rows[1][:4] == ["1", "2", "0.8000", "1"]
    assert rows[-1][-1] == "failed (oom): 3 < 4 | GiB"


def test_texts_cannot_break_out_of_the_page():
    page = build(TRIALS, folder="<b>best & last</b>")
    assert "<script>alert" not in page
    assert page.count("</script>") == page.count("<script")
    assert "Folder: &lt;b&gt;best &amp; last&lt;/b&gt;." in page
    assert EVIL in [cell for row in read(page).rows for cell in row]


def test_same_trials_give_the_same_page():
    assert build(TRIALS) == build(TRIALS)


@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize(
    ("trials", "drawn"),
    [
        ([], 0),
        ([trial(0, None)], 0),
        ([Trial(proposal=Proposal(number=0, values={"lr": 1}))], 0),
        ([trial(0, 0.5, {"lr": 0.1})], 2),
        ([trial(0, 0.5), trial(1, 50.5)], 2),
    ],
    ids=["none", "failed", "running", "one", "no parameter"],
)
def test_any_search_has_a_page(direction, trials, drawn):
    page = build(trials, direction)
    assert len(figures(page)) == drawn
    assert len(read(page).rows) == len(trials) + 1


@pytest.mark.parametrize(
    ("direction", "side"), [("max", "largest"), ("min", "smallest")]
)
def test_title_says_in_words_what_was_searched(direction, side):
    title = f"Search for the {side} val_accuracy over lr, name and nesterov"
    page = build(TRIALS, direction)
    assert f"<title>{title}</title>" in page
    assert f"<h1>{title}</h1>" in page
    assert "6 trials by the random oracle, 5 of them with a result." in page


def test_few_trials_are_not_said_to_tell_what_matters():
    """Ten trials a parameter: with fewer a share is mostly chance."""
    few = [trial(n, n / 9, {"a": n, "b": -n}) for n in range(19)]
    page = build(few)
    assert "importance-of-the-parameters" not in figures(page)
    assert (
        "19 trials with a result are too few to tell which of the 2 parameters "
        "matters: it takes about 20, 10 for each." in page
    )
    enough = build([*few, trial(19, 1.0, {"a": 19, "b": 0})])
    assert "importance-of-the-parameters" in figures(enough)
    assert "too few to tell" not in enough
