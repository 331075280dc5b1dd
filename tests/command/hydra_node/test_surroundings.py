"""What Hydra and `logging` would call, import or write by Hydra's own node."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.types import RunMode

from experiments.command.composing.loader import open_hydra
from experiments.command.hydra_node.surroundings import check_surroundings, load_objects
from experiments.errors import ConfigError
from tests.conftest import CONF

OWN = "experiments,keras.optimizers,keras.callbacks"


@pytest.fixture
def whole() -> Any:
    """Composes a config with Hydra's own node."""
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        yield lambda *words: hydra.compose_config("config", list(words), RunMode.RUN)


ATTACKS = [
    "+hydra.callbacks.a={_target_: os.system, command: touch CANARY}",
    "+hydra.callbacks.a={_target_: experiments.launch.processes.os.system, command: x}",
    "+hydra.callbacks.a={_target_: hydra.utils.get_object, path: antigravity}",
    "+hydra.callbacks.a={_target_: hydra.experimental.callback.os.system}",
    "+hydra.callbacks.a={_target_: subprocess.run, _args_: [[touch, CANARY]]}",
    "+hydra.callbacks.a={x: [{_target_: os.system, command: touch CANARY}]}",
    "+hydra.callbacks.a={_target_: os.system, _partial_: true}",
    "+hydra.callbacks.a._target_=7",
    "+hydra.callbacks.a._target_=[os.system]",
    "+hydra.callbacks.a._target_=${tags.x}",
    "hydra.callbacks=${tags}",
    "hydra.sweeper._target_=os.system",
    "hydra.sweeper._target_=hydra_plugins.others.sweeper.Sweeper",
    "+hydra.sweeper.x={_target_: os.system, command: touch CANARY}",
    "+hydra.sweeper.x={a: [{_target_: os.system, command: touch CANARY}]}",
    "hydra.launcher._target_=os.system",
    "+hydra.launcher.x={_target_: os.system, command: touch CANARY}",
    "hydra.job_logging.handlers.file.class=os.system",
    "hydra.job_logging.handlers.file.class=logging.handlers.SMTPHandler",
    "hydra.job_logging.handlers.file.class=logging.os.system",
    "hydra.job_logging.handlers.file.class=cfg://root",
    "+hydra.job_logging.formatters.x.class=os.system",
    "+hydra.hydra_logging.handlers.x.class=os.system",
    "hydra.job_logging.handlers.console.stream=ext://os.environ",
    "hydra.job_logging.formatters.plain.format=ext://antigravity.x",
    "+hydra.job_logging.filters=[ext://antigravity.x]",
    "hydra.job_logging.formatters.plain.format=${tags.x}",
    "hydra.job_logging=${tags}",
    "hydra.job_logging.handlers.file.filename=CANARY",
    "hydra.job_logging.handlers.file.filename=run.log",
    "hydra.job_logging.handlers.file.filename=${hydra.runtime.output_dir}/../../x.log",
    "hydra.job_logging.handlers.file.filename=${output_dir}/mlflow.db",
    "hydra.job_logging.handlers.file.filename=${oc.env:HOME}/x.log",
    "hydra.output_subdir=../../conf",
    "hydra.output_subdir=..",
    "hydra.output_subdir=CANARY",
]


@pytest.mark.parametrize("word", ATTACKS)
def test_what_nobody_allowed_is_told_before_anything_starts(
    check: Any, tmp_path: Path, word: str
) -> None:
    canary = tmp_path / "canary"
    evil = f"+tags.x={{_target_: os.system, command: touch {canary}}}"
    word = word.replace("CANARY", str(canary))
    with pytest.raises(ConfigError) as error:
        check(evil if "${tags" in word else "seed=0", word)
    key = word.lstrip("+").partition("=")[0]
    told = [problem.key for problem in error.value.problems]
    assert any(name.startswith(key.removesuffix("._target_")[:20]) for name in told)
    assert not canary.exists()


@pytest.mark.parametrize("field", ["()", "class"])
def test_factory_of_a_log_in_a_file_is_a_call_too(
    check: Any, tmp_path: Path, field: str
) -> None:
    folder = tmp_path / "hydra" / "job_logging"
    folder.mkdir(parents=True)
    handler = f"{{'{field}': os.system, command: touch {tmp_path}/canary}}"
    text = f"version: 1\nhandlers: {{a: {handler}}}\nroot: {{handlers: [a]}}\n"
    (folder / "theirs.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"handlers\.a may build"):
        check("hydra/job_logging=theirs", extra_config_dir=tmp_path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("group", ["job_logging", "hydra_logging"])
def test_each_log_that_hydra_and_the_project_bring_is_accepted(
    whole: Any, group: str
) -> None:
    import hydra.conf

    ours, theirs = CONF / "hydra", Path(hydra.conf.__file__).parent / "hydra"
    files = [p for root in (ours, theirs) for p in (root / group).glob("*.yaml")]
    assert files
    for path in files:
        config = whole(f"hydra/{group}={path.stem}")
        assert list(check_surroundings(config)) == []


@pytest.mark.parametrize(
    "words",
    [
        ["hydra/launcher=joblib"],
        ["hydra/launcher=basic"],
        ["hydra/sweeper=keras_tuner"],
        ["hydra/sweeper=basic"],
        ["hydra/launcher=null"],
        ["+hydra.callbacks.a._target_=hydra.experimental.callback.Callback"],
        ["hydra.output_subdir=.hydra2"],
        ["hydra.output_subdir=null"],
        ["hydra.job_logging.handlers.file.filename=${hydra.runtime.output_dir}/x.log"],
        [
            "hydra.job_logging.handlers.file.class=logging.handlers.RotatingFileHandler",
            "hydra.job_logging.handlers.file.filename=${output_dir}/${hydra.job.name}.log",
        ],
    ],
    ids=str,
)
def test_what_hydra_brings_is_accepted(whole: Any, words: list[str]) -> None:
    config = whole(*words)
    assert list(check_surroundings(config)) == []
    assert list(load_objects(config)) == []


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user's package with a callback for Hydra."""
    folder = tmp_path / "watching"
    folder.mkdir()
    (folder / "__init__.py").write_text("import os\nfrom os import system\n")
    text = "from hydra.experimental.callback import Callback\n"
    (folder / "end.py").write_text(f"{text}class Watch(Callback):\n    ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "watching"]:
        del sys.modules[name]


@pytest.mark.usefixtures("guest")
def test_callback_of_a_users_package_is_accepted(whole: Any) -> None:
    allow = f"allowed_targets=[{OWN},watching]"
    config = whole(allow, "+hydra.callbacks.a._target_=watching.end.Watch")
    assert list(check_surroundings(config)) == []
    assert list(load_objects(config)) == []


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize(
    "name",
    ["watching.os.system", "watching.system", "watching.end.Callback", "watching.end"],
)
def test_path_out_of_it_is_refused_before_hydra_follows_it(
    name: str, tmp_path: Path
) -> None:
    words = [
        f"allowed_targets=[{OWN},watching]",
        f"+hydra.callbacks.a={{_target_: {name}, command: touch {tmp_path}/canary}}",
    ]
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        with pytest.raises(ConfigError):
            hydra.run("config", lambda _: pytest.fail("ran"), words)
        with pytest.raises(ConfigError):
            hydra.multirun("config", lambda _: pytest.fail("ran"), words)
    assert not (tmp_path / "canary").exists()
