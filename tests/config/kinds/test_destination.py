from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from experiments.config.kinds.destination import Destination


def test_folder_stays_when_the_current_one_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    destination = Destination(output_dir=Path("outputs"))
    monkeypatch.chdir("/")
    assert destination.output_dir == tmp_path / "outputs"


def test_another_address_changes_nothing_else(tmp_path: Path) -> None:
    one = Destination(
        output_dir=tmp_path,
        uri="http://one",
        experiment="e",
        ui_url="http://pages",
        server_timeout=7,
        enabled=False,
    )
    assert asdict(one.at("http://two")) == {**asdict(one), "uri": "http://two"}
    assert one.at(None).uri is None


def test_config_says_where_records_go(
    check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["tracking=server", "tracking.uri=http://host:5000", "output_dir=here"]
    words += ["tracking.experiment=mine", "tracking.server_timeout=7"]
    assert check(*words).run.destination() == Destination(
        output_dir=tmp_path / "here",
        uri="http://host:5000",
        experiment="mine",
        ui_url=None,
        server_timeout=7,
    )


def test_config_without_tracking_records_nothing_but_names_the_store(
    check: Any,
) -> None:
    off, on = (check(f"tracking={option}").run for option in ("off", "sqlite"))
    assert off.destination().enabled is False
    assert on.destination().enabled is True
    assert off.destination().uri is on.destination().uri is None


def test_name_of_the_experiment_shows_no_secret(check: Any) -> None:
    typed = "tracking.experiment='mine?sig=Kx7q-C16-experiment'"
    experiment = check(typed).run.destination().experiment
    assert experiment.startswith("mine?sig=")
    assert "Kx7q" not in experiment
