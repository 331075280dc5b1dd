import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from experiments.config.code.programs import name_program
from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.tracking.store.links import (
    charts_url,
    compare_url,
    experiment_url,
    find_pages,
    home_url,
    is_same_store,
    locate,
    run_url,
    ui_command,
    version_url,
)


def test_embedded_database_lies_in_the_output_folder_with_its_artifacts(tmp_path):
    location = locate(Destination(output_dir=tmp_path))
    assert location.uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert location.artifacts == tmp_path / "artifacts"


def test_relative_output_folder_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    location = locate(Destination(output_dir=Path("outputs")))
    assert location.database == tmp_path / "outputs" / "mlflow.db"


def test_server_decides_on_its_artifacts(tmp_path):
    location = locate(Destination(output_dir=tmp_path, uri="http://host:5000/"))
    assert location.uri == "http://host:5000"
    assert location.database is None
    assert location.artifacts is None


def test_postgresql_has_files_in_the_output_folder_and_pages_of_its_own(tmp_path):
    place = Destination(output_dir=tmp_path, uri="postgresql://host/db")
    location = locate(place)
    assert (location.uri, location.is_server) == ("postgresql://host/db", False)
    assert location.database is None
    assert location.artifacts == tmp_path / "artifacts"
    assert find_pages(place) == "http://127.0.0.1:5000"
    command = ui_command(place)
    assert "ui --backend-store-uri postgresql://host/db --host 127.0.0.1" in command


@pytest.mark.parametrize("sign", ["?", "#", "%"])
def test_output_folder_that_mlflow_misreads_is_refused(tmp_path, sign):
    with pytest.raises(TrackingError, match="output_dir must not contain"):
        locate(Destination(output_dir=tmp_path / f"a{sign}b"))


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (home_url("http://h:5000/"), "/#/experiments"),
        (experiment_url("http://h:5000/", "3"), "/#/experiments/3/runs"),
        (run_url("http://h:5000/", "3", "abc"), "/#/experiments/3/runs/abc"),
        (charts_url("http://h:5000/", "3", "abc"), "/#/experiments/3/runs"),
        (compare_url(["a"], "3", "http://h:5000"), "/#/compare-runs"),
        (version_url("http://h:5000/", "a b", "3"), "/#/models/a%20b/versions/3"),
    ],
)
def test_page_opens_in_the_mode_for_training(url, page):
    place, _, query = url.partition("?")
    assert place == f"http://h:5000{page}"
    assert parse_qs(query)["workflowType"] == ["machine_learning"]


def test_charts_open_in_the_view_that_was_kept():
    query = parse_qs(charts_url("http://h", "3", "abc").partition("?")[2])
    assert query["compareRunsMode"] == ["CHART"]
    assert query["viewStateShareKey"] == ["abc"]


@pytest.mark.parametrize(
    ("place", "pages"),
    [
        ({}, "http://127.0.0.1:5000"),
        ({"uri": "sqlite:////a/b.db"}, "http://127.0.0.1:5000"),
        ({"uri": "http://server:80/"}, "http://server:80"),
        ({"uri": "http://server", "ui_url": "https://pages"}, "https://pages"),
        ({"ui_url": "http://127.0.0.1:6001"}, "http://127.0.0.1:6001"),
    ],
)
def test_pages_are_those_of_the_server_or_of_make_ui(tmp_path, place, pages):
    assert find_pages(Destination(output_dir=tmp_path, **place)) == pages


def test_compare_page_names_runs_and_experiment_as_json():
    url = compare_url(["a", "b"], "3", "http://127.0.0.1:5000")
    page, _, query = url.partition("?")
    assert page == "http://127.0.0.1:5000/#/compare-runs"
    assert json.loads(parse_qs(query)["runs"][0]) == ["a", "b"]
    assert json.loads(parse_qs(query)["experiments"][0]) == ["3"]


def test_ui_command_listens_where_the_links_point(tmp_path):
    command = ui_command(
        Destination(output_dir=tmp_path / "my out", ui_url="http://127.0.0.1:6001")
    )
    mlflow = name_program("mlflow")
    assert command == (
        f"{mlflow} ui --backend-store-uri 'sqlite:///{tmp_path}/my out/mlflow.db' "
        "--host 127.0.0.1 --port 6001"
    )


def test_a_server_needs_no_command(tmp_path):
    assert ui_command(Destination(output_dir=tmp_path, uri="http://h")) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (None, "sqlite:///{out}/mlflow.db", True),
        (None, "sqlite:///{out}/../out/mlflow.db", True),
        (None, "sqlite:///{out}/other.db", False),
        (None, "http://host", False),
        ("http://host:5000", "http://host:5000/", True),
        ("http://host:5000", "http://HOST:5000", True),
        ("http://host:5000/a", "http://host:5000/a?token=b", True),
        ("http://host:5000", "http://ada@host:5000", True),
        ("http://host:5000", "http://host:5001", False),
        ("http://host:5000", "https://host:5000", False),
        ("http://host:5000", "http://host:5000/a", False),
        ("http://host:5000", "http://host.evil:5000", False),
        ("http://host:99999", "http://host:99999", False),
        ("http://[", "http://[", False),
    ],
)
def test_addresses_are_compared_by_the_store_that_they_lead_to(
    one, other, same, tmp_path
):
    (tmp_path / "out").mkdir()
    out = Destination(output_dir=tmp_path / "out")
    uris = [uri and uri.format(out=out.output_dir) for uri in (one, other)]
    assert is_same_store(*(out.at(uri) for uri in uris)) is same
