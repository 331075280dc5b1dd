from typing import Any

import pytest

from experiments.config.code import extras
from experiments.data.readiness.packed import look_at_packed


def look(compose: Any, *words: str) -> list[str]:
    return [str(p) for p in look_at_packed(compose(*words).dataset).problems]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def only(*names: str) -> None:
        monkeypatch.setattr(extras, "is_installed", lambda name: name in names)

    return only


def test_an_absent_library_is_told_with_its_extra(
    compose: Any, installed: Any, tmp_path: Any
) -> None:
    installed()

    (told,) = look(compose, "dataset=huggingface", f"dataset.path={tmp_path}")

    assert told.startswith("dataset cannot be read: datasets is not installed.")
    assert told.endswith("[huggingface]'") or told.endswith("[huggingface]")


def test_an_absent_folder_is_told_unless_it_may_be_downloaded(
    compose: Any, installed: Any, tmp_path: Any
) -> None:
    installed("tensorflow_datasets", "array_record")
    words = ["dataset=tfds", "dataset.name=cats", f"dataset.path={tmp_path}/gone"]

    (told,) = look(compose, *words)

    assert told.startswith("dataset.path does not exist")
    assert look(compose, *words, "dataset.download=true") == []
