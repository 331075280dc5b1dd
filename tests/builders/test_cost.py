from typing import Any

import pytest

from experiments.builders import cost as cost_module
from experiments.builders.cost import measure_cost
from experiments.runtime.devices import Devices

CPU = Devices(())


def test_batch_beyond_the_memory_is_a_warning_with_figures(
    built: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run, _, model = built()
    measure_cost(run, model, CPU)
    assert not caplog.records
    monkeypatch.setattr(cost_module, "free_memory", lambda _: 1000)
    measure_cost(run, model, CPU)
    assert "trainer.batch_size=16 needs about" in caplog.text


def test_micro_batches_count_as_less_memory(check: Any, built: Any) -> None:
    costs = []
    for parts in (1, 4):
        run, _, model = built(
            "trainer.batch_size=8", f"trainer.accumulate_steps={parts}"
        )
        costs.append(measure_cost(run, model, CPU))
    whole, quarter = costs
    saved = 6 * whole.activation_bytes_per_image  # two of eight images are there,
    added = 4 * whole.trainable_parameters  # and the sum of the gradients
    assert quarter.training_bytes == whole.training_bytes - saved + added
