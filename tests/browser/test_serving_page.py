"""The page of a served model: a file is dropped, bars and a heat map appear."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import Screens
from tests.conftest import ROOT
from tests.tasks.photographs import cut_photographs
from tests.warm import run_to_the_end, start_command

_RUN = [sys.executable, str(ROOT / "run.py")]
_SMALL = ["model=resnet20_cifar", "model.depth=null", "model.block=basic"]
_SMALL += ["model.blocks=[1,1,1]", "gpu=cpu", "dataset=folder", "dataset.path=photos"]
_SMALL += ["dataset.image_size=32", "trainer.batch_size=8", "trainer.epochs=3"]
_PATIENCE = 300  # seconds
# What a browser does when a file is let go over the page.
_DROP = """
([content, name, kind]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, {type: kind}));
  for (const event of ["dragenter", "dragover", "drop"])
    document.getElementById("drop").dispatchEvent(
      new DragEvent(event, {dataTransfer, bubbles: true, cancelable: true}));
}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs and a network that was trained on them."""
    folder = tmp_path_factory.mktemp("serving")
    cut_photographs(folder / "photos", {"temple": 30, "flower": 30}, seed=0)
    done = run_to_the_end([*_RUN, *_SMALL], cwd=folder, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[str]:
    """Of the page of the served model."""
    words = ["task=serve", "run_id=last", "page=true", "port=0", "gpu=cpu"]
    screen = place / "screen.txt"
    with screen.open("w") as file:
        process = start_command(
            [*_RUN, *words], cwd=place, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            end = time.monotonic() + _PATIENCE
            while process.poll() is None and time.monotonic() < end:
                if found := re.search(r"^page +(\S+)$", screen.read_text(), re.M):
                    break
                time.sleep(0.2)
            assert found, screen.read_text()
            yield found[1]
        finally:
            process.terminate()
            process.wait(60)


def drop(page: Any, path: Path) -> None:
    content = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(_DROP, [content, path.name, "image/jpeg"])


def test_a_dropped_file_shows_bars_and_a_heat_map(
    screens: Screens, address: str, place: Path
) -> None:
    page = screens.open(address, showing="choose a file", height=800)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(f"{said.type}: {said.text}"))
    photograph = place / "photos" / "temple" / "00.jpg"
    drop(page, photograph)
    page.locator("#pictures:not([hidden])").wait_for()

    names = page.locator("#bars button span:first-of-type").all_inner_texts()
    assert sorted(names) == ["flower", "temple"]
    shares = [
        float(text.rstrip(" %"))
        for text in page.locator("#bars button span:last-of-type").all_inner_texts()
    ]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.2)
    widths = [
        bar.bounding_box()["width"] / bar.locator("..").bounding_box()["width"]
        for bar in page.locator("#bars i").all()
    ]
    assert widths == pytest.approx([share / 100 for share in shares], abs=0.01)
    assert page.locator("#told").inner_text() == f"00.jpg: {names[0]}"
    drawn = "image => image.decode().then(() => image.naturalWidth)"
    assert page.locator("#seen").evaluate(drawn) >= 32
    assert page.locator("#map").evaluate(drawn) >= 32
    assert (
        page.locator("#heading")
        .inner_text()
        .endswith(f"for {names[0]} ({shares[0]} %)")
    )
    screens.keep(page, "serving_page")

    first = page.locator("#map").get_attribute("src")
    page.locator("#bars button", has_text=names[1]).click()
    page.wait_for_function(
        "src => document.getElementById('map').src !== src", arg=first
    )
    assert f"for {names[1]} (" in page.locator("#heading").inner_text()
    assert errors == []


def test_what_is_no_image_is_told_in_words(
    screens: Screens, address: str, place: Path
) -> None:
    page = screens.open(address, showing="choose a file", height=800)
    note = place / "note.txt"
    note.write_text("no image")
    drop(page, note)
    page.get_by_text("This is no image.", exact=True).wait_for()
    assert page.locator("#result").is_hidden()
    page.set_input_files("#file", place / "photos" / "flower" / "03.png")
    page.locator("#pictures:not([hidden])").wait_for()
    assert "03.png: " in page.locator("#told").inner_text()
