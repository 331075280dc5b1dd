"""A key that takes only texts has the text that was typed, letter by letter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import create_config_search_path

from experiments.command.composing.composed import compose
from experiments.command.composing.loader import open_hydra
from experiments.command.typed.typed_text import quote_texts
from experiments.errors import ConfigError
from tests.conftest import CONF

# What Hydra's grammar reads as a number or a truth value.
MISTAKEN = [
    *("12345678", "12e45678", "1e3", "-5", "+5", ".50", "5.", "1_000", "0", "1" * 400),
    *("true", "False", "nan", "inf"),
]
OTHERS = ["01234567", "0x10", "1:30", "2024-01-02", "1e3x", "nothing"]
SEARCH = ["hydra/sweeper=keras_tuner", "optimizer.lr=1e-3,1e-4"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def quote() -> Any:
    """Returns the words that are composed for those that were typed."""

    def quote(*words: str) -> Sequence[str]:
        with open_hydra(create_config_search_path(str(CONF))) as hydra:
            loader = hydra.config_loader
            found = quote_texts(loader.parse(words), loader)
            return [override.input_line or "" for override in found]

    return quote


@pytest.mark.parametrize("text", [*MISTAKEN, *OTHERS])
def test_typed_text_is_the_text_of_the_config(check: Any, text: str) -> None:
    run = check(f"name={text}", f"tracking.experiment={text}").run
    assert (run.name, run.tracking.experiment) == (text, text)


@pytest.mark.parametrize("text", ["x{", "{x", "x}", "[x", "a{b}c", "{"])
def test_bracket_that_encloses_nothing_is_a_letter_of_a_text(
    check: Any, text: str
) -> None:
    run = check(f"name={text}", f"+tags.password={text}").run
    assert (run.name, run.tags["password"]) == (text, text)


def test_null_and_quoted_texts_stay_what_they_are(check: Any) -> None:
    assert check("name=null").run.name is None
    assert check("name='null'").run.name == "null"
    assert check('name="1e3"').run.name == "1e3"


@pytest.mark.parametrize(
    "key",
    [
        *("run_id", "from_search", "name", "output_dir", "trainer.monitor"),
        *("tracking.uri", "tracking.ui_url", "dataset.path", "dataset.scan_cache"),
        *("callbacks.checkpoint.monitor", "+task.uri", "++name"),
    ],
)
def test_every_key_of_texts_has_it(quote: Any, key: str) -> None:
    assert quote(f"{key}=12e45678") == [f'{key}="12e45678"']


@pytest.mark.parametrize(
    "word",
    [
        *("seed=12345678", "optimizer.lr=1e-3", "gpu=0", "fresh=true", "+tags.note=5"),
        *("trainer.threads=2", "dataset.image_size=[32,32]", "model=1", "name=abc"),
        *("+model.anything=1e3", "hydra.verbose=true", "name=range(1,3)"),
        *("name=int(5)", "name=${seed}", "name=1 2"),
    ],
)
def test_other_words_are_left_alone(quote: Any, word: str) -> None:
    assert quote(word) == [word]


@pytest.mark.parametrize(
    ("typed", "composed"),
    [
        ("name=01,2,null,a", 'name=01,"2",null,a'),
        ("name='3,4',5", "name='3,4',\"5\""),
        ("name=1, 2e5 ,c d", 'name="1", "2e5" ,c d'),
        ("name=choice(1,2)", 'name=choice("1","2")'),
        ("name=shuffle(7,true)", 'name=shuffle("7","true")'),
    ],
)
def test_each_of_several_values_is_a_text(
    quote: Any, typed: str, composed: str
) -> None:
    assert quote(typed) == [composed]


def test_jobs_of_a_sweep_have_the_typed_texts(check: Any) -> None:
    texts = ["01", "1", "1e3", "true"]
    plan = check(f"name={','.join(texts)}", multirun=True)
    names = [check(*job).run.name for job in plan.jobs]
    assert names == texts
    assert len(set(plan.job_folders)) == len(texts)


def test_numbers_in_a_list_of_texts_are_texts(check: Any) -> None:
    words = ("dataset=table", "dataset.table=a.csv", "trainer.monitor=val_map")
    words += ("loss=binary_cross_entropy",)
    plan = check(*words, "dataset.label_columns=[1,2e5]")
    assert plan.run.dataset.label_columns == ["1", "2e5"]
    plan = check(*words, "dataset.label_columns=[1,b],[true,'007']", multirun=True)
    names = [check(*words, *job).run.dataset.label_columns for job in plan.jobs]
    assert names == [["1", "b"], ["true", "007"]]


def test_trials_of_a_search_have_the_typed_texts(check: Any) -> None:
    plan = check(*SEARCH, "run_id=12e45678", "name=1e3,2024", multirun=True)
    assert plan.run.run_id == "12e45678"
    (names,) = [p for p in plan.search.space.parameters if p.key == "name"]
    jobs = [names.format(choice) for choice in names.choices]
    assert [check(job).run.name for job in jobs] == ["1e3", "2024"]


@pytest.mark.parametrize("text", ["12345678", "12e45678", "007", "true"])
def test_word_without_quotes_is_the_job_of_the_one_with_them(
    check: Any, text: str
) -> None:
    plain, quoted = (check(f"run_id={word}") for word in (text, f'"{text}"'))
    assert (plain.run, plain.folder) == (quoted.run, quoted.folder)
    sweeps = [
        check(f"run_id={word},abc", multirun=True) for word in (text, f"'{text}'")
    ]
    assert sweeps[0].job_folders == sweeps[1].job_folders
    assert sweeps[0].folder == sweeps[1].folder


def test_config_composed_in_python_has_the_typed_text_and_keeps_it() -> None:
    config = compose(["name=2024", "output_dir=1e3"])
    assert (config.run.name, config.run.output_dir) == ("2024", "1e3")
    again = compose(config.overrides)
    assert (again.run, again.folder) == (config.run, config.folder)
    assert config.with_overrides(["seed=3"]).run.name == "2024"


def test_several_values_of_a_single_run_are_told_as_typed(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"name takes one value .* Received: 1,2\."):
        check("name=1,2")
