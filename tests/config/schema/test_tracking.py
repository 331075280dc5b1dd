import pytest
import yaml

from experiments.config.code import extras
from experiments.config.reading.convert import convert
from experiments.config.schema.tracking import TrackingConfig
from experiments.errors import Problem
from tests.conftest import CONF

FOLDER = CONF / "tracking"


def read(option: str) -> dict[str, object]:
    values = yaml.safe_load((FOLDER / f"{option}.yaml").read_text())
    for parent in values.pop("defaults", []):
        if parent != "_self_":
            values = {**read(parent.partition("@")[0]), **values}
    return values


def problems_of(values: dict[str, object]) -> list[Problem]:
    problems: list[Problem] = []
    convert(values, TrackingConfig, key="tracking", problems=problems)
    return problems


@pytest.mark.parametrize("option", ["sqlite", "off"])
def test_option_is_complete(option):
    assert problems_of(read(option)) == []


def test_server_without_address_is_missing_its_uri():
    (problem,) = problems_of(read("server"))
    assert problem.key == "tracking.uri"
    assert "missing" in problem.message


def test_server_with_address_is_complete():
    assert problems_of({**read("server"), "uri": "http://127.0.0.1:5000"}) == []


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"uri": "file:///tmp/mlruns"}, "tracking.uri", "sqlite:///"),
        ({"uri": "sqlite:///relative.db"}, "tracking.uri", "absolute"),
        ({"uri": "http://me:secret@host"}, "tracking.uri", "password"),
        ({"uri": "https://h:99999"}, "tracking.uri", "1 to 65535"),
        ({"uri": "http://h/?token=secret"}, "tracking.uri", "query"),
        ({"uri": "mysql://h/db"}, "tracking.uri", "MLflow server in front"),
        ({"uri": "postgresql+psycopg2://h/db"}, "tracking.uri", "postgresql://db"),
        ({"uri": "postgresql://h"}, "tracking.uri", "must name a database"),
        ({"uri": "postgresql:///db"}, "tracking.uri", "must name a host"),
        ({"uri": "postgresql://me@h/db"}, "tracking.uri", "PGUSER"),
        ({"uri": "postgresql://me:secret@h/db"}, "tracking.uri", "~/.pgpass"),
        ({"uri": "postgresql://h/db?password=x"}, "tracking.uri", "PGPASSWORD"),
        ({"uri": "sqlite:///~/runs.db"}, "tracking.uri", "typed out: ~"),
        ({"uri": "sqlite:////~/runs.db"}, "tracking.uri", "typed out: ~"),
        ({"uri": "sqlite:////tmp/a?b.db"}, "tracking.uri", "`?`"),
        ({"uri": "sqlite:////tmp/"}, "tracking.uri", "absolute"),
        ({"uri": "sqlite:////tmp"}, "tracking.uri", "not a folder"),
        ({"uri": f"sqlite:////{'a' * 256}"}, "tracking.uri", "255 bytes"),
        ({"uri": "sqlite:////a\nb"}, "tracking.uri", "control"),
        ({"ui_url": "notaurl"}, "tracking.ui_url", "http://"),
        ({"ui_url": "http://h/#/a"}, "tracking.ui_url", "fragment"),
        ({"experiment": " "}, "tracking.experiment", "empty"),
        ({"server_timeout": 0}, "tracking.server_timeout", ">= 1"),
        ({"drain_seconds": -1}, "tracking.drain_seconds", ">= 0"),
    ],
)
def test_wrong_value_is_refused_with_its_key(changes, key, words):
    (problem,) = problems_of({**read("sqlite"), **changes})
    assert problem.key == key
    assert words in str(problem)


def test_database_of_postgresql_is_complete():
    assert problems_of({**read("server"), "uri": "postgresql://h:5432/db"}) == []


def test_database_of_postgresql_needs_its_extra(monkeypatch):
    monkeypatch.setattr(extras, "is_installed", lambda package: package != "psycopg")
    (problem,) = problems_of({**read("server"), "uri": "postgresql://h/db"})
    assert "psycopg is not installed" in problem.message
    assert "[postgres]" in problem.hint


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_password_is_not_repeated_in_the_problem(scheme):
    uri = f"{scheme}://me:secret@host/db"
    (problem,) = problems_of({**read("sqlite"), "uri": uri})
    assert "secret" not in str(problem)
