"""What is checked, and what is run, is what Hydra composes.

Definition: `hydra.main` of hydra-core, in this process or as a plain application of its
own, shows a config with `--cfg job` and runs the jobs of a sweep with `-m`. The command
line of this project must check and run the same, or refuse it in a sentence. The one
thing that Hydra does not read is `group=null`; in a defaults list it means that no file
of the group is taken, as `~group` does.
"""

import inspect
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import hydra
import pytest
import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import get_args_parser
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from experiments.command.composing.checked_job import check_job
from experiments.command.composing.composer import without_hydra
from experiments.command.composing.loader import open_hydra
from experiments.command.hydra_node.flags import check_flags, find_configs
from experiments.command.plan import check
from experiments.config.validation import find_problems
from experiments.errors import ConfigError
from experiments.jobs import running
from tests.conftest import CONF

assert running  # knows `${job_folder:}`, as in `run.py`
pytestmark = pytest.mark.usefixtures("own_log")
PLAIN = f"""\
import hydra

@hydra.main(version_base="1.3", config_path={str(CONF)!r}, config_name="config")
def run(config):
    pass

run()
"""
GENERATED = settings(
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
GROUPS = {
    "model": ["resnet18", "resnet50_notebook", "mine", "found", "[resnet18]", "nope"],
    "optimizer": ["sgd", "adam", "[adam,sgd]", "3", "''"],
    "schedule": ["constant", "cosine", "step"],
    "augment": ["flip_crop", "none"],
    "callbacks": ["[default,tensorboard]", "default", "timing"],
    "debug": ["one_step", "overfit", "[]"],
    "experiment": ["notebook", "mine", "[mine,notebook]"],
    "tracking": ["off"],
}
VALUES = {
    "optimizer.lr": ["1e-3", "0.1", "fast", "null", "${seed}", "[1,2]"],
    "optimizer.momentum": ["0.9"],
    "seed": ["3", "'3'", "${trainer.epochs}", "-1", "int(4)"],
    "trainer.epochs": ["4", "40"],
    "trainer": ["{epochs: 2}", "{epoch: 2}"],
    "schedule.warmup_epochs": ["0", "1"],
    "model.blocks": ["[1,1]", "[1, 2,3]"],
    "model.dept": ["3"],
    "name": ["'a,b'", '"x=y"', "''", "null", "été", "'it\\'s'", "a b", "a:b", "%#~"],
    "tags": ["{a: 1}", "{}", "null"],
    "tags.note": ["first", "'1'", "'[x]'", "1.5"],
    "callbacks.early_stopping": ["null", "{patience: 3}"],
    "callbacks.early_stopping.patience": ["7"],
    "output_dir": ["'a folder'", "${name}", ""],
    "model@net": ["resnet18"],
    "hydra.job.name": ["x"],
    "hydra.verbose": ["false"],
    "hydra.searchpath": ["[file://FOUND]"],
}


def spell(key: str, prefix: str, value: str) -> str:
    return f"~{key}" if prefix == "~" else f"{prefix}{key}={value}"


CHOICES = st.one_of(
    [
        st.builds(spell, st.just(k), st.just(""), st.sampled_from(v))
        for k, v in GROUPS.items()
    ]
)
ANY_CHOICE = st.builds(
    spell,
    st.sampled_from(list(GROUPS)),
    st.sampled_from(["", "", "+", "++", "~"]),
    st.sampled_from(["null", "resnet18", "sgd", "default"]),
)
SETTINGS = st.one_of(
    [
        st.builds(
            spell,
            st.just(key),
            st.sampled_from(["", "", "", "+", "++", "~"]),
            st.sampled_from(values),
        )
        for key, values in VALUES.items()
    ]
)
GOOD = st.sampled_from(
    [
        "model=[resnet18]",
        "model=resnet50_notebook",
        "optimizer=sgd",
        "~optimizer.weight_decay",
        "++optimizer.lr=0.1",
        "callbacks=[default,tensorboard]",
        "callbacks.early_stopping=null",
        "~callbacks.timing",
        "debug=null",
        "debug=one_step",
        "experiment=notebook",
        "seed=${trainer.epochs}",
        "trainer={epochs: 20}",
        "name='a,b'",
        "name=été",
        "+tags.note=' it is \"so\"'",
        "+tags={a: 1, b: [x]}",
        "output_dir=a folder",
    ]
)
WORDS = st.lists(GOOD, max_size=4) | st.lists(
    CHOICES | SETTINGS | ANY_CHOICE | GOOD, max_size=3
)
FLAGS = st.sampled_from(
    [
        (),
        (),
        ("--config-dir", "EXTRA"),
        ("--config-path", "OTHER"),
        ("--config-name", "second"),
        ("--config-path", "OTHER", "--config-dir", "EXTRA", "--config-name", "second"),
    ]
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Config folders: one beside the project's, one for it, one for the search path."""
    root = tmp_path_factory.mktemp("configs")
    other = root / "other"
    shutil.copytree(CONF, other)
    text = (CONF / "config.yaml").read_text()
    (other / "config.yaml").write_text(text.replace("seed: 0", "seed: 11"))
    (other / "second.yaml").write_text("defaults: [config, _self_]\nseed: 12\n")
    files = {
        "extra/model/mine.yaml": "defaults: [resnet, _self_]\nwidth: 8\n",
        # Hydra takes the project's own file of this name.
        "extra/optimizer/adam.yaml": "lr: 77\n",
        "extra/experiment/mine.yaml": (
            "# @package _global_\n"
            "defaults: [{override /model: mine}]\n"
            "trainer: {epochs: 6}\n"
        ),
        "extra/second.yaml": "defaults: [config, _self_]\nseed: 13\n",
        "found/model/found.yaml": "defaults: [resnet18, _self_]\nwidth: 24\n",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return {name.upper(): str(root / name) for name in ("other", "extra", "found")}


@pytest.fixture(autouse=True)
def _compose_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away what other tests let Hydra remember."""
    plain = inspect.unwrap(ConfigLoaderImpl.load_configuration)
    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", plain)


def place(words: Any, folders: dict[str, str]) -> list[str]:
    placed = list(words)
    for name, path in folders.items():
        placed = [word.replace(name, path) for word in placed]
    return placed


def without_nulls(words: list[str]) -> list[str]:
    """Says that no file is taken as Hydra does."""
    last = {word.partition("=")[0]: word for word in words}
    nulls = {key for key in GROUPS if last.get(key) == f"{key}=null"}
    spoken = [
        word
        for word in words
        if word not in {f"{key}=null" for key in GROUPS}
        and word.partition("=")[0] not in nulls
    ]
    return [*spoken, *(f"~{key}" for key in sorted(nulls))]


def ask_hydra(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], words: list[str]
) -> Any:
    """Returns what a plain Hydra application shows; `None` when it refuses."""

    def run(_: DictConfig) -> None:
        pytest.fail("nothing may run")

    application = hydra.main(
        version_base="1.3", config_path=str(CONF), config_name="config"
    )(run)
    argv = ["app.py", *flags, "--cfg", "job", *without_nulls(words)]
    monkeypatch.setattr(sys, "argv", argv)
    shown = StringIO()
    try:
        with redirect_stdout(shown), redirect_stderr(StringIO()):
            application()
    except SystemExit:
        return None
    return yaml.load(shown.getvalue(), yaml.CSafeLoader)


def task(_: DictConfig) -> None:
    """What a command would run."""


def is_good(config: Any) -> bool:
    return not find_problems(OmegaConf.create(config))


def as_data(config: DictConfig) -> Any:
    return OmegaConf.to_container(config)


def check_and_compose(flags: list[str], words: list[str]) -> tuple[Any, Any]:
    """Returns what this project checks, and what Hydra then gets to run.

    Raises:
        ConfigError: It refuses.
    """
    args = get_args_parser().parse_args([*flags, *words])
    args.config_name = args.config_name or "config"
    check_flags(args)
    with open_hydra(find_configs(task, str(CONF), args)) as own:
        plan = check(args.overrides, own.config_loader, config_name=args.config_name)
        ran: list[DictConfig] = []
        monkeypatch = pytest.MonkeyPatch()
        with monkeypatch.context() as patch:
            patch.setattr(
                "hydra._internal.hydra.run_job", lambda **given: take(ran, given)
            )
            own.run(args.config_name, task, [*plan.settings, *plan.overrides])
    return as_data(plan.config), as_data(without_hydra(ran[0]))


def take(ran: list[DictConfig], given: dict[str, Any]) -> Any:
    """Stands for Hydra's last step, which calls the job."""
    from hydra.core.utils import JobReturn, JobStatus

    ran.append(given["config"])
    return JobReturn(status=JobStatus.COMPLETED)


@GENERATED
@example(flags=(), words=["debug=null"])
@example(flags=(), words=["model=[resnet18]"])
@example(flags=(), words=["tags={a: 1}"])
@example(flags=(), words=["+tags={a: 1}"])
@example(flags=("--config-path", "OTHER"), words=[])
@example(flags=("--config-dir", "EXTRA"), words=["model=mine", "optimizer=adam"])
@example(flags=(), words=["hydra.searchpath=[file://FOUND]", "model=found"])
@example(flags=(), words=["debug=one_step", "debug=null"])
@example(flags=(), words=["debug=null", "debug=one_step"])
@example(flags=(), words=["optimizer=sgd", "~optimizer.momentum"])
@given(flags=FLAGS, words=WORDS)
def test_what_is_checked_and_run_is_what_hydra_shows(
    monkeypatch: pytest.MonkeyPatch,
    folders: dict[str, str],
    flags: Any,
    words: list[str],
) -> None:
    flags, words = place(flags, folders), place(words, folders)
    expected = ask_hydra(monkeypatch, flags, words)
    refusal = None
    try:
        checked, ran = check_and_compose(flags, words)
    except ConfigError as error:
        refusal = error
    if refusal is None:
        assert checked == ran == expected
        assert is_good(expected)
    elif not any(p.key.startswith("hydra") for p in refusal.problems):
        assert expected is None or not is_good(expected), refusal


SWEPT = st.sampled_from(
    [
        "model=resnet18,resnet50",
        "seed=1,2,3",
        "optimizer=sgd,adam",
        "debug=one_step,null",
        "+tags.note='a,b',c",
        "name='x',null",
        "optimizer.lr=choice(1e-2,0.1)",
        "trainer.epochs=range(3,5)",
        "augment=glob(*crop)",
        "tags={a: 1},{b: 2}",
        "model.blocks=[1,1],[2,2]",
    ]
)


@settings(GENERATED, max_examples=4)
@example(swept=["optimizer=sgd,rmsprop"], words=["optimizer.momentum=0.5"])
@given(
    swept=st.lists(SWEPT, min_size=1, max_size=2, unique_by=lambda w: w.split("=")[0]),
    words=st.lists(
        st.sampled_from(
            ["seed=7", "model.width=8", "'name=z'", "debug=null", "~tags", "gpu=cpu"]
        ),
        max_size=2,
        unique=True,
    ),
)
def test_jobs_of_a_sweep_are_checked_and_run_as_hydra_runs_them(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    swept: list[str],
    words: list[str],
) -> None:
    words = [word.strip("'") for word in words if word.split("=")[0] not in str(swept)]
    expected = sweep_with_hydra(monkeypatch, tmp_path, [*words, *swept])
    refusal = None
    try:
        checked, ran = check_and_sweep(tmp_path, [*words, *swept])
    except ConfigError as error:
        refusal = error
    if refusal is None:
        assert checked == ran
        # Hydra cannot use a value that only the swept choices of a group have.
        assert expected in (None, checked)
    elif "same job" not in str(refusal):
        assert expected is None or not all(map(is_good, expected)), refusal


def sweep_with_hydra(
    monkeypatch: pytest.MonkeyPatch, folder: Path, words: list[str]
) -> list[Any] | None:
    """Returns the configs that jobs of a plain Hydra application get."""
    ran: list[Any] = []

    def run(config: DictConfig) -> None:
        ran.append(as_data(config))

    application = hydra.main(
        version_base="1.3", config_path=str(CONF), config_name="config"
    )(run)
    place = [f"hydra.sweep.dir='{folder}'", "hydra.sweep.subdir=${hydra:job.num}"]
    argv = ["app.py", "-m", *place, *nulls_as_deletions(words)]
    monkeypatch.setattr(sys, "argv", argv)
    try:
        with redirect_stderr(StringIO()):
            application()
    except SystemExit:
        return None
    return ran


def nulls_as_deletions(words: list[str]) -> list[str]:
    return [f"~{w.removesuffix('=null')}" if w == "debug=null" else w for w in words]


def check_and_sweep(folder: Path, words: list[str]) -> tuple[list[Any], list[Any]]:
    """Returns the configs that are checked, and those that jobs get."""
    args = get_args_parser().parse_args(["-m", *words])
    checked: list[Any] = []
    ran: list[Any] = []

    def look(job: Any, composer: Any) -> Any:
        found = check_job(job, composer)
        checked.append(as_data(found.config))
        return found

    def run(config: DictConfig) -> None:
        ran.append(as_data(config))

    with (
        open_hydra(find_configs(task, str(CONF), args)) as own,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("experiments.command.plan.check_job", look)
        plan = check(words, own.config_loader, config_name="config", multirun=True)
        own.config_loader.settings = {"hydra.sweep.dir": str(folder / "own")}
        own.multirun("config", run, [*plan.settings, *plan.overrides])
    return checked, ran


@pytest.mark.parametrize(
    "words",
    [
        [
            "model=resnet18",
            "optimizer.lr=1e-3",
            "+tags.note='a, b'",
            "~callbacks.timing",
        ],
        ["--config-path", "OTHER", "--resolve", "trainer.monitor_mode=max"],
        ["--config-dir", "EXTRA", "experiment=mine", "hydra.searchpath=[file://FOUND]"],
    ],
    ids=lambda words: words[0],
)
def test_command_prints_what_a_plain_hydra_application_prints(
    run_command: Any, tmp_path: Path, folders: dict[str, str], words: list[str]
) -> None:
    application = tmp_path / "app.py"
    application.write_text(PLAIN)
    words = ["--cfg", "job", *place(words, folders)]
    plain = [sys.executable, str(application), *words]
    expected = subprocess.check_output(plain, text=True, cwd=tmp_path)
    done = run_command(*words)
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_job_runs_by_the_primary_config_that_was_named(
    run_command: Any, tmp_path: Path, folders: dict[str, str]
) -> None:
    small = ["debug=one_step", "model=resnet", "model.depth=null", "model.width=8"]
    small += ["model.block=basic", "model.blocks=[1]", "tracking=off", "gpu=cpu"]
    flags = ["--config-path", folders["OTHER"], "hydra.job.chdir=true"]
    for words in ([], flags):
        done = run_command(*words, *small)
        assert done.returncode == 0, done.stderr
    seeds = {}
    for path in tmp_path.glob("outputs/runs/*/.hydra/config.yaml"):
        seeds[path.parents[1].name] = yaml.safe_load(path.read_text())["seed"]
    assert sorted(seeds.values()) == [0, 11]
    assert not list(tmp_path.glob("outputs/runs/*/outputs"))
