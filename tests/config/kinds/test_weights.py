from pathlib import Path
from typing import Any

import pytest

from experiments.command.composing.composed import compose as compose_config
from experiments.config.identity import identify
from experiments.config.kinds.paths import list_paths
from experiments.config.kinds.weights import has_known_suffix, is_weights_file
from experiments.errors import ConfigError


def test_words_are_no_files_and_files_are_known_by_their_ends() -> None:
    assert not any(map(is_weights_file, ("imagenet", "run:last", "run:a.pth")))
    assert all(map(is_weights_file, ("a.pth", "imagenet.h5", "/data/run.keras")))
    assert all(map(has_known_suffix, ("a.PTH", "b.weights.h5", "c.safetensors")))
    assert not any(map(has_known_suffix, ("a", "resnet18", "a.zip", ".pth")))


def test_files_count_as_where_they_lie_and_words_as_they_are(
    compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    short = compose("model=resnet18", "model.weights=w.pth")
    long = compose("model=resnet18", f"model.weights={tmp_path}/w.pth")
    assert dict(list_paths(short))["model.weights"] == str(tmp_path / "w.pth")
    assert identify(short) == identify(long)
    word = compose("model=resnet50", "model.variant=v1", "model.weights=imagenet")
    assert word.model.weights == "imagenet"
    assert "model.weights" not in dict(list_paths(word))


def test_other_weights_are_another_job_and_none_are_the_job_of_before(
    compose: Any,
) -> None:
    plain = compose("model=resnet18")
    typed = compose("model=resnet18", "model.weights=null", "model.preprocessing=auto")
    others = [
        compose("model=resnet18", *words)
        for words in (
            ("model.weights=a.pth",),
            ("model.weights=b.pth",),
            ("model.preprocessing=torch",),
        )
    ]
    assert identify(plain) == identify(typed)
    assert len({identify(run) for run in (plain, *others)}) == 4
    assert plain.model.arguments().keys() == others[0].model.arguments().keys()
    assert "weights" not in plain.model.arguments()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("model=resnet18", "model.weights=imagenet"),
            "model.weights imagenet has none for resnet18: they are published for "
            "ResNets of 50, 101 and 152 layers.",
        ),
        (
            ("model=resnet50", "model.weights=imagenet", "model.variant=v1_5"),
            "Type model.variant=auto; for v1_5, take a file of torchvision's or "
            "timm's: model.weights=resnet50.pth",
        ),
        (("model=resnet18", "model.weights=imagnet"), "Received: 'imagnet'."),
        (("model=resnet18", "model.weights='run:'"), "Such as model.weights=run:last"),
        (("model=resnet18", "model.preprocessing=bgr"), "auto, dataset, torch, caffe"),
    ],
)
def test_weights_that_nobody_has_are_refused(
    compose: Any, words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compose(*words)
    assert told in str(caught.value)


def test_searched_files_count_as_where_they_lie_and_words_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from experiments.config.search.parameter import settle_value

    monkeypatch.chdir(tmp_path)
    assert settle_value("model.weights", "imagenet") == "imagenet"
    assert settle_value("model.weights", "w.pth") == str(tmp_path / "w.pth")


def test_network_is_that_of_its_weights_and_the_record_says_which() -> None:
    known = compose_config(["model=resnet50", "model.weights=imagenet"])
    assert known.run.model.variant == known.data["model"]["variant"] == "v1"
    plain = compose_config(["model=resnet50"])
    assert plain.run.model.variant == plain.data["model"]["variant"] == "v1_5"
