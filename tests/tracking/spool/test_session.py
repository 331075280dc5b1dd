from pathlib import Path

from experiments.config.kinds.destination import Destination
from experiments.tracking.spool.session import describe_session
from experiments.tracking.spool.spool import Spool


def test_journal_names_the_store_and_no_folder(tmp_path: Path) -> None:
    """Records of all releases have this form; a folder may be moved."""
    destination = Destination(
        output_dir=tmp_path,
        uri="http://host:5000",
        experiment="mine",
        ui_url="http://pages",
        server_timeout=7,
    )
    session = describe_session(
        [],
        Spool(tmp_path / "job", tmp_path),
        run_name="a run",
        tags={},
        parent_dir=None,
        destination=destination,
    )
    assert session["target"] == {
        "uri": "http://host:5000",
        "experiment": "mine",
        "ui_url": "http://pages",
        "server_timeout": 7,
    }
