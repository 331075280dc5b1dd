import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from experiments.config.code.authority import COMPONENTS
from experiments.config.code.targets import check_targets, instantiate, resolve
from experiments.config.reading.fields import OpenTarget
from experiments.errors import ConfigError

ALLOWED = ["experiments", "keras.optimizers", "keras.callbacks", "guest"]
# A package of a user's own: it imports what could do harm, as any package does.
GUEST = """
import functools
import os
import pathlib
import shutil
import subprocess
from keras.callbacks import CSVLogger
from keras.saving import load_model
from os import system
from pathlib import Path
from shutil import rmtree
from subprocess import getoutput, run
import experiments.files
from experiments.files import replace_json
from experiments.models.resnet.builder import build_resnet

class Net:
    def __init__(self, width=1):
        self.width = width

    @classmethod
    def wide(cls):
        return cls(9)

    class Inner:
        pass

def build(width=1):
    return Net(width)

@functools.lru_cache
def remember(width=1):
    return Net(width)

def traced(function):
    @functools.wraps(function)
    def run_traced(*given, **named):
        return function(*given, **named)
    return run_traced

@traced
def build_traced(width=1):
    return Net(width)

traced_run = traced(getoutput)
remembered_run = functools.lru_cache(getoutput)
touch = functools.partial(getoutput, "touch CANARY")
small = Net()
measure = small.__init__
write = Path("CANARY").write_text
"""


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that nobody may make."""
    return tmp_path / "canary"


@pytest.fixture
def guest(
    tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Makes a user's package importable."""
    folder = tmp_path / "guest"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text("from os import system\n")
    (folder / "nets.py").write_text(GUEST.replace("CANARY", str(canary)))
    (folder / "deep" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "guest"]:
        del sys.modules[name]


def target(path: str, **extra: Any) -> OpenTarget:
    return OpenTarget(_target_=path, extra=extra)


@pytest.mark.parametrize(
    "path",
    ["experiments.models.resnet.builder.build_resnet", "guest.Net", "???"],
)
def test_target_below_an_allowed_name_is_accepted(path: str) -> None:
    assert list(check_targets({"model": {"_target_": path}}, ALLOWED)) == []


@pytest.mark.parametrize(
    "path",
    ["os.system", "experiments_of_others.run", "keras.optimizersx.Adam", "keras", ""],
)
def test_target_that_only_resembles_an_allowed_name_is_refused(path: str) -> None:
    allowed = ["experiments", "keras.optimizers"]
    (problem,) = check_targets({"model": {"_target_": path}}, allowed)
    assert problem.key == "model._target_"
    assert problem.message == (
        f"must begin with one of experiments, keras.optimizers. Received: {path!r}."
    )


def test_every_target_at_any_depth_is_checked() -> None:
    config = {
        "seed": 1,
        "model": {"_target_": "os.a", "head": {"_target_": "os.b"}},
        "callbacks": {
            "stop": {"_target_": "os.c"},
            "keep": {"_target_": "experiments.training.callbacks.timing.Timing"},
        },
        "dataset": {
            "parts": [1, {"_target_": "os.d"}, [{"_args_": {"_target_": "e"}}]]
        },
    }
    keys = [problem.key for problem in check_targets(config, ALLOWED)]
    assert keys == [
        "model._target_",
        "model.head._target_",
        "callbacks.stop._target_",
        "dataset.parts[1]._target_",
        "dataset.parts[2][0]._args_._target_",
    ]


def test_target_is_imported_by_its_path() -> None:
    found = resolve("fractions.Fraction", key="model", allowed=["fractions"])
    assert found is Fraction


@pytest.mark.parametrize(
    ("group", "path"),
    [
        (group, path)
        for group in COMPONENTS
        if not group.startswith("hydra.")
        for path in sorted(COMPONENTS[group])
    ],
)
def test_each_component_is_what_python_knows_by_its_name(group: str, path: str) -> None:
    key = "callbacks.x" if group == "callbacks" else group
    found = resolve(path, key=key, allowed=ALLOWED)
    assert path.startswith("keras.") or path == f"{found.__module__}.{found.__name__}"


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize(
    "path",
    [
        "guest.nets.Net",
        "guest.nets.build",
        "guest.nets.remember",
        "guest.nets.build_traced",
        "guest.nets.build_resnet",
    ],
)
def test_what_a_users_package_defines_may_be_built(path: str) -> None:
    assert callable(resolve(path, key="model", allowed=ALLOWED))


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("optimizer", "keras.optimizers.Nadam"),
        ("optimizer", "keras.optimizers.LossScaleOptimizer"),
        ("callbacks.x", "keras.callbacks.CSVLogger"),
        ("callbacks.x", "keras.callbacks.LambdaCallback"),
    ],
)
def test_class_that_keras_exports_may_be_built(key: str, path: str) -> None:
    assert isinstance(resolve(path, key=key, allowed=ALLOWED), type)


ATTACKS = [
    "experiments.launch.command_line.os.system",
    "experiments.files.Path.unlink",
    "experiments.launch.command_line.gc.collect",
    "experiments.tracking.spool.process.os.kill",
    "experiments.counts.__loader__.exec_module",
    "experiments.config.code.targets.import_module",
    "experiments.command.composing.loader.pickle.loads",
    "experiments.models.resnet.builder.build_resnet.__globals__",
    "keras.optimizers.deserialize",
    "keras.optimizers.get",
    "keras.optimizers.legacy.sys.exit",
    "keras.optimizers.Adam.from_config",
    "keras.callbacks.Callback.__class__",
    "keras.optimizers.schedules.CosineDecay",
    "guest.system",
    "guest.deep",
    "guest.nets.system",
    "guest.nets.os.system",
    "guest.nets.run",
    "guest.nets.getoutput",
    "guest.nets.subprocess.run",
    "guest.nets.functools.partial",
    "guest.nets.Path",
    "guest.nets.Path.unlink",
    "guest.nets.pathlib.Path.unlink",
    "guest.nets.rmtree",
    "guest.nets.shutil.rmtree",
    "guest.nets.load_model",
    "guest.nets.replace_json",
    "guest.nets.experiments.files.replace_json",
    "guest.nets.Net.wide",
    "guest.nets.Net.mro",
    "guest.nets.Net.Inner",
    "guest.nets.small",
    "guest.nets.measure",
    "guest.nets.write",
    "guest.nets.touch",
    "guest.nets.traced_run",
    "guest.nets.remembered_run",
    "guest.nets.__builtins__.eval",
    "guest.nets.build.__globals__.get",
    "guest.nets.__spec__.loader.exec_module",
]


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize("key", ["callbacks.x", "optimizer"])
@pytest.mark.parametrize("path", ATTACKS)
def test_path_out_of_an_allowed_package_reaches_nothing(
    path: str, key: str, canary: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        instantiate(target(path), key=key, allowed=ALLOWED)
    (problem,) = error.value.problems
    assert problem.key == f"{key}._target_"
    assert repr(path) in problem.message
    assert not canary.exists()


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize(
    ("path", "defined"),
    [
        ("guest.nets.load_model", "keras.src.saving.saving_api.load_model"),
        ("guest.nets.CSVLogger", "keras.src.callbacks.csv_logger.CSVLogger"),
    ],
)
def test_object_of_another_package_is_named_with_the_override_that_allows_it(
    path: str, defined: str
) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(path, key="model", allowed=["guest"])
    (problem,) = error.value.problems
    assert problem.message == (
        f"must name what an allowed package defines. Received: {path!r}, which is "
        f"{defined}."
    )
    assert problem.hint.endswith(f"allowed_targets='[guest,{defined}]'")
    assert resolve(path, key="model", allowed=["guest", defined]) is not None


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize("key", ["callbacks.x", "optimizer"])
def test_class_of_another_kind_is_no_component(key: str) -> None:
    with pytest.raises(ConfigError, match=r"must name a subclass of keras\."):
        resolve("guest.nets.Net", key=key, allowed=ALLOWED)


def test_module_that_is_not_allowed_is_not_even_imported(tmp_path: Path) -> None:
    """Importing a module runs it."""
    (tmp_path / "trap.py").write_text("open('sprung', 'w').close()\ndef f(): ...\n")
    code = (
        "from experiments.config.code.targets import resolve\n"
        "from experiments.errors import ConfigError\n"
        "for path in ('trap.f', 'experiments.trap.f', 'guest.f'):\n"
        "    try:\n"
        "        resolve(path, key='model', allowed=['experiments', 'guest'])\n"
        "    except ConfigError:\n"
        "        print(path)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["trap.f", "experiments.trap.f", "guest.f"]
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("no_such_package.Net", "No module named 'no_such_package'"),
        ("fractions.Fracture", "module 'fractions' has no attribute 'Fracture'"),
    ],
)
def test_target_that_does_not_exist_is_told_with_its_cause(
    path: str, cause: str
) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(path, key="callbacks.stop", allowed=["no_such_package", "fractions"])
    (problem,) = error.value.problems
    assert problem.key == "callbacks.stop._target_"
    assert repr(path) in problem.message
    assert cause in problem.hint


def build(config: OpenTarget, **run_time: Any) -> Any:
    allowed = ["fractions", "builtins"]
    return instantiate(config, key="model", allowed=allowed, **run_time)


def test_object_is_built_from_its_keys_and_run_time_facts_win() -> None:
    config = target("fractions.Fraction", numerator=1, denominator=3)
    assert build(config) == Fraction(1, 3)
    assert build(config, denominator=5) == Fraction(1, 5)


def test_key_that_the_target_does_not_take_is_told_before_it_is_built() -> None:
    with pytest.raises(ConfigError) as error:
        build(target("fractions.Fraction", numerater=1))
    (problem,) = error.value.problems
    assert problem.key == "model"
    assert problem.message.startswith("does not fit fractions.Fraction: ")
    assert "numerater" in problem.message


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"numerator": 1, "denominator": 0}, ZeroDivisionError),
        ({"numerator": "1", "denominator": 2}, TypeError),
    ],
)
def test_error_inside_the_target_keeps_its_type(
    values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        build(target("fractions.Fraction", **values))


def test_key_that_only_a_keras_class_can_judge_is_told_as_a_key(compose: Any) -> None:
    """Keras' optimizers take any keyword, and refuse it later."""
    config = compose("optimizer._target_=keras.optimizers.Lamb").optimizer
    with pytest.raises(ConfigError, match=r"optimizer does not fit .*amsgrad") as error:
        instantiate(config, key="optimizer", allowed=["keras.optimizers"])
    assert "file of its own" in error.value.problems[0].hint


def test_target_without_a_signature_is_built() -> None:
    assert build(target("builtins.dict", a=1)) == {"a": 1}
