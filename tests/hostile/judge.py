"""What every hostile command must keep to, and the shortest line that does not."""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.hostile.folders import make_folder, read_canaries
from tests.hostile.grammar import SECRET
from tests.hostile.process import CPU_SECONDS, ROOT, Outcome

_MOST_LINES = 40
_MOST_CHARACTERS = 6000
_MOST_MEGABYTES = 1024
_BATCH = 250  # lines a process
_SEEN = re.compile(
    r'File "[^"]*/(src/[^"]+|run\.py|hydra/[^"]+|omegaconf/[^"]+)", line \d+, in (\S+)'
)
# What may not reach a terminal; a line feed ends a sentence.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def run_lines(
    lines: Sequence[Sequence[str]], folder: Path, *, code: str | None = None
) -> Iterator[Outcome]:
    """Yields what became of each line, in their order.

    Args:
        lines: What stands behind `run.py`.
        folder: Is made; everything that the commands may touch.
        code: Runs in place of the commands, in their folder: to see what is seen.
    """
    make_folder(folder)
    done = 0
    while done < len(lines):
        for outcome in _run_batch(lines[done : done + _BATCH], folder, code):
            yield outcome
            done += 1


def run_all(
    lines: Sequence[Sequence[str]], folder: Path, *, processes: int = 2
) -> list[Outcome]:
    """Returns what became of each line; several processes share the work."""
    with ThreadPoolExecutor(processes) as pool:
        parts = pool.map(
            lambda n: list(run_lines(lines[n::processes], folder / str(n))),
            range(processes),
        )
        found: list[Any] = [None] * len(lines)
        for number, part in enumerate(parts):
            found[number::processes] = part
    return found


def find_fault(outcome: Outcome, line: Sequence[str]) -> str | None:
    """Returns which rule is broken, one line that tells kinds apart; `None` if none."""
    shown = outcome.output + outcome.errors
    if outcome.violations:
        return f"touches what it was not given: {outcome.violations[0]}"
    if outcome.crash.startswith("hangs"):
        return f"hangs{_place(outcome.crash)}"
    if outcome.crash:
        return f"breaks: {_last_line(outcome.crash)}{_place(outcome.crash)}"
    if "Traceback (most recent" in shown:
        return (
            f"shows a traceback: {shown.strip().splitlines()[-1][:120]}{_place(shown)}"
        )
    if unforeseen := re.search(r"did not foresee: (.{,120})", shown):
        return f"is not foreseen: {unforeseen[1]}"
    if outcome.code not in (0, 1, 2):
        return f"exits with {outcome.code}"
    if outcome.seconds > CPU_SECONDS:
        return f"takes more than {CPU_SECONDS} s"
    if outcome.megabytes > _MOST_MEGABYTES:
        return f"takes more than {_MOST_MEGABYTES} MB"
    if SECRET in outcome.errors + outcome.left and "secret" not in " ".join(line):
        where = "on the screen" if SECRET in outcome.errors else "in a file"
        return f"shows a secret {where}"
    if outcome.code:
        return _judge_sentence(outcome.errors or outcome.output)
    return None if outcome.ran or shown.strip() else "ends well and says nothing"


def _judge_sentence(text: str) -> str | None:
    if not re.search(r"\w+ \w+", text):
        return "fails without a sentence"
    if len(text.splitlines()) > _MOST_LINES:
        return f"fails with more than {_MOST_LINES} lines"
    if len(text) > _MOST_CHARACTERS:
        return f"fails with more than {_MOST_CHARACTERS} characters"
    if found := _CONTROL.search(text):
        return f"sends {found[0]!r} to the terminal"
    return None


def shorten(line: Sequence[str], fault: str, folder: Path) -> list[str]:
    """Returns the line without the words that the fault does not need."""
    kept, tries = list(line), itertools.count()
    for _ in range(2):
        for word in list(kept):
            if len(kept) > 1:
                rest = list(kept)
                rest.remove(word)
                (outcome,) = run_lines([rest], folder / str(next(tries)))
                found = find_fault(outcome, rest)
                if found is not None and kind_of(found) == kind_of(fault):
                    kept = rest
    return kept


def kind_of(fault: str) -> str:
    """Returns what two lines with the same fault have in common."""
    place = fault.rpartition(" in ")
    return (
        f"{fault.split(':')[0].split(' in ')[0]}{' in ' + place[2] if place[1] else ''}"
    )


def to_paste(line: Sequence[str]) -> str:
    """Returns the command as one types it."""
    words = shlex.join(line)
    if any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in words):
        words = " ".join(_quote(word) for word in line)
    return f"python run.py {words}"


def _quote(word: str) -> str:
    """Quotes for bash what no quotation mark can hold on one line."""
    if word.isprintable():
        return shlex.quote(word)
    raw = word.encode("utf-8", "surrogateescape")
    return (
        "$'"
        + "".join(
            chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in raw
        )
        + "'"
    )


def _last_line(trace: str) -> str:
    """Returns what was raised; OmegaConf's messages go on below it."""
    found = re.findall(
        r"^[\w.]+(?:Error|Exception|Value|Warning)\b.*", trace, re.MULTILINE
    )
    return (found or trace.strip().splitlines())[-1][:120]


def _place(trace: str) -> str:
    """Returns the innermost function of the project, or of Hydra, in a traceback."""
    found = _SEEN.findall(trace)
    own = [f"{file}:{name}" for file, name in found if file.startswith("src/")]
    return f" in {(own or [':'.join(f) for f in found] or ['?'])[-1]}"


def _run_batch(
    lines: Sequence[Sequence[str]], folder: Path, code: str | None
) -> Iterator[Outcome]:
    """Yields the outcomes up to the line that breaks the process, if one does."""
    before = read_canaries(folder)
    request = json.dumps({"folder": str(folder), "lines": list(lines), "code": code})
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.process"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        with ThreadPoolExecutor(2) as pool:
            errors = pool.submit(process.stderr.read)  # type: ignore[union-attr]
            pool.submit(_send, process, request)
            begun = ended = 0
            for answer in process.stdout:  # type: ignore[union-attr]
                content = json.loads(answer)
                if "begins" in content:
                    begun += 1
                    continue
                ended += 1
                del content["number"]
                outcome = Outcome(**content)
                if (now := read_canaries(folder)) != before:
                    before = now
                    outcome.violations.append("a canary changed")
                yield outcome
        process.wait()
    text = errors.result().decode("utf-8", "replace")
    if begun > ended:
        kind = "hangs" if "Timeout (" in text else f"ends with {process.returncode}"
        yield Outcome(crash=f"{kind}\n{text[-3000:]}")
    elif ended < len(lines) and not begun:
        raise RuntimeError(f"The process of the commands broke: {text[-3000:]}")


def _send(process: Any, request: str) -> None:
    process.stdin.write(request.encode("utf-8", "surrogatepass"))
    process.stdin.close()
