"""What the pages say beside their commands: names, figures, excerpts and links."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CONF, ROOT
from tests.docs.pages import fenced_blocks, list_pages
from tests.models.conftest import build_option

DOCS = ROOT / "docs"
EXAMPLE = ROOT / "examples" / "own_components"
PAGES = list_pages()
BESIDE = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]  # show no commands of run.py


def table_rows(page: Path) -> dict[str, list[str]]:
    """Returns the cells of each table row whose first cell is one word of code."""
    rows = re.findall(r"^\| `([\w/.]+)` \| (.*) \|$", page.read_text(), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def list_options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


@pytest.mark.parametrize("page", [*PAGES, *BESIDE], ids=lambda page: page.name)
def test_links_and_named_tests_exist(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:\s]+)[^):]*\)", text):
        assert (page.parent / target).exists(), target
    for file, function in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {function}(" in (ROOT / file).read_text(), function


@pytest.mark.parametrize(
    ("group", "page"),
    [
        ("dataset", "data.md"),
        ("augment", "augmentation.md"),
        ("model", "models.md"),
        ("optimizer", "training.md"),
        ("schedule", "training.md"),
        ("loss", "training.md"),
        ("callbacks", "training.md"),
        ("tracking", "tracking.md"),
        ("debug", "configs.md"),
    ],
)
def test_every_file_of_a_group_is_on_its_page_or_says_what_it_is(
    group: str, page: str
) -> None:
    words = set(re.findall(r"[\w/.]+", (DOCS / page).read_text()))
    for path in (CONF / group).glob("*.yaml"):
        head = path.read_text().partition("\n")[0]
        assert path.stem in words or re.match(r"# \w.{20,}", head), path


@pytest.mark.parametrize("option", ["resnet18", "plain34", "resnet20_cifar"])
def test_figures_of_a_network_are_those_of_the_table(option: str) -> None:
    from experiments.models.cost import measure_cost

    size, *figures = table_rows(DOCS / "models.md")[option]
    classes = 10 if option.endswith("cifar") else 1000
    network = build_option(option, image=(int(size), int(size), 3), classes=classes)
    cost = measure_cost(network, batch_size=1, precision="float32")
    assert figures == [
        f"{cost.parameters:,}",
        f"{cost.trainable_parameters:,}",
        f"{cost.flops_per_image / 1e9:.3g}",
    ]


def test_rate_of_each_optimizer_is_that_of_the_table(check: Any) -> None:
    rows = table_rows(DOCS / "training.md").items()
    told = {name: cells[0] for name, cells in rows if name in list_options("optimizer")}
    assert told.keys() >= {"adam", "adamw", "sgd", "rmsprop", "lion"}
    for option, rate in told.items():
        assert check(f"optimizer={option}").run.optimizer.lr == float(rate)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_compiles(page: Path) -> None:
    for language, content, _ in fenced_blocks(page):
        if language == "python":
            compile(content, page.name, "exec")


@pytest.mark.parametrize("which", [0, 1])
def test_network_is_built_as_the_models_page_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], which: int
) -> None:
    blocks = fenced_blocks(DOCS / "models.md")
    places = [i for i, (language, _, _) in enumerate(blocks) if language == "python"]
    number = places[which]
    monkeypatch.chdir(ROOT)

    exec(blocks[number][1], {})

    assert capsys.readouterr().out == blocks[number + 1][1]


@pytest.mark.parametrize(
    ("language", "content"),
    [
        (language, content)
        for language, content, _ in fenced_blocks(DOCS / "extending.md")
        if language in ("python", "yaml")
    ],
)
def test_excerpt_stands_in_the_example(language: str, content: str) -> None:
    """A line of three dots leaves something out."""
    suffix = {"python": "py", "yaml": "yaml"}[language]
    files = [path.read_text() for path in EXAMPLE.rglob(f"*.{suffix}")]
    parts = re.split(r"^ *\.\.\.\n", content, flags=re.MULTILINE)
    assert any(all(part in text for part in parts) for text in files)
