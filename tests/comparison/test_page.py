import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from experiments.comparison.compared import compare_members
from experiments.comparison.images import reach_arrays, reach_files
from experiments.comparison.member import Member, read_member
from experiments.comparison.page import build_comparison_page
from experiments.redaction import redact_file
from tests.comparison.left import ACCURACY, leave, of_right, share

EVIL = '</script><script>alert("1")</script> 🦊'


class Reader(HTMLParser):
    """Collects tags, addresses and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.addresses |= {v for k, v in attrs if k in ("src", "href")}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    """Two runs with evil names, that disagree on 30 of 100 images."""
    for name, count in (("a", 80), ("b", 50)):
        settings = {"optimizer.lr": name, "model.note": EVIL + name}
        given = {"settings": settings, "right": share(count), "name": EVIL + name}
        leave(tmp_path / name, count / 100, **given)
    return [read_member(tmp_path / name, tmp_path) for name in ("a", "b")]


def build(members: list[Member], **more: Any) -> str:
    compared = compare_members(members, objective=ACCURACY, title=EVIL)
    return build_comparison_page(replace(compared, **more))


def test_page_needs_no_network(members: list[Member]) -> None:
    assert read(build(members)).addresses == {"data:,"}


def test_whatever_is_named_stays_a_text(members: list[Member]) -> None:
    page = build(members)
    assert "<script>alert" not in page
    assert page.count("</script>") == page.count("<script")
    reader = read(page)
    assert EVIL in reader.texts
    assert any(EVIL + "a" in text for text in reader.texts)


def test_page_is_recorded_as_it_was_made(members: list[Member]) -> None:
    page = build(members)
    assert redact_file(page, "comparison.html") == page


def test_same_runs_make_the_same_page(members: list[Member]) -> None:
    assert build(members) == build(list(reversed(members)))


def test_runs_that_all_failed_have_a_page(tmp_path: Path) -> None:
    for name in ("a", "b"):
        leave(tmp_path / name, None, status="FAILED", epochs=0)
    page = build([read_member(tmp_path / name, tmp_path) for name in ("a", "b")])
    assert "None has a val_accuracy" in page
    assert "2 rows without a curve" in page
    assert len(page) < 20_000  # no figure, and so no script of plotly


def test_rows_that_get_the_same_images_right_show_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        leave(tmp_path / name, 0.5, settings={"a.b": name}, right=share(50))
    page = build([read_member(tmp_path / name, tmp_path) for name in ("a", "b")])
    assert "A a and B b get the same images right." in page
    assert "alone gets right" not in page


def test_images_of_a_folder_are_shown_where_they_are(
    members: list[Member], tmp_path: Path
) -> None:
    """As long as they are what was predicted: another picture is not shown."""
    from experiments.data.files.scanning.scan import digest_content

    root = tmp_path / "photos"
    root.mkdir()
    digests = []
    for number in range(10):
        path = root / f"{number}.png"
        Image.new("RGB", (20, 10), (200, 20 * number, 30)).save(path)
        digests.append(digest_content(path.read_bytes()))
    changed = []
    for name, right in (("c", share(9, 10)), ("d", share(7, 10))):
        table = replace(
            of_right(right),
            samples=[f"{number}.png" for number in range(10)],
            digests=digests,
        )
        settings = {"dataset.path": str(root), "model.note": name}
        leave(tmp_path / name, 0.5, settings=settings, predictions=table)
        changed.append(read_member(tmp_path / name, tmp_path))
    compared = compare_members(changed, objective=ACCURACY)
    assert compared.contrast is not None
    draw = reach_files(compared)
    assert draw is not None
    shown = build_comparison_page(replace(compared, draw=draw))
    assert len(re.findall("<figure>", shown)) == 2
    assert "7.png is class 0. A: class 0. B: class 1." in shown
    Image.new("RGB", (20, 10), (1, 2, 3)).save(root / "7.png")
    told = build_comparison_page(replace(compared, draw=draw))
    assert "<figure>" not in told
    assert "<td>7.png</td>" in told
    assert draw([("../c/result.json", "0")]) == [None]


def test_images_in_memory_are_shown_by_their_numbers() -> None:
    from experiments.data.datasets.digits import load_digits
    from experiments.data.samples import digest_samples, name_samples

    dataset = load_digits(
        image_size=8,
        validation_fraction=0.2,
        test_fraction=0.2,
        split_seed=0,
        mean=None,
        std=None,
        cache="none",
        decode_threads=1,
    )
    assert dataset.test is not None
    digests = digest_samples(dataset.test)
    draw = reach_arrays(dataset)
    third = name_samples(dataset.test)[3]
    wanted = [(third, digests[3]), (third, digests[4]), ("99999", "0"), ("x", "0")]
    files = draw(wanted)
    assert files[0] is not None
    assert files[0].startswith(b"\x89PNG")
    assert list(files[1:]) == [None, None, None]
