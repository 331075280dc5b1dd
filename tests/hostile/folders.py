"""The folder that hostile commands run in: what they get and what they must leave."""

import hashlib
import os
from pathlib import Path

from tests.hostile.grammar import SECRET

_FILES = {
    "conf/main.yaml": "defaults: [config, _self_]\nseed: 7\n",
    "conf/experiment/own.yaml": "# @package _global_\nseed: 3\n",
    "conf/experiment/wide.yaml": (
        "# @package _global_\nallowed_targets: [os, subprocess, experiments]\n"
        "callbacks:\n  x:\n    _target_: subprocess.getoutput\n"
        "    cmd: touch ../canary/kept\n"
    ),
    "conf/experiment/loop.yaml": (
        "# @package _global_\ndefaults: [loop, own]\nseed: ${name}\nname: ${seed}\n"
    ),
    "conf/model/bad.yaml": "depth: [18\n  width: }\n",
    "conf/tracking/tag.yaml": (
        "!!python/object/apply:os.system ['touch ../canary/kept']\n"
    ),
    "conf/task/call.yaml": "_target_: os.system\ncommand: touch ../canary/kept\n",
    "conf/hydra/job_logging/call.yaml": (
        "version: 1\nhandlers:\n  x:\n    (): os.system\n"
        "    command: touch ../canary/kept\nroot: {handlers: [x]}\n"
    ),
    "secret": SECRET,
}
_BOMB = "\n".join(
    [
        "# @package _global_",
        "tags:",
        "  a0: &a0 [x,x,x,x,x,x,x,x,x,x]",
        *(f"  a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)),
    ]
)


def make_folder(folder: Path) -> None:
    """Makes what every command shares: `given`, the canaries and a home."""
    given = folder / "given"
    for name, text in {**_FILES, "conf/experiment/bomb.yaml": _BOMB}.items():
        path = given / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (given / "conf" / "optimizer").mkdir()
    (given / "conf" / "optimizer" / "binary.yaml").write_bytes(bytes(range(256)) * 9)
    (given / "conf" / "augment" / "folder.yaml").mkdir(parents=True)
    (given / "images" / "cat").mkdir(parents=True)
    (given / "images" / "cat" / "1.png").write_bytes(b"\x89PNG")
    (given / "loop").symlink_to(given / "loop")
    (given / "link").symlink_to(folder / "canary")
    os.mkfifo(given / "fifo")
    (folder / "shared").mkdir()
    for place in (folder / "canary", folder / "home" / ".ssh"):
        place.mkdir(parents=True)
        (place / "kept").write_text("nobody was here\n")


def read_canaries(folder: Path) -> str:
    """Returns a digest over what must stay as it is."""
    digest = hashlib.sha256()
    for place in ("canary", "home/.ssh", "given"):
        for path in sorted((folder / place).rglob("*")):
            facts = path.lstat()
            digest.update(repr((str(path), facts.st_size, facts.st_mtime_ns)).encode())
    return digest.hexdigest()
