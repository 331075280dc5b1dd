"""Feeds a reader with what a coverage-guided fuzzer makes of a few good files.

Run by hand, see `docs/security.md`; atheris is no dependency of the project. A fault
does not end the search: its first input is kept, and named on the screen.
"""

import hashlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

_LIMITS = ("-timeout=10", "-max_len=65536", "-print_final_stats=1")


def instrumented() -> AbstractContextManager[object]:
    """Lets the fuzzer see what is reached in the modules that are imported inside.

    Tests read the same inputs, and need no fuzzer for it.
    """
    if not Path(sys.argv[0]).name.startswith("fuzz_"):
        return nullcontext()
    import atheris

    return atheris.instrument_imports(include=["experiments"])


def fuzz(
    read: Callable[[bytes], object],
    good: Iterable[bytes],
    *,
    allowed: tuple[type[Exception], ...] = (),
    megabytes: int = 1024,
) -> None:
    """Fuzzes until libFuzzer's flags on the command line say that it is enough.

    Args:
        read: Reads one input; what it returns is not looked at.
        good: Inputs to begin with.
        allowed: How a reader may refuse an input.
        megabytes: The most memory.
    """
    import atheris

    place = Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus, found = place / "corpus", place / "found"
    corpus.mkdir()
    found.mkdir()
    for content in good:
        (corpus / hashlib.sha256(content).hexdigest()).write_bytes(content)
    print(f"Faults are kept in {found}", flush=True)
    known: set[str] = set()

    def test(data: bytes) -> None:
        try:
            read(data)
        except allowed:
            return
        except Exception as error:
            _keep(error, data, known, found)

    flags = [*_LIMITS, f"-rss_limit_mb={megabytes}", f"-artifact_prefix={found}/"]
    atheris.Setup([sys.argv[0], *flags, *sys.argv[1:], str(corpus)], test)
    atheris.Fuzz()


def _keep(error: Exception, data: bytes, known: set[str], folder: Path) -> None:
    """Keeps the first input of each kind of fault."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/experiments/" in frame.filename]
    last = (own or list(frames))[-1]
    kind = f"{type(error).__name__}-{Path(last.filename).stem}-{last.name}"
    if kind not in known:
        known.add(kind)
        (folder / kind).write_bytes(data)
        print(f"FOUND {kind}: {error!r:.300}", flush=True)
