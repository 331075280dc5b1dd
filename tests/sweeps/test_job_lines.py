import io

from rich.console import Console

from experiments.config.kinds.objective import Objective
from experiments.jobs.job import JobResult
from experiments.sweeps.job_lines import JobLines


def test_each_job_has_a_line_when_it_begins_and_when_it_ends() -> None:
    screen = io.StringIO()
    objective = Objective("val_accuracy", "max")
    lines = JobLines(objective, 2, 2, console=Console(file=screen, width=40))
    lines.began(0, "seed=0 model=a_long_name")
    lines.began(1, "seed=1")
    scores = {"best_val_accuracy": 0.97561}
    lines.ended(0, JobResult(name="a", status="FINISHED", metrics=scores))
    lines.ended(
        1, JobResult(name="b", status="FAILED", failure="oom", reason="no memory")
    )
    old = JobResult(name="a", status="FINISHED", metrics=scores)
    lines.began(0, "seed=0", old)
    lines.ended(0, JobResult(name="a", status="FINISHED", metrics=scores))
    first, *others = screen.getvalue().splitlines()
    assert first == (
        "2 jobs, 2 at a time, each in a process of its own: screen.log in its folder "
        "holds what it prints."
    )
    assert others == [
        "job 1 of 2 runs: seed=0 model=a_long_name",
        "job 2 of 2 runs: seed=1",
        "job 1 of 2 finished in 0.0 s: seed=0 model=a_long_name: val_accuracy 0.9756",
        "job 2 of 2 failed (oom) in 0.0 s: seed=1: no memory",
        "job 1 of 2 finished before, not run again: seed=0: val_accuracy 0.9756",
    ]
