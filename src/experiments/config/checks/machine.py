"""What this machine has, as far as the system says so without a framework."""

import os
from collections.abc import Iterator
from pathlib import Path

_GPUS = Path("/proc/driver/nvidia/gpus")
# Of AMD's GPUs, and of TPUs.
_OTHERS = ("/dev/kfd", "/dev/accel0", "/dev/vfio/0")
_GROUPS = Path("/sys/fs/cgroup")


def total_memory() -> int | None:
    """Returns the bytes that a process may have, swap included; `None`: unknown.

    A container or a queue may allow less than the machine has.
    """
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # not on this system
        return None
    limits = [*_read_group_limits()]
    return min([pages + _read_swap(), *limits])


def may_have_accelerator() -> bool:
    """Tells whether anything beside the CPU may compute."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hidden = visible is not None and visible.strip() in ("", "-1")
    nvidia = not hidden and _GPUS.is_dir() and any(_GPUS.iterdir())
    return nvidia or any(Path(path).exists() for path in _OTHERS)


def _read_swap() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("SwapTotal:")]
    return 1024 * int(sizes[0]) if sizes else 0


def _read_group_limits() -> Iterator[int]:
    """Yields the limits of the control groups that this process is in, old and new."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        if number == "0":
            yield from _read_limits(_GROUPS, place, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _read_limits(_GROUPS / "memory", place, "memory.limit_in_bytes")


def _read_limits(root: Path, place: str, name: str) -> Iterator[int]:
    """Yields the limits of a group and of those that it is in."""
    group = root / place.strip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(root):
            try:
                text = (folder / name).read_text().strip()
            except OSError:  # a container sees its own part of the tree
                continue
            if text.isdigit():
                yield int(text)
