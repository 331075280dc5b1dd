"""Which code is running: the git commit and what was changed since."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.redaction import HIDDEN, redact_diff

_SECONDS = 20
_DIFF_LIMIT = 1_000_000
_FILES_LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class CodeVersion:
    """The state of a git checkout.

    Attributes:
        commit: Full hash; `None` outside a checkout.
        branch: Its name; `None` outside a checkout or when detached.
        dirty: Whether tracked files differ or untracked ones exist; `None` outside.
        diff: Patch of the tracked files against the commit, without secrets and perhaps
            cut (`note` says so).
        untracked: Files that git neither tracks nor ignores, relative to the root.
        note: What could not be found out, or was left out; empty when all is there.
    """

    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    diff: str = ""
    untracked: tuple[str, ...] = field(default=())
    note: str = ""


def read_code_version(
    folder: Path | None, *, diff_limit: int = _DIFF_LIMIT
) -> CodeVersion:
    """Returns the state of the checkout around a folder; never fails.

    Args:
        folder: Any folder of the checkout; `None` where all code is installed: a
            checkout around that is somebody's, and git does what is written in it.
        diff_limit: Bytes of the diff to keep.
    """
    if folder is None:
        return CodeVersion(note="no git commit is known: the code is installed")
    try:
        root = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
        commit = _git(root, "rev-parse", "HEAD").strip()
        branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD").strip()
        # Not the user's external diff tool or colours: a patch that applies.
        diff = _git(root, "diff", "--no-ext-diff", "--no-color", "HEAD")
        listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    except (OSError, subprocess.SubprocessError) as error:
        return CodeVersion(note=f"no git commit is known: {_explain(error, folder)}")
    untracked = [name for name in listed.split("\0") if name]
    shown = redact_diff(diff)
    kept, notes = _cut(shown, diff_limit)
    if shown != diff:
        notes.append(f"secrets in the diff stand as {HIDDEN}")
    if len(untracked) > _FILES_LIMIT:
        notes.append(f"{len(untracked):,} untracked files, {_FILES_LIMIT} are listed")
    return CodeVersion(
        commit=commit,
        branch=None if branch == "HEAD" else branch,
        dirty=bool(diff or untracked),
        diff=kept,
        untracked=tuple(untracked[:_FILES_LIMIT]),
        note="; ".join(notes),
    )


def _git(folder: Path, *arguments: str) -> str:
    # Optional locks off: a run only reads, and others may be committing.
    command: Sequence[str] = ("git", "--no-optional-locks", "-C", str(folder))
    result = subprocess.run(
        [*command, *arguments], capture_output=True, timeout=_SECONDS, check=True
    )
    return result.stdout.decode("utf-8", errors="replace")


def _cut(diff: str, limit: int) -> tuple[str, list[str]]:
    data = diff.encode("utf-8")
    if len(data) <= limit:
        return diff, []
    note = f"the diff has {len(data):,} bytes, the first {limit:,} are kept"
    return data[:limit].decode("utf-8", errors="ignore") + f"\n# {note}\n", [note]


def _explain(error: Exception, folder: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return "git is not installed"
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode("utf-8", errors="replace").strip().splitlines()
        return lines[0] if lines else f"{folder} is not in a git checkout"
    return str(error)
