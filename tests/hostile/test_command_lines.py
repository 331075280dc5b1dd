"""Hundreds of generated command lines, each up to the moment when its job would run.

The same lines are drawn each time, and thousands of others where there is time. A
failure prints the shortest line, ready to paste.
"""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hostile.folders import make_folder, read_canaries
from tests.hostile.grammar import draw_line
from tests.hostile.judge import (
    find_fault,
    kind_of,
    run_all,
    run_lines,
    shorten,
    to_paste,
)
from tests.hostile.process import Outcome

_SEED = 20_000
_SHOWN = 5  # kinds of faults that are made short
# Each was found by hand before there was a generator, or breaks the rule it stands for.
KNOWN = (
    ["model._target_=[]"],
    ["-m", "hydra/sweeper=null"],
    ["++hydra.sweeper=3", "+model.x=3"],
    ["hydra.job.chdir=${job_folder:}"],
    ["dataset=table", 'dataset.table="'],
    ["dataset.corrections=/"],
    ["dataset.corrections=/dev/zero"],
    ["dataset=table", "dataset.table=/dev/zero"],
    ["-m", "hydra.sweeper.params={seed:1}"],
    ["hydra/job_logging=null"],
    ["hydra.job_logging.root.level=NOPE"],
    [f"+{'k' * 300}=1"],
    [f"seed={'9' * 5000}"],
    ["++hydra.job.env_set=${nope}"],
    ["hydra.job.env_set.A=${nope}"],
    ["hydra.job.chdir=???"],
    ["dataset=synthetic", "dataset.validation_fraction=5e-324"],
    ["--info", "defaults-tree", "model=5"],
    ["--hydra-help", f"~{'x' * 300}"],
    ["--info", "defaults", f"hydra.sweeper.max_retries={'9' * 5000}"],
    [f"+tags.x={'[' * 500}{']' * 500}"],
    [f"model._target_={'a/' * 2000}"],
    ["-m", "seed=range(0,100000)"],
    ["-m", "dataset.path=range(0,1e18)", "dataset=mnist"],
    ["-m", "seed=range(0,1,1e-9)", "seed=3"],
    ["-m", "dataset.std=${job_folder:}"],
    ["--config-dir", "given/conf", "experiment=bomb"],
    ["dataset.decode_threads=100000000"],
    ["augment=flip_crop", "augment.flip_crop.pad=1e13"],
    ["schedule=step", "schedule.every_epochs=1e-300"],
    ["model.width=1000000000000"],
    ["optimizer.lr=1e-320"],
    ["tracking=server", "tracking.uri=https://h:99999"],
    ["tracking.ui_url=notaurl"],
    ["output_dir=/dev/null"],
    ["tracking.uri=http://h.invalid/?token=hush-hush-4711 x"],
)


def draw_lines(count: int, *, seed: int = _SEED) -> list[list[str]]:
    generator = random.Random(seed)
    return [draw_line(generator) for _ in range(count)]


def report(
    lines: Sequence[Sequence[str]], outcomes: Sequence[Outcome], folder: Path
) -> str:
    """Returns each kind of fault with its shortest line; empty when there is none."""
    found: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for line, outcome in zip(lines, outcomes, strict=True):
        fault = find_fault(outcome, line)
        if fault is not None:
            found.setdefault(kind_of(fault), []).append((fault, line))
    parts = []
    for number, cases in enumerate(found.values()):
        fault, line = min(cases, key=lambda case: len(" ".join(case[1])))
        if number < _SHOWN:
            line = shorten(line, fault, folder / f"shorter-{number}")
        parts.append(f"{len(cases)} x {fault}\n    {to_paste(line)}")
    return "\n".join(parts)


def check_lines(count: int, folder: Path, *, seed: int = _SEED) -> None:
    lines = draw_lines(count, seed=seed)
    outcomes = run_all(lines, folder / "all", processes=1)
    if told := report(lines, outcomes, folder):
        pytest.fail(told, pytrace=False)
    # A generator of which nothing gets through, or all, has nothing to say.
    ran = sum(outcome.ran for outcome in outcomes)
    assert count / 50 < ran < count / 2


@pytest.mark.timeout(1800)
def test_hundreds_of_hostile_lines_end_in_a_sentence_and_touch_nothing(
    tmp_path: Path,
) -> None:
    check_lines(400, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("seed", [_SEED, *range(10)])
def test_thousands_of_hostile_lines_end_in_a_sentence_and_touch_nothing(
    tmp_path: Path, seed: int
) -> None:
    check_lines(2_000, tmp_path, seed=seed)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What became of the lines above."""
    folder = tmp_path_factory.mktemp("known")
    outcomes = run_all(KNOWN, folder, processes=1)
    return {
        to_paste(line): outcome for line, outcome in zip(KNOWN, outcomes, strict=True)
    }


@pytest.mark.parametrize("line", KNOWN, ids=lambda line: " ".join(line)[:50])
def test_line_that_once_got_through_is_refused_in_a_sentence(
    known: dict[str, Outcome], line: list[str]
) -> None:
    outcome = known[to_paste(line)]
    assert find_fault(outcome, line) is None
    assert outcome.code in (1, 2)


def test_the_same_lines_are_drawn_each_time() -> None:
    assert draw_lines(50) == draw_lines(50)
    assert draw_lines(50) != draw_lines(50, seed=1)


# The judge has to see what it is there for.
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("open('../canary/kept', 'a')", "touches what it was not given: open"),
        ("open('../canary/kept')", "touches what it was not given: open"),
        ("os.remove('/etc/hostname')", "touches what it was not given: os.remove"),
        ("os.system('true')", "touches what it was not given: os.system"),
        ("subprocess.run(['true'])", "touches what it was not given: subprocess"),
        ("socket.create_connection(('h', 1))", "touches what it was not given: sock"),
        ("shutil.rmtree('../canary')", "touches what it was not given: "),
        ("os.listdir('/root')", "touches what it was not given: os.listdir"),
        ("os._exit(3)", "breaks: "),
        ("os.abort()", "breaks: "),
        ("1 / 0", "breaks: ZeroDivisionError"),
        ("sys.exit(3)", "exits with 3"),
        ("sys.exit(2)", "fails without a sentence"),
        ("sys.exit('a word\\x1b[31m')", "sends '\\x1b' to the terminal"),
        ("print('\\ud800')", "breaks: UnicodeEncodeError"),
        ("None", "ends well and says nothing"),
    ],
)
def test_what_a_command_must_not_do_is_seen(
    tmp_path: Path, code: str, fault: str
) -> None:
    (outcome,) = run_lines([[]], tmp_path / "run", code=code)
    assert str(find_fault(outcome, [])).startswith(fault)


def test_canaries_tell_that_something_changed(tmp_path: Path) -> None:
    make_folder(tmp_path)
    before = read_canaries(tmp_path)
    (tmp_path / "canary" / "new").touch()
    assert read_canaries(tmp_path) != before


def test_line_is_shortened_to_what_its_fault_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(outcome: Outcome, line: Sequence[str]) -> str | None:
        return "shows the schedule" if "T_max" in line and "--cfg" in line else None

    monkeypatch.setattr("tests.hostile.judge.find_fault", find)
    monkeypatch.setattr("tests.hostile.judge.run_lines", lambda *_: [Outcome()])
    line = ["seed=3", "--cfg", "job", "T_max", "model=resnet18"]
    assert shorten(line, "shows the schedule", tmp_path) == ["--cfg", "T_max"]


def test_command_is_printed_such_that_a_shell_reads_the_same() -> None:
    words = ["a=b c", "\n", "\udcff'", "ä"]
    (printed,) = [to_paste(words).removeprefix("python run.py ")]
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {printed}"], capture_output=True, check=True
    )
    read = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    assert read == [*words, ""]
