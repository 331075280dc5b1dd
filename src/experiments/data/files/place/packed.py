"""Folders that somebody has packed into one file, and how they are unpacked."""

from pathlib import Path
from shlex import quote

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
_COMMANDS = {
    ".zip": "unzip -q {file} -d {folder}",
    ".7z": "7z x {file} -o{folder}",
    ".rar": "unrar x {file} {folder}/",
    **dict.fromkeys(_TAR, "mkdir -p {folder} && tar -xf {file} -C {folder}"),
}
_LONGEST_FIRST = sorted(_COMMANDS, key=len, reverse=True)


def packed_name(name: str) -> str | None:
    """Returns the name of the folder that a packed file holds; `None` for others."""
    for suffix in _LONGEST_FIRST:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return None


def unpack_command(file: Path) -> str:
    """Returns what to type in a shell to unpack a file into a folder beside it."""
    folder = file.with_name(str(packed_name(file.name)))
    suffix = next(s for s in _LONGEST_FIRST if file.name.lower().endswith(s))
    return _COMMANDS[suffix].format(file=quote(str(file)), folder=quote(str(folder)))
