import time
from pathlib import Path
from typing import Any

import pytest

from experiments import redaction
from experiments.redaction import (
    learn_secrets,
    redact,
    redact_data,
    redact_diff,
    redact_word,
)

CANARY = "Kx7qCanary92"


@pytest.fixture(autouse=True)
def _nothing_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_learnt", set())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h/?token=Kx7qCanary92&page=2", "http://h/?token=***&page=2"),
        ("http://h/p?page=2&sig=Kx7qCanary92#a", "http://h/p?page=2&sig=***#a"),
        ("http://h/#access_token=Kx7qCanary92", "http://h/#access_token=***"),
        ("http://h/?key=Kx7qCanary92", "http://h/?key=***"),
        ("https://me:Kx7qCanary92@h:5000/a", "https://***@h:5000/a"),
        ("https://Kx7qCanary92@h/a", "https://***@h/a"),
        (
            "postgresql+psycopg2://u:Kx7qCanary92@h/db",
            "postgresql+psycopg2://***@h/db",
        ),
        ("mysql://u:Kx7q/Canary92@h/db", "mysql://***@h/db"),
        ("s3://key:Kx7qCanary92@bucket", "s3://***@bucket"),
        ("API_KEY=Kx7qCanary92 run", "API_KEY=*** run"),
        ("--token=Kx7qCanary92 run", "--token=*** run"),
        ("password = 'Kx7qCanary92'", "password = '***'"),
        ("api_key: Kx7qCanary92", "api_key: ***"),
        ('{"token": "Kx7qCanary92", "a": 1}', '{"token": "***", "a": 1}'),
        (r"{\"token\": \"Kx7qCanary92\"}", r"{\"token\": \"***\"}"),
        ("tags={api_key:Kx7qCanary92,b:2}", "tags={api_key:***,b:2}"),
        (
            "AccountName=x;AccountKey=Kx7qCanary92==;S=1",
            "AccountName=x;AccountKey=***;S=1",
        ),
        ("Authorization: Basic Kx7qCanary92", "Authorization: ***"),
        ("curl -H 'Bearer Kx7qCanary92'", "curl -H 'Bearer ***'"),
        ("with ghp_" + "Kx7qCanary92" * 3, "with ***"),
        ("github_pat_" + "Kx7qCanary92" * 3, "***"),
        ("id AKIAKX7QCANARY920000 end", "id *** end"),
        ("hf_" + "Kx7qCanary92" * 2, "***"),
        ("sk-" + "Kx7qCanary92" * 2, "***"),
        ("eyJhbGciOiJIUzI1NiJ9.Kx7qCanary92.sig-na", "***"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIKx7qCanary92\nab+/=\n"
            "-----END RSA PRIVATE KEY-----\nnext",
            "***\nnext",
        ),
        ("hydra.job.env_set.MY_TOKEN=Kx7qCanary92", "hydra.job.env_set.MY_TOKEN=***"),
        ("tags.token=[Kx7qCanary92, b]", "tags.token=***"),
    ],
)
def test_secret_is_hidden_and_what_is_around_it_is_not(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "optimizer.lr=0.001 monkey=1 tokenizer=bpe sort_key=name",
        "augment.keypoints=[1,2] model.cls_token=mean",
        "token=${oc.env:MY_TOKEN}",
        "password: null",
        "http://127.0.0.1:5000/#/experiments/1/runs/abc",
        "http://host/#/compare-runs?runs=%5B%22a%22%5D&experiments=%5B%221%22%5D",
        "sqlite:////home/me/outputs/mlflow.db",
        "https://example.org/a/@me",
        "s3://bucket/folder",
        "Type key=value, such as optimizer.lr=1e-3.",
        "epoch 1/3  loss 2.3012  accuracy 0.1000  812 images/s",
        "WARNING: the bearer of bad news",
        "disk-usage-of-run-2024-01-01-is-long",
        "2024-01-01 12:30:00,123 INFO x: ok",
        "a@b.c wrote to file://host/x",
        "if token == 'end': pass",
    ],
)
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("tags.password='a b & c'", "tags.password=***"),
        ("tags.password=a b c", "tags.password=***"),
        ("+dataset.auth={user:me,pin:12}", "+dataset.auth=***"),
        ("tags.token=${oc.env:MY_TOKEN}", "tags.token=${oc.env:MY_TOKEN}"),
        ("tags.token=${oc.env:MY_TOKEN,default}", "tags.token=***"),
        ("tracking.uri=http://u:p@h", "tracking.uri=http://***@h"),
        ("optimizer.lr=1e-3", "optimizer.lr=1e-3"),
        ("~tags", "~tags"),
    ],
)
def test_word_of_a_command_line_ends_where_it_ends(word: str, shown: str) -> None:
    assert redact_word(word) == shown


def test_data_keeps_its_shape_and_loses_its_secrets() -> None:
    content: dict[str, Any] = {
        "tags": {"api_key": CANARY, "note": "http://h/?sig=abc", "pin": 3, "key": "k"},
        "auth": {"user": "me", "password": 1234, "ok": True},
        "model": {"cls_token": "mean", "width": 2, "path": None},
        "overrides": (f"tags.token={CANARY}", "seed=1"),
        "/images/token": "not an image",
        3: 4.5,
    }
    assert redact_data(content) == {
        "tags": {"api_key": "***", "note": "http://h/?sig=***", "pin": 3, "key": "***"},
        "auth": {"user": "***", "password": "***", "ok": True},
        "model": {"cls_token": "mean", "width": 2, "path": None},
        "overrides": ["tags.token=***", "seed=1"],
        "/images/token": "not an image",
        3: 4.5,
    }
    assert redact_data({"tags.api_key": CANARY}) == {"tags.api_key": "***"}


def test_value_of_a_secret_variable_is_hidden_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", CANARY)
    monkeypatch.setenv("GIT_AUTH", str(tmp_path))
    assert (
        redact(f"note {CANARY}, {CANARY}x {tmp_path}")
        == f"note ***, {CANARY}x {tmp_path}"
    )
    monkeypatch.delenv("MY_SERVICE_TOKEN")
    assert redact(CANARY) == CANARY


def test_secret_of_a_command_line_is_hidden_wherever_it_stands_from_then_on() -> None:
    learn_secrets(["tags.password='my long secret'", "a=http://u:p%40ss-word@h", "b=1"])
    learn_secrets({"tags": {"token": CANARY, "auth": "digits"}})
    assert redact(f"my long secret p@ss-word {CANARY} digits") == "*** *** *** digits"


DIFF = """diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1 +1 @@
-token = read_token(key=3)
+token = "Kx7qCanary92"
+def f(password: str, token=token) -> None:
diff --git a/.env b/.env
--- a/.env
+++ b/.env
@@ -0,0 +1 @@
+DB_PASSWORD=Kx7qCanary92
"""


def test_diff_loses_texts_of_code_and_settings_of_other_files() -> None:
    shown = DIFF.replace('"Kx7qCanary92"', '"***"').replace(CANARY, "***")
    assert redact_diff(DIFF) == shown


@pytest.mark.parametrize(
    "text",
    ["a" * 400_000, "a:" * 200_000, "= " * 200_000, "://a:" * 80_000, "'" * 400_000,
     "token=" * 60_000, "-----BEGIN PRIVATE KEY-----" * 15_000, "eyJ" * 130_000,
     "sk-" * 130_000, "a" + " " * 400_000, "Bearer " * 60_000, "[{" * 200_000],
)  # fmt: skip
def test_long_text_takes_no_long_time(text: str) -> None:
    begin = time.process_time()
    redact(text)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("count", ["312", "1,258", "1,281,167"])
def test_the_counts_of_a_data_set_named_like_a_secret_are_shown(count):
    line = f"banknote_token: {count} train, 36 validation, 37 test images"

    assert redact(line) == line


@pytest.mark.parametrize(
    "text", ["token: 1258", "token: 1258 is wrong", "token: 312abc", "token: 312\nnext"]
)
def test_what_is_no_count_before_a_word_stays_hidden(text):
    assert redact(text).startswith("token: ***")
