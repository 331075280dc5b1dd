import pickle

import pytest

from experiments.errors import (
    ConfigError,
    DataError,
    DeviceError,
    ExperimentError,
    Preempted,
    Problem,
    TrackingError,
    summarise_error,
)

DEPTH = Problem("model.depth", "must be 18.", "Choose a file.")
SEED = Problem("seed", "is missing.")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyboardInterrupt(), "stopped by Ctrl-C"),
        (Preempted("SIGTERM"), "stopped by SIGTERM"),
        (DataError("No file.\n  Look again."), "No file. Look again."),
        (ValueError("bad\n\tvalue"), "ValueError: bad value"),
        (KeyError("a"), "KeyError: 'a'"),
        (SystemExit(3), "Code of the job called sys.exit(3)"),
        (GeneratorExit(), "GeneratorExit"),
        (ConfigError([SEED]), "The configuration has 1 problem: - seed is missing."),
    ],
)
def test_error_is_summarised_in_one_line(error: BaseException, line: str) -> None:
    assert summarise_error(error) == line


@pytest.mark.parametrize(
    ("problem", "text"),
    [(DEPTH, "model.depth must be 18. Choose a file."), (SEED, "seed is missing.")],
)
def test_problem_reads_key_message_and_hint(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_problem_does_not_repeat_a_secret() -> None:
    problem = Problem("tags.token", "must be a text. Received: {'a': 'Kx7q'}.", "Do.")
    assert str(problem) == "tags.token must be a text. Received: ***. Do."


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        ([SEED], "The configuration has 1 problem:\n  - seed is missing."),
        (
            [SEED, DEPTH],
            "The configuration has 2 problems:\n  - seed is missing.\n"
            "  - model.depth must be 18. Choose a file.",
        ),
    ],
)
def test_config_error_counts_and_lists_its_problems(
    problems: list[Problem], text: str
) -> None:
    error = ConfigError(problems)
    assert str(error) == text
    assert error.problems == tuple(problems)


def test_config_error_names_what_was_checked() -> None:
    assert str(ConfigError([SEED], "The sweep")).startswith("The sweep has 1 problem:")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ExperimentError, 1),
        (DataError, 1),
        (DeviceError, 1),
        (TrackingError, 1),
        (ConfigError, 2),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    kind: type[ExperimentError], code: int
) -> None:
    assert issubclass(kind, ExperimentError)
    assert kind.exit_code == code


def test_termination_is_not_swallowed_by_a_handler_of_exceptions() -> None:
    assert not issubclass(Preempted, Exception)


def test_config_error_comes_back_from_another_process_as_it_was() -> None:
    error = ConfigError([Problem("x", "must be 2.", "Set it.")], "The search")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == (str(error), error.problems)


def test_a_problem_shows_no_control_characters_and_of_a_long_text_its_ends() -> None:
    shown = str(Problem("k" * 1000, f"\x1b[31m{'m' * 5000}.", "Type `x`."))
    assert "\x1b" not in shown
    assert "\\x1b[31mmmm" in shown
    assert shown.endswith("mmm. Type `x`.")
    assert len(shown) < 2000
