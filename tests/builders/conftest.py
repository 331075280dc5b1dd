from typing import Any

import pytest

from experiments.builders.data import (
    build_dataset,
    build_pipelines,
)
from experiments.builders.model import (
    build_model,
)
from experiments.runtime.devices import Devices
from tests.tiny import TINY

CPU = Devices(())


@pytest.fixture
def built(check: Any) -> Any:
    def built(*overrides: str) -> tuple[Any, Any, Any]:
        run = check(*TINY, *overrides).run
        dataset = build_dataset(run)
        steps = build_pipelines(run, dataset).steps_per_epoch
        model = build_model(run, dataset, steps_per_epoch=steps, devices=CPU)
        return run, dataset, model

    return built
