"""What the page of a run says once its model was exported."""

import re
import sys
from pathlib import Path

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, wait_for
from tests.conftest import ROOT
from tests.tracking.server import Server
from tests.warm import run_to_the_end


def test_run_has_the_table_of_its_export_and_what_goes_along(
    screens: Screens, sweep: Printed, server: Server, tmp_path: Path
) -> None:
    found = re.search(r"/runs/(\w+)", sweep.runs[0])
    assert found
    words = ["task=export", f"run_id={found[1]}", "formats=[onnx,litert]", "calls=2"]
    place = [f"output_dir={tmp_path}", "tracking=server", f"tracking.uri={server.uri}"]
    command = [sys.executable, str(ROOT / "run.py"), *words, *place]
    done = run_to_the_end(command, cwd=ROOT, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr

    page = screens.open(sweep.runs[0], showing="About this run", height=1800)
    wait_for(page, "Show more").click()
    table = page.locator("table").filter(has_text="model.onnx").first
    table.wait_for()
    heads = [head.strip() for head in table.locator("th").all_inner_texts()]
    assert heads[:5] == ["file", "size", "agrees", "accuracy", "differs"]
    assert heads[5:] == ["1 image", "32 images"]
    rows = [
        [cell.strip() for cell in row.locator("td").all_inner_texts()]
        for row in table.locator("tr").all()
    ]
    files = [row[0] for row in rows if row]
    assert files == ["(Keras)", "model.onnx", "model.tflite"]
    assert {row[2] for row in rows if row and row[0] != "(Keras)"} == {"100.00 %"}
    screens.keep(page, "export")

    address, _, query = sweep.runs[0].partition("?")
    page = screens.open(f"{address}/artifacts?{query}", showing="export")
    page.get_by_text("export", exact=True).locator("visible=true").first.click()
    wait_for(page, next((tmp_path / "runs").glob("export-*")).name)
    screens.keep(page, "export_artifacts")
