"""Flags of other programs, and those of this one in another form."""

from collections.abc import Iterator

import pytest
from hydra._internal.utils import create_config_search_path

from experiments.command.answers.mistyped_flags import explain_flags
from experiments.command.answers.suggestion import Known, look_around
from experiments.command.composing.loader import open_hydra
from experiments.command.hydra_node.flags import UnreadableFlagsError, make_parser
from tests.conftest import CONF


@pytest.fixture(scope="module")
def known() -> Iterator[Known]:
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        yield look_around(hydra.config_loader, "config")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--lr 0.1 seed=3", ["--lr is no flag. Did you mean `optimizer.lr=0.1`?"]),
        ("--lr seed=3", ["--lr is no flag. Did you mean `optimizer.lr=...`?"]),
        ("--lr -m", ["--lr is no flag. Did you mean `optimizer.lr=...`?"]),
        ("-m --epochs=3", ["--epochs is no flag. Did you mean `trainer.epochs=3`?"]),
        ("--fresh", ["--fresh is no flag. Did you mean `fresh=true`?"]),
        ("--printconfig", ["--printconfig is no flag. Did you mean `--cfg job`?"]),
        ("--config-dri x", ["--config-dri is no flag. Did you mean `--config-dir`?"]),
        ("-c job --a --b", ["--a is no flag.", "--b is no flag. Did you mean `train"]),
        ("--multirun=1", ["--multirun takes no value. Type --multirun by itself."]),
        ("--config-dir", ["--config-dir needs a value. Such as --config-dir my_conf"]),
        ("--cfg jobs", ["--cfg must be one of job, hydra, all. Received: 'jobs'."]),
        ("--con x", ["--con is the beginning of several flags. Type one of --config"]),
    ],
)
def test_flag_is_answered(known: Known, line: str, told: list[str]) -> None:
    parser = make_parser()
    with pytest.raises(UnreadableFlagsError):
        parser.parse_intermixed_args(line.split())
    found = [str(p) for p in explain_flags(line.split(), parser, known)]
    assert len(found) == len(told), found
    assert all(map(str.startswith, found, told)), found


@pytest.mark.parametrize(
    "line", ["-m seed=1", "-c job", "--cfg=job", "--info", "--info defaults", "-hm"]
)
def test_flags_that_there_are_have_nothing_wrong(known: Known, line: str) -> None:
    parser = make_parser()
    parser.parse_intermixed_args(line.split())
    assert not explain_flags(line.split(), parser, known)
