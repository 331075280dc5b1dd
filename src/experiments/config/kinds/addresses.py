"""What an address of the web must be, found out without asking the network."""

import ipaddress
import re
from collections.abc import Collection, Iterator
from urllib.parse import SplitResult, urlsplit

from experiments.errors import Problem
from experiments.redaction import redact

WEB = ("http", "https")
_EXAMPLE = "http://127.0.0.1:5000 or https://mlflow.example.org"
_PORT = "must have a port of 1 to 65535, or none."
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def check_web_address(
    key: str,
    address: str,
    *,
    hint: str,
    schemes: Collection[str] = WEB,
    example: str = _EXAMPLE,
) -> Iterator[Problem]:
    """Yields what is wrong with an address: one problem at most.

    Args:
        key: That holds it.
        address: As typed.
        hint: How to give user and password, or what else a query would say.
        schemes: Accepted ones.
        example: Told for whatever else is wrong.
    """
    fault = _find_fault(address, schemes)
    if fault is None:
        return
    if "user name" not in fault and "query" not in fault:
        hint = f"Such as {example}."
    yield Problem(key, f"{fault} Received: {redact(address)!r}.", hint)


def _find_fault(address: str, schemes: Collection[str]) -> str | None:
    """Returns the first thing that is wrong, in words."""
    if not address.isprintable() or " " in address or "\\" in address:
        return "must not hold blanks, backslashes or control characters."
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:  # of the number, or of an IPv6 address
        is_port = "ort " in str(error)
        return _PORT if is_port else "must name a host, as [::1] where it is a number."
    if parts.scheme not in schemes:
        return f"must start with {' or '.join(f'{s}://' for s in schemes)}."
    if "@" in parts.netloc:
        return "must not hold a user name or password."
    if parts.query or parts.fragment or address.endswith(("?", "#")):
        return "must not hold a query or a fragment."
    if port == 0 or parts.netloc.endswith(":"):
        return _PORT
    if not _is_host(parts):
        return "must name a host."
    if not parts.path.isascii() or _BAD_ESCAPE.search(parts.path):
        return "must have a path in ASCII, other signs as %XX."
    return None


def _is_host(parts: SplitResult) -> bool:
    """Tells whether an address names a host: by name, in any script, or by number."""
    host = parts.hostname or ""
    try:
        if "[" in parts.netloc:
            ipaddress.IPv6Address(host)
        elif re.fullmatch(r"[\d.]+", host):
            ipaddress.IPv4Address(host)
        else:
            name = host.removesuffix(".").encode("idna").decode()
            return len(name) <= 253 and all(
                _LABEL.fullmatch(label) for label in name.split(".")
            )
    except ValueError:  # UnicodeError is one
        return False
    return True
