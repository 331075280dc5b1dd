import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.config.code.authority import (
    COMPONENTS,
    check_name,
    components_at,
    describe_allowing,
)
from tests.conftest import CONF

ALLOWED = ["experiments", "keras.optimizers", "keras.callbacks", "mine"]
OF_THE_PROJECT = [key for key in COMPONENTS if not key.startswith("hydra.")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("experiments.models.resnet.builder.build_resnet", "model"),
        ("experiments.training.callbacks.timing.Timing", "callbacks.any_name"),
        ("experiments.tasks.sync.sync", "task"),
        ("experiments.tasks.one_without_a_dataclass.one_without_a_dataclass", "task"),
        ("keras.optimizers.Adam", "optimizer"),
        ("keras.optimizers.Nadam", "optimizer"),
        ("keras.callbacks.CSVLogger", "callbacks.log"),
        ("keras.optimizers.schedules.CosineDecay", "schedule"),
        ("mine.nets.build", "model"),
        ("mine.Net", "model"),
        ("experiments.models.resnet.builder.build_resnet", "model.parts[0].inside"),
    ],
)
def test_component_of_the_project_and_of_an_allowed_package_may_be_named(
    name: str, key: str
) -> None:
    assert check_name(name, ALLOWED, key=key) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("experiments", "model"),
        ("experiments.launch.command_line.os.system", "callbacks.x"),
        ("experiments.files.replace_json", "model"),
        ("experiments.jobs.folder.claim_folder", "callbacks.x"),
        ("experiments.config.code.targets.resolve", "model"),
        ("experiments.tasks.sync.sync", "model"),
        ("experiments.tasks.new.new", "model"),
        ("experiments.tasks.new.new", "model.parts[0]"),
        ("experiments.tasks.sync.Path", "task"),
        ("experiments.tasks.sync", "task"),
        ("experiments.tasks.tasks", "task"),
        ("experiments.tasks.sync.sync.sync", "task"),
        ("experiments.files.files", "task"),
        ("experiments.models.resnet.builder.build_resnet", "callbacks.x"),
        ("experiments.training.callbacks.timing.Timing.__init__", "callbacks.x"),
        ("experiments.files.remove", "model.parts[0].inside"),
    ],
)
def test_nothing_else_of_the_project_may_be_named(name: str, key: str) -> None:
    problem = check_name(name, ALLOWED, key=key)
    assert problem is not None
    assert problem.key == f"{key}._target_"
    assert problem.message.startswith("must be one of the project's components: ")
    assert problem.message.endswith(f"Received: {name!r}.")


@pytest.mark.parametrize(
    "name",
    [
        "mine",
        "mine.",
        "mine..Net",
        "mine.__builtins__.eval",
        "mine.nets.__loader__.exec_module",
        "mine.nets.Net.__subclasses__",
        "mine.nets.__main__",
        "mine.nets/../evil.f",
        "mine.a b",
    ],
)
def test_path_holds_names_that_somebody_gave(name: str) -> None:
    problem = check_name(name, ALLOWED, key="model")
    assert problem is not None
    assert problem.message.startswith("must be the dotted path of a class or function")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("other.Net", "allowed_targets='[experiments,keras.optimizers,other]'."),
        (
            "keras.layers.Dense",
            "allowed_targets='[experiments,keras.optimizers,keras.layers]'.",
        ),
        ("os.system", "Python's own modules build no component"),
        ("subprocess.getoutput", "Python's own modules build no component"),
    ],
)
def test_hint_is_the_override_that_allows_the_package_unless_it_is_pythons(
    name: str, hint: str
) -> None:
    problem = check_name(name, ["experiments", "keras.optimizers"], key="model")
    assert problem is not None
    assert hint in problem.hint
    assert ("allowed_targets" in problem.hint) is (
        name.partition(".")[0] not in sys.stdlib_module_names
    )


@pytest.mark.parametrize(
    "name",
    [
        "keras.callbacks.CSVLogger",
        "keras.callbacks.ModelCheckpoint",
        "keras.callbacks.BackupAndRestore",
        "keras.callbacks.TensorBoard",
        "keras.callbacks.RemoteMonitor",
        "keras.src.callbacks.csv_logger.CSVLogger",
    ],
)
def test_record_may_not_bring_what_writes_where_it_says(name: str) -> None:
    allowed = ["keras"]
    assert check_name(name, allowed, key="callbacks.x") is None
    problem = check_name(name, allowed, key="callbacks.x", recorded=True)
    assert problem is not None
    assert problem.hint.endswith(describe_allowing(name, allowed))
    allowed.append(name)
    assert check_name(name, allowed, key="callbacks.x", recorded=True) is None


def test_record_may_bring_what_only_computes() -> None:
    for name in ("keras.callbacks.EarlyStopping", "keras.optimizers.Nadam"):
        assert check_name(name, ALLOWED, key="optimizer", recorded=True) is None


def list_targets(node: Any) -> list[str]:
    if not isinstance(node, dict):
        return []
    found = [node["_target_"]] if "_target_" in node else []
    return found + [target for child in node.values() for target in list_targets(child)]


@pytest.mark.parametrize("group", OF_THE_PROJECT)
def test_each_target_in_conf_is_a_component_of_its_group(group: str) -> None:
    files = [yaml.safe_load(path.read_text()) for path in (CONF / group).glob("*.yaml")]
    targets = {target for content in files for target in list_targets(content)}
    assert targets
    key = "callbacks.x" if group == "callbacks" else group
    for target in targets:
        assert check_name(target, ALLOWED[:3], key=key) is None


def test_launchers_that_are_installed_are_known() -> None:
    import hydra_plugins

    known = {*COMPONENTS["hydra.launcher"], *COMPONENTS["hydra.sweeper"]}
    for folder in hydra_plugins.__path__:
        for path in Path(folder).rglob("*.py"):
            module = ".".join(path.relative_to(folder).with_suffix("").parts)
            for line in path.read_text().splitlines():
                name = line.removeprefix("class ").partition("(")[0]
                is_plugin = name.endswith(("Launcher", "Sweeper"))
                if line.startswith("class ") and is_plugin and "Base" not in name:
                    assert f"hydra_plugins.{module}.{name}" in known


@pytest.mark.parametrize(
    ("key", "group"),
    [
        ("model", "model"),
        ("callbacks.x", "callbacks"),
        ("hydra.launcher", "hydra.launcher"),
        ("hydra.callbacks.x", "hydra.callbacks"),
    ],
)
def test_a_key_may_name_what_its_group_has(key: str, group: str) -> None:
    assert components_at(key) == COMPONENTS[group]
