from pathlib import Path
from typing import Any

import pytest

from experiments.builders.callbacks import build_callbacks
from experiments.errors import ConfigError
from tests.tiny import TINY


def test_callbacks_get_the_run_time_facts_that_they_name(
    check: Any, tmp_path: Any
) -> None:
    run = check(*TINY, "callbacks.early_stopping=null").run
    callbacks = build_callbacks(run, {"output_dir": tmp_path, "unused": 1})
    assert list(callbacks) == ["timing", "lr_monitor", "terminate_on_nan", "checkpoint"]
    assert callbacks["checkpoint"].folder.is_relative_to(tmp_path)


def test_argument_that_a_component_does_not_take_is_a_config_error(check: Any) -> None:
    run = check(
        *TINY,
        "+callbacks.stop._target_=keras.callbacks.CSVLogger",
        "callbacks.early_stopping=null",
        "+callbacks.stop.filename=log.csv",
        "+callbacks.stop.patiense=3",
    )
    with pytest.raises(ConfigError, match="patiense"):
        build_callbacks(run.run, {"output_dir": Path()})


@pytest.mark.parametrize(
    "path",
    ["keras.callbacks.os.system", "keras.callbacks.system", "keras.optimizers.get"],
)
def test_path_that_leads_out_of_an_allowed_package_is_not_called(
    check: Any, tmp_path: Path, path: str
) -> None:
    """Before anything is imported it looks like one of the package."""
    node = f"{{_target_: {path}, command: touch {tmp_path}/canary}}"
    run = check(*TINY, f"+callbacks.x={node}", "callbacks.early_stopping=null").run
    with pytest.raises(ConfigError, match=r"callbacks\.x\._target_"):
        build_callbacks(run, {"output_dir": tmp_path})
    assert not (tmp_path / "canary").exists()
