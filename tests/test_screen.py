"""Each case is a process of its own, whose screen is closed, full or slow."""

import logging
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ExperimentError
from experiments.screen import Screen, confirm_page, guard_log, open_console

START = "from experiments.screen import guard_screen; guard_screen(); import os, sys\n"
# More than the 64 KiB that a pipe holds, so that none is through before its reader is
# gone. Says how it ended where no screen is needed.
MANY = START + (
    "for number in range(8000):\n"
    "    print('line', number)\n"
    "    print('line', number, file=sys.stderr)\n"
    "open(sys.argv[1], 'w').write('ended')\n"
)


def shell(line: str, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs code by a line of the shell, in which it is `"$@"`."""
    command = ["bash", "-c", f"set -o pipefail; {line}", "bash", sys.executable, "-c"]
    return subprocess.run(
        [*command, code, *words], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("line", "output", "errors"),
    [
        ('"$@" 2>/dev/null | head -1', "line 0\n", ""),
        ('"$@" 2>&1 >/dev/null | head -1', "line 0\n", ""),
        ('"$@" 2>&1 | head -0', "", ""),
        ('"$@" >&- 2>&-', "", ""),
        ('"$@" <&- >&- 2>/dev/null', "", ""),
        ('"$@" > /dev/full 2> /dev/full', "", ""),
    ],
)
def test_process_goes_on_though_nobody_reads_it(
    tmp_path: Path, line: str, output: str, errors: str
) -> None:
    end = tmp_path / "end"
    done = shell(line, MANY, str(end))
    assert (done.returncode, done.stdout, done.stderr) == (0, output, errors)
    assert end.read_text() == "ended"


def test_terminal_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    end = tmp_path / "end"
    code = START + "input()\n" + MANY.removeprefix(START)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(end)],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.close(ours)
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0
    assert end.read_text() == "ended"


def test_pipe_that_does_not_wait_gets_everything() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    code = START + "print('x' * 1_000_000)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=writing):
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert len(pipe.read()) == 1_000_001


def test_file_opened_later_is_not_taken_for_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "data"
    code = START + f"file = open({str(path)!r}, 'w'); os.write(1, b'x'); print('x')"
    assert shell('"$@" <&- >&- 2>&-', code).returncode == 0
    assert path.read_text() == ""


def test_line_appears_when_it_ends_or_is_flushed() -> None:
    code = START + (
        "print('a'); print('b', end='', flush=True); sys.stdout.write('c')\nos._exit(0)"
    )
    assert shell('"$@"', code).stdout == "a\nb"


def test_text_of_two_writes_holds_no_secret() -> None:
    code = START + "print('with', 'api_key=', sep=' ', end=''); print('Kx7qCanary92')"
    assert shell('"$@"', code).stdout == "with api_key=***\n"


def test_traceback_holds_no_secret() -> None:
    code = START + "raise ValueError('cannot reach http://me:Kx7qCanary92@h/')"
    done = shell('"$@"', code)
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: cannot reach http://***@h/\n")
    assert "Canary" not in done.stderr


def test_sign_that_the_terminal_does_not_know_is_written_in_another_way() -> None:
    code = "import sys; sys.stdout.reconfigure(encoding='ascii')\n" + START
    assert shell('"$@"', code + "print('é')").stdout == "\\xe9\n"


def test_stream_without_a_file_is_written_to_as_well() -> None:
    class Notebook:
        text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None: ...

    notebook = Notebook()
    screen = Screen(notebook)
    assert screen.write("a token=Kx7qCanary92") == 20
    assert notebook.text == ""
    screen.close()
    assert notebook.text == "a token=***"


class Notebook:
    """The stream of a kernel: it has a descriptor, that of its server's terminal."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


def test_text_of_a_notebook_is_shown_there_and_not_in_its_servers_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    notebook = Notebook()
    Screen(notebook).write("a line\n")
    assert notebook.text == "a line\n"
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("guard", [lambda stream: stream, Screen])
def test_console_of_a_notebook_prints_plain_lines(
    guard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    notebook = Notebook()
    console = open_console(guard(notebook))
    console.print("[bold]words")
    assert notebook.text == "words\n"
    assert not console.is_terminal


def test_page_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", Screen(full))
        confirm_page()
        print("page")
        with pytest.raises(ExperimentError, match="No space left on device"):
            confirm_page()


def test_log_holds_no_secret(own_log: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    for _ in range(2):
        guard_log()
    try:
        raise ValueError("http://me:Kx7qCanary92@h/")
    except ValueError:
        logging.getLogger("x").exception("with %s", "token=Kx7qCanary92")
    text = path.read_text()
    assert text.startswith("ERROR with token=***\nTraceback")
    assert text.endswith("ValueError: http://***@h/\n")


def test_table_in_a_pipe_is_as_wide_as_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    with (tmp_path / "shown").open("w") as file:
        open_console(file, whole=True).print("a " * 200)
        open_console(file).print("b " * 200)
    shown = (tmp_path / "shown").read_text().splitlines()
    assert len(shown[0].split()) == 200
    assert {len(line.split()) for line in shown[1:]} == {40}
