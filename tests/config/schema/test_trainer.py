from typing import Any

import pytest

from experiments.errors import ConfigError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.epochs=0", "trainer.epochs must be an integer >= 1"),
        ("trainer.batch_size=2.5", "trainer.batch_size must be an integer >= 1"),
        ("trainer.precision=bfloat16", "Did you mean `mixed_bfloat16`"),
        ("trainer.jit=maybe", "trainer.jit must be one of auto"),
        ("trainer.label_smoothing=1", "label_smoothing must be a number >= 0 and < 1"),
        ("trainer.progress=loud", "trainer.progress must be one of auto, rich, plain"),
    ],
)
def test_bad_value_is_refused_with_its_key(
    override: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(override)


@pytest.mark.parametrize(
    ("override", "value"), [("auto", "auto"), ("true", True), ("false", False)]
)
def test_jit_takes_auto_or_a_truth_value(
    override: str, value: Any, compose: Any
) -> None:
    jit = compose(f"trainer.jit={override}").trainer.jit

    assert (type(jit), jit) == (type(value), value)


@pytest.mark.parametrize("mode", ["auto", "rich", "plain", "off"])
def test_progress_off_is_a_word_on_the_command_line(mode: str, compose: Any) -> None:
    assert compose(f"trainer.progress={mode}").trainer.progress == mode
