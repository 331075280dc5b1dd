import json
import math
import time

import pytest
import yaml
from matplotlib.figure import Figure

from experiments.errors import TrackingError
from experiments.tracking import spooled_tracker
from experiments.tracking.spool.inputs import DatasetInput
from experiments.tracking.spool.notes import write_picture
from tests.tracking.conftest import COMPARISON, points_of, run_of, settle, stored


def test_run_carries_name_tags_parent_and_process(open_run):
    parent = open_run(run_name="sweep")
    child = open_run(
        run_name="child",
        parent_dir=parent._spool.job_folder,
        tags={"seed": 3, "note": "x"},
    )
    run = run_of(child)
    settle(parent)
    assert run.info.run_name == "child"
    assert run.info.status == "RUNNING"
    assert run.data.tags["mlflow.parentRunId"] == parent.run_id
    assert run.data.tags["seed"] == "3"
    assert run.data.tags["mlflow.user"]
    assert run.data.tags["experiments.process.pid"].isdigit()


def test_description_is_sent_once_with_the_pictures_of_this_run(open_run):
    tracker = open_run()
    tracker.describe("first")
    for _ in range(2):
        tracker.describe(f"better\n\n{write_picture('a/b.png', 'A picture')}")
    run = run_of(tracker)
    address = f"get-artifact?run_uuid={run.info.run_id}&path=a/b.png"
    told = run.data.tags["mlflow.note.content"]
    assert told == f"better\n\n![A picture]({address})"
    kinds = [entry.kind for entry in tracker._journal.entries]
    assert kinds.count("note") == 2


def test_data_sets_are_inputs_of_the_run_once(open_run):
    tracker = open_run()
    train, test = (
        DatasetInput(
            name="flowers",
            digest=digest,
            context=context,
            folder="/data/flowers",
            code="load",
            profile={"images": 3},
        )
        for digest, context in (("c0ffee", "training"), ("5eed", "test"))
    )
    tracker.log_datasets([train])
    tracker.log_datasets([train, test])
    settle(tracker)
    tracker._courier.sent = 0  # as after a crash between sending and remembering
    tracker._sender.notify()
    inputs = run_of(tracker).inputs.dataset_inputs
    told = {
        (given.dataset.name, given.dataset.digest, given.tags[0].value)
        for given in inputs
    }
    assert told == {("flowers", "c0ffee", "training"), ("flowers", "5eed", "test")}
    assert len(inputs) == 2
    assert inputs[0].dataset.source == '{"uri": "/data/flowers"}'
    assert json.loads(inputs[0].dataset.profile) == {"images": 3}
    assert tracker._courier.refusals == []


def test_links_point_to_the_pages(open_run):
    tracker = open_run()
    assert (tracker.run_id, tracker.run_url) == (None, None)
    experiment = run_of(tracker).info.experiment_id
    page = f"http://127.0.0.1:5000/#/experiments/{experiment}/runs/{tracker.run_id}"
    assert tracker.run_url.partition("?")[0] == page
    assert f"viewStateShareKey={tracker.run_id}" in tracker.compare_url([], COMPARISON)


def test_link_opens_mlflows_own_comparison_where_no_view_can_be_kept(
    open_run, caplog, monkeypatch
):
    tracker = open_run()
    run_id = run_of(tracker).info.run_id

    def refuse(*given):
        raise TrackingError("Cannot keep a sweep's view: PERMISSION_DENIED")

    monkeypatch.setattr(spooled_tracker, "keep_view", refuse)
    assert "/#/compare-runs?" in (url := tracker.compare_url([run_id], COMPARISON))
    assert run_id in url
    assert "own comparison: Cannot keep a sweep's view" in caplog.text


def test_more_parameters_than_a_request_holds_are_kept(open_run):
    tracker = open_run()
    params = {f"group.p{i}": i for i in range(250)}
    tracker.log_params({**params, "long": "x" * 7000, "none": None, "empty": ""})
    kept = run_of(tracker).data.params
    assert {key: kept[key] for key in params} == {k: str(v) for k, v in params.items()}
    assert len(kept["long"]) == 6000
    assert kept["none"] == "null"
    assert kept["empty"] == ""


def test_more_tags_than_a_request_holds_are_kept(open_run):
    tracker = open_run()
    tracker.set_tags({f"tag{i}": i for i in range(150)})
    kept = run_of(tracker).data.tags
    assert [kept[f"tag{i}"] for i in range(150)] == [str(i) for i in range(150)]


def test_first_value_of_a_parameter_stays_and_the_other_is_told(open_run, caplog):
    caplog.set_level("INFO")
    tracker = open_run()
    tracker.log_params({"optimizer.lr": 1})
    tracker.log_params({"optimizer.lr": 2, "seed": 3})
    run = run_of(tracker)
    assert run.data.params == {"optimizer.lr": "1", "seed": "3"}
    assert run.data.tags["changed.optimizer.lr"] == "1 -> 2"
    assert "changed.seed" not in run.data.tags
    assert "stay as recorded: optimizer.lr (1, now 2)" in caplog.text


def test_planned_settings_become_parameters_when_they_are_settled(open_run, caplog):
    caplog.set_level("INFO")
    tracker = open_run()
    tracker.plan_params({"parts": 1, "seed": 3})
    assert run_of(tracker).data.params == {}
    tracker.plan_params({"parts": 2})
    assert "stay as recorded" not in caplog.text
    tracker.settle_params()
    run = run_of(tracker)
    assert run.data.params == {"parts": "2", "seed": "3"}
    assert run.data.tags["changed.parts"] == "1 -> 2"
    tracker.plan_params({"parts": 4})
    assert "stay as recorded: parts (1, now 4)" in caplog.text


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_run_that_ends_before_its_first_step_has_its_parameters(open_run, status):
    tracker = open_run()
    tracker.plan_params({"parts": 1})
    tracker.finish(status)
    assert run_of(tracker).data.params == {"parts": "1"}


def test_run_that_a_fresh_process_continues_gets_that_ones_parameters(
    open_run, tmp_path
):
    first = open_run(folder=tmp_path / "job")
    first.plan_params({"parts": 1, "gone": 0, "seed": 3})
    first.finish("KILLED", "no memory", settled=False)
    second = open_run(folder=tmp_path / "job")
    second.plan_params({"parts": 2, "seed": 3})
    assert run_of(second).data.params == {}
    second.finish("FINISHED")
    run = run_of(second)
    assert run.info.run_id == first.run_id
    assert run.data.params == {"parts": "2", "seed": "3"}
    assert run.data.tags["changed.parts"] == "1 -> 2"


def test_metrics_of_an_epoch_are_one_request_at_its_step(open_run, monkeypatch):
    tracker = open_run()
    client = settle(tracker)
    calls = []
    log = client.log_batch
    delivery = tracker._courier._delivery
    monkeypatch.setattr(
        delivery._client, "log_batch", lambda *a, **k: (calls.append(1), log(*a, **k))
    )
    tracker.log_metrics({"loss": 0.5, "val_loss": math.nan, "lr": math.inf}, step=1)
    tracker.log_metrics({"loss": 0.25}, step=2)
    run = run_of(tracker)
    assert points_of(client, tracker.run_id, "loss") == [(1, 0.5), (2, 0.25)]
    assert math.isnan(run.data.metrics["val_loss"])
    assert len(calls) == 2


def test_points_carry_the_time_at_which_they_were_made(open_run):
    tracker = open_run()
    before = time.time() * 1000
    tracker.log_metrics({"loss": 0.5}, step=1)
    after = time.time() * 1000
    time.sleep(0.1)
    (point,) = settle(tracker).get_metric_history(tracker.run_id, "loss")
    assert int(before) <= point.timestamp <= after


def test_files_are_stored_below_the_output_folder(open_run, tmp_path):
    tracker = open_run()
    (tmp_path / "a.bin").write_bytes(b"abc")
    tracker.log_text("Grüße\n", "code/note.txt")
    tracker.log_file(tmp_path / "a.bin", "data")
    tracker.log_figure(Figure(), "pictures/empty.png")
    assert stored(tracker, "code/note.txt") == "Grüße\n"
    assert stored(tracker, "data/a.bin") == "abc"
    folder = tmp_path / "out" / "artifacts" / "some_experiment" / tracker.run_id
    assert (folder / "artifacts" / "pictures" / "empty.png").is_file()


def test_plain_data_keeps_its_order_as_yaml_and_json(open_run):
    tracker = open_run()
    content = {"b": [1, {"x": None}], "a": "é"}
    tracker.log_dict(content, "config/config.yaml")
    tracker.log_dict(content, "config.json")
    text = stored(tracker, "config/config.yaml")
    assert yaml.safe_load(text) == content
    assert text.index("b:") < text.index("a:")
    assert json.loads(stored(tracker, "config.json")) == content


def test_file_that_does_not_exist_is_told_and_stops_nothing(open_run, tmp_path, caplog):
    open_run().log_file(tmp_path / "absent.bin")
    assert "absent.bin is not recorded: No such file" in caplog.text


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_run_ends_once_with_its_status_and_reason(open_run, status):
    tracker = open_run()
    tracker.finish(status, "because " + "x" * 9000)
    tracker.finish("FINISHED" if status == "FAILED" else "FAILED", "never told")
    assert (tracker.unsent, tracker.problem) == (0, None)
    run = run_of(tracker)
    assert run.info.status == status
    assert run.info.end_time >= run.info.start_time
    assert run.data.tags["status.reason"].startswith("because x")
    assert run.data.tags["status.reason"].endswith("(cut)")


def test_runs_of_one_process_do_not_mix(open_run, tmp_path):
    one = open_run(output_dir=tmp_path / "one")
    two = open_run(output_dir=tmp_path / "two with a space")
    one.log_metrics({"loss": 1.0}, step=0)
    two.log_metrics({"loss": 2.0}, step=0)
    two.log_text("two", "note.txt")
    one.finish("FINISHED")
    assert run_of(one).data.metrics["loss"] == 1.0
    assert run_of(two).data.metrics["loss"] == 2.0
    assert stored(two, "note.txt") == "two"
    assert run_of(two).info.status == "RUNNING"


def test_no_secret_is_recorded(open_run):
    tracker = open_run(run_name="token=Kx7qCanary92", tags={"api_key": "Kx7qCanary92"})
    for _ in range(2):  # a value that is hidden is no other value
        tracker.log_params({"tags.token": "Kx7qCanary92", "seed": 1})
    tracker.set_tags({"note": "http://me:Kx7qCanary92@h", "password": "Kx7qCanary92"})
    tracker.log_dict({"auth": {"password": "Kx7qCanary92"}}, "a.json")
    tracker.log_text("export API_KEY=Kx7qCanary92", "a.txt")
    tracker.log_text('+key = read()\n+password = "Kx7qCanary92"\n', "a.py")
    file = tracker._spool.job_folder / "b.log"
    file.write_text("Bearer Kx7qCanary92")
    tracker.log_file(file)
    tracker.finish("FAILED", "cannot reach http://h/?sig=Kx7qCanary92")
    run = run_of(tracker)
    assert run.info.run_name == "token=***"
    assert run.data.params == {"tags.token": "***", "seed": "1"}
    assert not any(key.startswith("changed.") for key in run.data.tags)
    assert run.data.tags["note"] == "http://***@h"
    assert "Canary" not in str(run.to_dictionary())
    file.unlink()
    for path in tracker._spool.job_folder.rglob("*"):
        assert not path.is_file() or b"Canary" not in path.read_bytes()
    assert stored(tracker, "a.py") == '+key = read()\n+password = "***"\n'
