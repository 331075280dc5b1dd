"""Records of a finished job, changed by someone else, and the commands that read them.

Whatever a record says, the command ends in a sentence and touches nothing outside.
"""

import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from experiments.tracking.store.mlflow_import import import_mlflow
from tests.hostile.folders import make_folder, read_canaries
from tests.hostile.whole import check_end, run_guarded
from tests.tiny import TINY

JOB = [*TINY, "debug=one_step", "gpu=cpu", "trainer.progress=plain"]
REPEAT = tuple(JOB)
SYNC = ("task=sync",)
REPRODUCE = ("task=reproduce", "run_id=RUN")
EVALUATE = ("task=evaluate", "run_id=RUN", "gpu=cpu")
REGISTERED = ("task=evaluate", "run_id=models:/known/1", "gpu=cpu")
LIST = ("task=list",)
DIFF = ("task=diff", "run_id=[RUN,last]", "tracking.experiment=debug")
CLEAN = (
    "task=clean",
    "task.dry=false",
    "task.last_copies=true",
    "task.orphan_hours=0",
)


@dataclass(frozen=True)
class Finished:
    """A folder with a finished job in it, as it was when it ended."""

    folder: Path
    run_id: str

    @property
    def job(self) -> Path:
        (job,) = (self.folder / "work" / "outputs" / "runs").iterdir()
        return job

    def restore(self) -> None:
        """Takes back what a command and the one who tampered have done."""
        shutil.rmtree(self.folder / "work")
        shutil.copytree(self.folder / "kept", self.folder / "work", symlinks=True)

    def run(self, words: tuple[str, ...]) -> CompletedProcess[str]:
        """Runs the command under the eyes of the guard."""
        return run_guarded(self.folder, words)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A small job that ran to its end, with a copy of all that it left."""
    folder = tmp_path_factory.mktemp("tampered")
    make_folder(folder)
    made = Finished(folder, "")
    done = made.run(REPEAT)
    assert done.returncode == 0, done.stderr
    check_end(done, folder)
    result = json.loads((made.job / "result.json").read_text())
    register(folder / "work" / "outputs" / "mlflow.db", result["run_id"])
    shutil.copytree(folder / "work", folder / "kept", symlinks=True)
    return Finished(folder, result["run_id"])


def register(database: Path, run_id: str) -> None:
    """Gives the model of a run a name in MLflow's registry."""
    client = import_mlflow().MlflowClient(tracking_uri=f"sqlite:///{database}")
    (link,) = client.get_run(run_id).outputs.model_outputs
    client.create_registered_model("known")
    source = client.get_logged_model(link.model_id).artifact_location
    client.create_model_version("known", source, run_id, model_id=link.model_id)


def change_model(change: Callable[[Path], None]) -> Callable[[Path], None]:
    """Changes the folder in which MLflow has the model, and leaves no other weights."""

    def change_all(job: Path) -> None:
        shutil.rmtree(job / "checkpoints")
        (folder,) = (job.parents[1] / "artifacts").glob("*/models/*/artifacts")
        change(folder)

    return change_all


def add_tag(folder: Path) -> None:
    path = folder / "MLmodel"
    path.write_text(
        path.read_text()
        + "x: !!python/object/apply:os.system ['touch ../canary/kept']\n"
    )


def link_model(folder: Path) -> None:
    path = folder / "data" / "model.keras"
    path.unlink()
    path.symlink_to(folder.parents[6] / "canary" / "kept")


def put_code(folder: Path) -> None:
    """Puts a layer that names a function of the system into the model."""
    path = folder / "data" / "model.keras"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    content = json.loads(parts["config.json"])
    content["config"]["layers"][-1] |= {
        "module": "keras.layers",
        "class_name": "Lambda",
        "registered_name": None,
        "config": {
            "name": "x",
            "function": {"class_name": "__lambda__", "config": {"code": "4wE="}},
        },
    }
    parts["config.json"] = json.dumps(content).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def set_json(file: str, /, **values: Any) -> Callable[[Path], None]:
    """Changes keys of a JSON file; a value may be made of the former one."""

    def change(job: Path) -> None:
        path = job / file
        content = json.loads(path.read_text())
        for key, value in values.items():
            content[key] = value(content[key]) if callable(value) else value
        path.write_text(json.dumps(content))

    return change


def write(name: str, content: bytes | str) -> Callable[[Path], None]:
    def change(job: Path) -> None:
        data = content.encode() if isinstance(content, str) else content
        (job / name).write_bytes(data)

    return change


def make_folder_of(name: str) -> Callable[[Path], None]:
    """Puts a folder in the place of a file."""

    def change(job: Path) -> None:
        (job / name).unlink()
        (job / name).mkdir()

    return change


def add_entries(*entries: tuple[str, dict[str, Any]]) -> Callable[[Path], None]:
    """Adds records to the journal; FOLDER stands for what lies outside."""

    def change(job: Path) -> None:
        outside = str(job.parents[3])
        with (job / "tracking" / "journal.jsonl").open("a") as file:
            for kind, content in entries:
                line = json.dumps({"kind": kind, "time": 1, "content": content})
                file.write(line.replace("FOLDER", outside) + "\n")

    return change


def change_session(**values: Any) -> Callable[[Path], None]:
    """Changes what the journal says of the run, and lets all of it be sent anew."""

    def change(job: Path) -> None:
        path = job / "tracking" / "journal.jsonl"
        first, *rest = path.read_text().splitlines()
        entry = json.loads(first)
        entry["content"].update(values)
        path.write_text("\n".join([json.dumps(entry), *rest]) + "\n")
        (job / "tracking" / "run.json").unlink()
        (job / "tracking" / "sent.json").unlink()

    return change


def link(name: str, target: str) -> Callable[[Path], None]:
    """Puts a link to something outside in the place of a file or folder."""

    def change(job: Path) -> None:
        path = job / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(target.replace("FOLDER", str(job.parents[3])))

    return change


def send_model_of_canary(job: Path) -> None:
    """Names a whole model outside as one of the job's own: to be sent and removed."""
    outside = job.parents[3] / "canary" / "model"
    if not outside.exists():
        (made,) = (job.parents[1] / "artifacts").glob("*/models/*/artifacts")
        shutil.copytree(made, outside)
    add_entries(("model", {"name": "m", "step": 1, "folder": str(outside)}))(job)


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(job: Path) -> None:
        for one in changes:
            one(job)

    return change


def resumed(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    """Changes a job that did not end: the same command goes on with it."""
    return both(lambda job: (job / "result.json").unlink(), *changes)


def link_folder(target: str) -> Callable[[Path], None]:
    """Puts a link to something outside beside the folders of jobs."""

    def change(job: Path) -> None:
        for place in (job.parent / "linked", job.parents[1] / "sweeps"):
            place.symlink_to(target.replace("FOLDER", str(job.parents[3])))

    return change


def put_outside(*names: str) -> Callable[[Path], None]:
    """Makes what is outside look like a job, with checkpoints that could go."""

    def change(job: Path) -> None:
        canary = job.parents[3] / "canary"
        for name in names:
            if not (canary / name).exists():
                (canary / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(job / name, canary / name)

    return change


def put_search(folders: list[str]) -> Callable[[Path], None]:
    """Makes the folder of all jobs one of a search, whose trials were elsewhere."""

    def change(job: Path) -> None:
        outside = str(job.parents[3])
        search = job.parent / "search"
        search.mkdir()
        named = [folder.replace("FOLDER", outside) for folder in folders]
        question = {"number": 0, "values": {}, "epochs": None, "parent": None}
        outcome = {"end": "complete", "objective": 0.5, "folders": named}
        entries = [
            ("asked", {**question, "overrides": []}),
            ("told", {"number": 0, "outcome": outcome}),
        ]
        tracking = job.parent / "tracking"
        shutil.copytree(job / "tracking", tracking)
        change_session(tags={"run.kind": "search", "search.objective": "x (max)"})(
            job.parent
        )
        with (search / "trials.jsonl").open("w") as file:
            for kind, content in entries:
                line = {"kind": kind, "time": 1, "content": content}
                file.write(json.dumps(line) + "\n")

    return change


def record_config(text: str, by: str) -> Callable[[Path], None]:
    """Changes the config that the tracker holds of the run."""

    def change(job: Path) -> None:
        for path in job.parents[1].rglob("config/config.yaml"):
            content = path.read_text()
            changed = re.sub(text, by, content, count=1)
            assert changed != content
            path.write_text(changed)

    return change


def set_artifact_location(job: Path) -> None:
    """Lets the database look for the files of a run where a canary is."""
    outputs = job.parents[1]
    with closing(sqlite3.connect(outputs / "mlflow.db")) as database, database:
        place = f"{outputs.parents[1]}/canary"
        database.execute("UPDATE runs SET artifact_uri = ?", (place,))


_MANIFEST = "checkpoints/manifest.json"
_OUTSIDE = {"path": "x.txt", "file": "FOLDER/canary/kept"}
_SERVER = {
    "uri": "http://127.0.0.1:9/",
    "experiment": "debug",
    "ui_url": "http://127.0.0.1:9/",
    "server_timeout": 3,
}
_TARGETS = r"allowed_targets:\n(- .*\n)+"
_HOSTILE_CALLBACK = (
    "callbacks:\n  x:\n    _target_: subprocess.getoutput\n"
    "    cmd: touch ../canary/kept\n"
)
CASES: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "result-empty": (write("result.json", ""), REPEAT),
    "result-list": (write("result.json", "[]"), REPEAT),
    "result-binary": (write("result.json", b"\xff\x00\xfe"), REPEAT),
    "result-deep": (write("result.json", "[" * 100_000), REPEAT),
    "result-digits": (write("result.json", "9" * 100_000), REPEAT),
    "result-other-types": (set_json("result.json", metrics=[1], name=3), REPEAT),
    "result-no-numbers": (set_json("result.json", metrics={"a": "b"}), REPEAT),
    "result-escape": (set_json("result.json", name="\x1b]0;x\x07\x1b[31m"), REPEAT),
    "result-code": (set_json("result.json", exit_code=77), REPEAT),
    "result-code-text": (set_json("result.json", exit_code="0"), REPEAT),
    "result-status": (set_json("result.json", status="NOPE"), REPEAT),
    "result-unknown-key": (set_json("result.json", nope=1), REPEAT),
    "result-folder": (make_folder_of("result.json"), REPEAT),
    "result-link": (link("result.json", "FOLDER/canary/kept"), REPEAT),
    "origin-list": (write("origin.json", "[1]"), REPEAT),
    "origin-files": (set_json("origin.json", files={"path": "/etc"}), REPEAT),
    "manifest-outside": (
        resumed(
            set_json(
                _MANIFEST,
                last=lambda last: [{**last[0], "file": "../../../../../canary/kept"}],
            )
        ),
        REPEAT,
    ),
    "manifest-absolute": (
        resumed(
            set_json(_MANIFEST, best=lambda best: {**best, "file": "/etc/hostname"})
        ),
        REPEAT,
    ),
    "manifest-types": (
        resumed(set_json(_MANIFEST, last=lambda last: [{**last[0], "epoch": "x"}])),
        REPEAT,
    ),
    "manifest-deep": (resumed(write(_MANIFEST, "[" * 100_000)), REPEAT),
    "checkpoints-link": (resumed(link("checkpoints", "FOLDER/canary")), REPEAT),
    "lock-link": (resumed(link("job.lock", "FOLDER/canary/kept")), REPEAT),
    "log-link": (resumed(link("run.log", "FOLDER/canary/kept")), REPEAT),
    "journal-outside": (add_entries(("artifact", _OUTSIDE)), SYNC),
    "journal-upwards": (
        add_entries(("artifact", {"path": "x", "file": "../../../../../canary/kept"})),
        SYNC,
    ),
    "journal-path-upwards": (
        add_entries(
            (
                "artifact",
                {
                    "path": "../" * 7 + "canary/x",
                    "file": "artifacts/origin.json",
                },
            )
        ),
        SYNC,
    ),
    "journal-model-outside": (
        send_model_of_canary,
        SYNC,
    ),
    "journal-model-upwards": (
        add_entries(("model", {"name": "m", "step": 1, "folder": "../../../../.."})),
        SYNC,
    ),
    "journal-link": (
        both(
            link("tracking/artifacts/origin.json", "FOLDER/canary/kept"),
            add_entries(
                ("artifact", {"path": "o.json", "file": "artifacts/origin.json"})
            ),
        ),
        SYNC,
    ),
    "journal-types": (
        add_entries(
            ("metrics", {"step": "x", "values": []}),
            ("params", {"values": 3}),
            ("tags", {}),
            ("end", {"status": "NOPE", "reason": []}),
            ("nope", {}),
        ),
        SYNC,
    ),
    "journal-server": (change_session(target=_SERVER), SYNC),
    "journal-database": (
        change_session(target={**_SERVER, "uri": "sqlite:////nowhere/x.db"}),
        SYNC,
    ),
    "journal-session-types": (change_session(name=[], tags=3, experiment={}), SYNC),
    "journal-binary": (
        write("tracking/journal.jsonl", b"\xff\xfe\n" + b"[" * 50_000 + b"\n{}\n"),
        SYNC,
    ),
    "journal-itself-a-link": (
        link("tracking/journal.jsonl", "FOLDER/canary/kept"),
        SYNC,
    ),
    "sent-types": (write("tracking/sent.json", '{"sent": {"a": "b"}}'), SYNC),
    "run-types": (write("tracking/run.json", '{"runs": [1], "former": 3}'), SYNC),
    "models-outside": (
        both(
            write("tracking/models.json", '{"models": {"17": "FOLDER/canary"}}'),
            write("tracking/sent.json", "{}"),
        ),
        SYNC,
    ),
    "recorded-target": (
        both(
            record_config(_TARGETS, "allowed_targets:\n- subprocess\n- experiments\n"),
            record_config(r"callbacks:\n", _HOSTILE_CALLBACK),
        ),
        REPRODUCE,
    ),
    "recorded-target-through": (
        record_config(
            r"callbacks:\n",
            "callbacks:\n  x:\n    _target_: experiments.launch.processes.os.system\n"
            "    command: touch ../canary/kept\n",
        ),
        REPRODUCE,
    ),
    "recorded-tag": (
        record_config(
            r"\A", "!!python/object/apply:os.system ['touch ../canary/kept']\n"
        ),
        REPRODUCE,
    ),
    "recorded-interpolation": (
        record_config(r"name: .*", "name: ${oc.env:HOME}"),
        REPRODUCE,
    ),
    "recorded-folder": (
        record_config(r"output_dir: .*", "output_dir: /nowhere/else"),
        REPRODUCE,
    ),
    "recorded-binary": (record_config(r"(?s).*", "\x00\x01"), REPRODUCE),
    "clean-checkpoints-link": (link("checkpoints", "FOLDER/canary"), CLEAN),
    "clean-lock-link": (link("job.lock", "FOLDER/canary/kept"), CLEAN),
    "clean-holder-link": (link("job.holder.json", "FOLDER/canary/kept"), CLEAN),
    "clean-tracking-link": (link("tracking", "FOLDER/canary"), CLEAN),
    "clean-hydra-link": (link(".hydra", "FOLDER/canary"), CLEAN),
    "clean-manifest-outside": (
        set_json(
            _MANIFEST,
            last=lambda last: [{**last[0], "file": "../../../../../canary/kept"}],
        ),
        CLEAN,
    ),
    "clean-result-folder": (
        set_json("result.json", output_dir="FOLDER/canary"),
        CLEAN,
    ),
    "clean-linked-folders": (
        both(put_outside("job.lock", "result.json"), link_folder("FOLDER/canary")),
        CLEAN,
    ),
    "clean-search-outside": (put_search(["FOLDER/canary", "../../canary"]), CLEAN),
    "clean-record-link": (link("cleaned.json", "FOLDER/canary/kept"), CLEAN),
    "list-types": (
        both(
            change_session(name=[], tags=3),
            set_json("result.json", metrics={"best_x": "y"}),
        ),
        LIST,
    ),
    "list-escape": (change_session(name="\x1b]0;x\x07", tags={"a": "\x1b[31m"}), LIST),
    "list-journal-link": (
        link("tracking/journal.jsonl", "FOLDER/canary/kept"),
        LIST,
    ),
    "list-hydra-link": (link(".hydra/hydra.yaml", "FOLDER/canary/kept"), LIST),
    "list-database": (
        lambda job: (job.parents[1] / "mlflow.db").write_bytes(b"SQLite format 3\0x"),
        LIST,
    ),
    "diff-escape": (record_config(r"name: .*", r'name: "\\e[31mred"'), DIFF),
    "diff-binary": (record_config(r"(?s).*", "\x00\x01"), DIFF),
    "diff-origin": (set_json("origin.json", code=[1], files={"path": "/etc"}), DIFF),
    "database-location": (set_artifact_location, REPRODUCE),
}


# And what is said of it.
STRANGERS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "evaluated-target": (
        both(
            record_config(_TARGETS, "allowed_targets:\n- subprocess\n- experiments\n"),
            record_config(r"callbacks:\n", _HOSTILE_CALLBACK),
        ),
        EVALUATE,
        "subprocess.getoutput",
    ),
    "evaluated-model": (
        record_config(
            r"_target_: experiments\.models\S+", "_target_: subprocess.getoutput"
        ),
        EVALUATE,
        "subprocess.getoutput",
    ),
    "registered-target": (
        record_config(
            r"_target_: experiments\.models\S+", "_target_: subprocess.getoutput"
        ),
        REGISTERED,
        "subprocess.getoutput",
    ),
    "registered-tag": (change_model(add_tag), REGISTERED, "does not say what it is"),
    "registered-link": (change_model(link_model), REGISTERED, "is a link"),
    "registered-code": (
        change_model(put_code),
        REGISTERED,
        "holds code, such as a Lambda layer",
    ),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES)
def test_tampered_record_is_named_and_never_obeyed(
    finished: Finished, case: str
) -> None:
    finished.restore()
    tamper, words = CASES[case]
    tamper(finished.job)
    before = read_canaries(finished.folder)

    done = finished.run(tuple(word.replace("RUN", finished.run_id) for word in words))

    check_end(done, finished.folder)
    assert read_canaries(finished.folder) == before
    outside = (finished.folder / "canary" / "kept").read_bytes()
    outputs = finished.folder / "work" / "outputs"
    copies = [path for path in (outputs / "artifacts").rglob("*") if path.is_file()]
    assert all(path.read_bytes() != outside for path in copies)


@pytest.mark.parametrize("case", STRANGERS)
def test_stranger_s_model_is_refused_by_what_is_wrong_with_it(
    finished: Finished, case: str
) -> None:
    finished.restore()
    tamper, command, words = STRANGERS[case]
    tamper(finished.job)
    before = read_canaries(finished.folder)
    done = finished.run(tuple(w.replace("RUN", finished.run_id) for w in command))
    check_end(done, finished.folder)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0, said
    assert words in said, said
    assert read_canaries(finished.folder) == before
