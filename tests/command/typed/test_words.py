"""What cannot be read is answered before Hydra's grammar is asked."""

from typing import Any

import pytest

from experiments.command.typed.words import check_flag, check_words
from experiments.errors import ConfigError


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "An empty word names no key. Type key=value."),
        ("  ", "   names no key. Type key=value."),
        ("name=a\x01b", r"name holds the control character '\x01'. Leave it out."),
        ("name=\x1b[31m", r"name holds the control character '\x1b'."),
        ("output_dir=\x00", r"output_dir holds the control character '\x00'."),
        ("name=a\udcffb", "name holds bytes that are no text. Type it in UTF-8."),
        ("+tags.\udcff=1", r"tags.\udcff holds bytes that are no text."),
        (f"+tags.{'a' * 300}=1", "tags.aaa"),
        (f"seed={'9' * 5000}", "seed holds a number of 5,000 digits. Put quotes"),
        (f"optimizer.lr=1e{'9' * 5000}", "optimizer.lr holds a number of 5,000"),
        (f"+tags.a={'[' * 500}{']' * 500}", "tags.a is nested more than 50 deep."),
        (f"+tags.a={'{a:' * 500}1{'}' * 500}", "tags.a is nested more than 50 deep."),
        (f"name='{'${a.' * 60}{'}' * 60}'", "name is nested more than 50 deep."),
        (f"+tags.a=[{'1,' * 9000}1]", "tags.a is too long to be typed: 18,003"),
        (f"name={'x' * 100_000}", "name is too long to be typed: 100,000 letters."),
    ],
)
def test_a_word_that_no_grammar_reads_is_one_problem(word: str, message: str) -> None:
    (problem,) = check_words(["seed=1", word])
    assert str(problem).startswith(message)


@pytest.mark.parametrize(
    "word",
    [
        "model=resnet18",
        "~callbacks.timing",
        "name='a\tb\nc'",
        f"name='{'[' * 300}'",
        f"name='{'9' * 500}'",
        f"+tags.a={'[' * 50}{']' * 50}",
        "seed=" + ",".join(map(str, range(3000))),
        "name='日本'",
        "name='it\\'s [[[' ",
    ],
)
def test_a_word_that_may_be_read_is_left_to_the_grammar(word: str) -> None:
    assert list(check_words([word])) == []


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (
            ["+model.own=[it's"],
            [
                "+model.own has a value that cannot be read. Received: [it's. If it is "
                "a text, put quotes around it: '+model.own='\"'\"'[it"
            ],
        ),
        (["name=a\x01b"], [r"name holds the control character '\x01'. Leave it out."]),
        (["séed=1"], ["séed=1 has a key that cannot be read. Type key"]),
        (["a.b.=1"], ["a.b.=1 has a key that cannot be read."]),
        (["=x"], ["=x names no key. Type key=value."]),
        (["++"], ["++ is no key=value. Type key=value; "]),
        (["~"], ["~ names no key. Type key=value."]),
        (["seed"], ["seed has no value. Type seed=..."]),
        (
            ["seed=int(a)"],
            ["seed is refused: 'int(a)': invalid literal for int() with base 10: 'a'."],
        ),
        (["seed", "séed=日", "++"], ["seed has no", "séed=日 has a key", "++ is no"]),
    ],
)
def test_a_word_that_the_grammar_refuses_is_told_with_what_to_type(
    check: Any, words: list[str], messages: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words)
    found = [str(problem) for problem in error.value.problems]
    assert len(found) == len(messages)
    assert all(map(str.startswith, found, messages)), found


def test_the_quotes_that_are_proposed_are_read(check: Any) -> None:
    assert check('name="日本"').run.name == "日本"


@pytest.mark.parametrize(("value", "shown"), [("a\x00", r"\x00"), ("\udcff", r"\udcf")])
def test_a_flag_whose_value_no_file_can_have_is_told(value: str, shown: str) -> None:
    (problem,) = check_flag("--config-name", value)
    assert str(problem).startswith(f"--config-name holds the character '{shown}")
    assert list(check_flag("--config-name", "日本")) == []
