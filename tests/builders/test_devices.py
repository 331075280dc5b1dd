from typing import Any

from experiments.builders.devices import configure_framework
from experiments.runtime.devices import Devices
from tests.tiny import TINY


def test_a_job_frees_what_the_jobs_before_it_left(check: Any) -> None:
    from tensorflow.python.framework import ops

    left = "CustomGradient-of an earlier job"
    ops.gradient_registry.register(len, left)
    configure_framework(check(*TINY).run, Devices(()))
    assert left not in ops.gradient_registry.list()
