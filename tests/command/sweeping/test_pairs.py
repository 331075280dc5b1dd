"""Rows of `sweep.zip` and `sweep.list`, by the command line that holds them."""

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

from experiments.command.sweeping.pairs import (
    GRID_SWEEPER,
    HYDRAS_SWEEPER,
    list_jobs,
    list_rows,
)
from experiments.errors import ConfigError

ZIP = "sweep.zip={model:[resnet18,resnet50],trainer.batch_size:[64,32]}"
LIST = (
    "sweep.list=[{model:resnet18,trainer.batch_size:64},"
    "{trainer.batch_size:32,model:resnet50}]"
)


def sweep(**blocks: Any) -> Any:
    return SimpleNamespace(**{"zip": None, "list": None, **blocks})


def parse(*words: str) -> list[Any]:
    return OverridesParser.create().parse_overrides(list(words))


def values(job: Any) -> dict[str, Any]:
    return {o.key_or_group: o.value() for o in parse(*job)}


def test_each_pair_is_run_with_every_combination_of_the_grid(check: Any) -> None:
    plan = check(ZIP, "optimizer.lr=1e-3,1e-4", "seed=7", multirun=True)
    pairs = [("resnet18", 64), ("resnet50", 32)]
    assert [values(job) for job in plan.jobs] == [
        {"model": m, "trainer.batch_size": b, "optimizer.lr": lr, "seed": 7}
        for (m, b), lr in itertools.product(pairs, (1e-3, 1e-4))
    ]
    assert plan.swept_keys == ("model", "trainer.batch_size", "optimizer.lr")
    assert len(set(plan.job_folders)) == 4


def test_a_sweep_is_the_same_one_however_its_rows_are_written(
    check: Any, tmp_path: Path
) -> None:
    file = tmp_path / "experiment" / "rows.yaml"
    file.parent.mkdir()
    file.write_text(
        "# @package _global_\nsweep:\n  zip:\n    model: [resnet18, resnet50]\n"
        "    trainer.batch_size: [64, 32]\n"
    )
    grid = "optimizer.lr=1e-3,1e-4"
    typed = check(ZIP, grid, multirun=True)
    listed = check(grid, LIST, multirun=True)
    read = check("experiment=rows", grid, extra_config_dir=tmp_path, multirun=True)
    assert typed.folder == listed.folder == read.folder
    assert set(typed.job_folders) == set(listed.job_folders) == set(read.job_folders)


def test_a_job_of_a_row_is_that_of_a_grid_with_these_values(check: Any) -> None:
    (first, *_) = check(ZIP, multirun=True).job_folders
    grid = check("model=resnet18,resnet50", "trainer.batch_size=64,32", multirun=True)
    assert first in grid.job_folders


def test_both_blocks_give_each_row_of_one_with_each_of_the_other() -> None:
    rows = list_rows(
        sweep(zip={"seed": [1, 2]}, list=[{"name": "a b"}, {"gpu": "cpu"}])
    )
    assert rows == [
        ("seed=1", "name='a b'"),
        ("seed=1", "gpu=cpu"),
        ("seed=2", "name='a b'"),
        ("seed=2", "gpu=cpu"),
    ]


def test_values_of_every_kind_reach_the_job_as_they_stand_in_the_row() -> None:
    row = {"a": None, "b": True, "c": [[30, 60], "x,y"], "d": {"e": 1e-3}, "f": "1e3"}
    (written,) = list_rows(sweep(list=[row]))
    assert values(written) == row


def test_without_rows_the_jobs_are_those_of_hydras_own_sweeper() -> None:
    given = parse("seed=range(0,3)", "a=x", "b=choice(1,2)", "a=y")
    (jobs,) = BasicSweeper.split_arguments(given, max_batch_size=None)
    assert list_jobs(given, []) == jobs


@pytest.mark.parametrize(("size", "sizes"), [(None, [4]), (3, [3, 1])])
def test_the_sweeper_starts_the_jobs_that_were_planned(
    check: Any, size: int | None, sizes: list[int]
) -> None:
    """Hydra asks it with the overrides as typed."""
    words = (ZIP, "optimizer.lr=1e-3,1e-4")
    plan = check(*words, multirun=True)
    # The class as Hydra knows it: looking for plugins makes a new one.
    sweeper: Any = Plugins.instance().class_name_to_class[GRID_SWEEPER](size)
    rows = parse(ZIP)[0].value()
    sweeper.config = OmegaConf.create({"sweep": {**plan.config.sweep, "zip": rows}})
    batches = sweeper.split_arguments(parse(*words), size)
    assert [len(batch) for batch in batches] == sizes
    assert [tuple(job) for batch in batches for job in batch] == list(plan.jobs)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["sweep.zip={model:[resnet18,resnet50],seed:[1,2,3]}"],
            "sweep.zip must have lists of one length: model has 2 values, seed has 3.",
        ),
        (
            ["sweep.zip={seed:3}"],
            "sweep.zip.seed must be a list of items. Received: 3.",
        ),
        (["sweep.zip={}", "seed=1,2"], "sweep.zip must name keys with a list each."),
        (["sweep.list=[]"], "sweep.list must be a list of mappings of keys to values."),
        (["sweep.list=[seed]"], "sweep.list[0] must be a mapping."),
        ([ZIP, "model=resnet34"], "sweep.zip sets model, and so does model=resnet34."),
        (
            ["sweep.zip={seed:[1,2]}", "sweep.list=[{seed:3}]"],
            "sweep.list sets seed, and so does sweep.zip.",
        ),
        (
            ["sweep.list=[{hydra.verbose:true}]"],
            "sweep.list sets hydra.verbose, which all jobs of a sweep share.",
        ),
        (
            ["sweep.zip={sweep.max_jobs:[1,2]}"],
            "sweep.zip sets sweep.max_jobs, which all jobs of a sweep share.",
        ),
        (["sweep.zip={a:[1]},{a:[2]}"], "sweep.zip is not swept itself: it holds the"),
        (
            ["sweep.zip={modl:[a,b]}"],
            "modl is not a key of this configuration. Did you mean `model=...`?",
        ),
        (["sweep.zip={seed:[1,-2]}"], "(job 2: seed=-2)"),
        (["sweep.zip={se%ed:[1]}"], "se%ed=1 has a key that cannot be read."),
        (["sweep.list=[{seed:1},{seed:1}]"], "is the same job as another one"),
        (
            ["sweep.zip={seed:[1,2,3]}", "optimizer.lr=1,2", "sweep.max_jobs=5"],
            "sweep.zip optimizer.lr=1,2 makes 6 jobs (3 x 2), and sweep.max_jobs is 5.",
        ),
        (
            [ZIP, "hydra/sweeper=keras_tuner", "seed=1,2"],
            "sweep.zip cannot be searched: an oracle chooses each value by itself.",
        ),
    ],
)
def test_rows_that_make_no_jobs_are_told(
    check: Any, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words, multirun=True)
    assert message in str(error.value)


def test_an_experiment_may_choose_a_sweeper_of_its_own(check: Any) -> None:
    """What stands in for Hydra's sweeper is chosen by nobody."""
    assert check("experiment=search_resnet50", multirun=True).search is not None


def test_whoever_names_hydras_sweeper_may_pair_values_too(
    check: Any, tmp_path: Path
) -> None:
    file = tmp_path / "hydra" / "sweeper" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"_target_: {HYDRAS_SWEEPER}\nmax_batch_size: null\n")
    words = ("hydra/sweeper=mine", "sweep.zip={seed:[1,2]}")
    plan = check(*words, extra_config_dir=tmp_path, multirun=True)
    assert plan.jobs == (("seed=1",), ("seed=2",))


def test_rows_are_typed_for_a_sweep_only(check: Any) -> None:
    (problem,) = check(ZIP).unused
    assert (problem.key, problem.hint) == ("sweep.zip", "Add -m.")


def test_rows_do_not_count_for_what_a_job_is(check: Any, tmp_path: Path) -> None:
    """A preset with rows trains the same job as one without when -m is left out."""
    file = tmp_path / "experiment" / "rows.yaml"
    file.parent.mkdir()
    file.write_text("# @package _global_\nsweep: {list: [{seed: 1}, {seed: 2}]}\n")
    plan = check("experiment=rows", extra_config_dir=tmp_path)
    assert plan.folder == check().folder
