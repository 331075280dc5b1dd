from experiments.range_test.page import build_range_page
from experiments.range_test.proposal import propose
from tests.range_test.made import make_curve


def test_page_tells_the_proposal_and_how_to_train_with_it() -> None:
    curves = [make_curve(seed=n, diverges=0.1) for n in range(2)]
    found = propose(curves, lowest=1e-6, highest=10)

    page = build_range_page(
        "a <b>", curves, found, rows={"model": "small"}, line=f"run {found.override}"
    )

    assert "a &lt;b&gt;" in page
    assert f"<p>{found.override}</p>" in page
    assert f"<code>run {found.override}</code>" in page
    assert page.count("<tr>") == 1 + 1 + 1 + 2


def test_page_tells_why_there_is_none() -> None:
    curves = [make_curve(fall=0.0, diverges=0.1)]
    found = propose(curves, lowest=1e-6, highest=10)

    page = build_range_page("none", curves, found, rows={"a": "b"}, line=None)

    assert f"No proposal: {found.reason}" in page
