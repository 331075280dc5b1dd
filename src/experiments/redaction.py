"""Hides secrets in what leaves the process: the screen, its files and its records.

A secret is what has a secret's name (`secret_names`), the user in an address, what has
the shape of a known kind of token, and wherever it stands, the value of a variable of
the environment or of a key that has such a name. In its place stands `***`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from experiments.secret_names import is_secret_name, is_secret_parameter

HIDDEN = "***"
_KEPT = frozenset(["", "null", "None", "true", "false", "???", HIDDEN])
_INTERPOLATION = re.compile(r"\$\{[^,{}]*\}")  # says where the value is, without it
_VERSION = re.compile(r"\d+(?:\.\d+){1,3}(?:(?:a|b|rc|\.post|\.dev)\d+)?(?:\+\w+)?")
_SHORTEST = 6  # characters of a value that is looked for wherever it stands
_SHORTEST_WORD = 10  # of one of small letters only, which may be a word of a sentence
_SHORTEST_VARIABLE = 8  # of the environment, which is set for other programs too

_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    r"[\sA-Za-z0-9+/=,:\\]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
)
# A password may hold signs that belong quoted: then what follows `user:` is no port.
_USER = re.compile(
    r"(?<=://)(?:[^\s/?#'\"<>]{0,500}@"
    r"|[^\s/:@'\"]{1,200}:(?!\d{1,5}(?:[/?#\s]|$))[^\s'\"]{0,500}@)"
)
_SHAPES = re.compile(
    r"""(?<![A-Za-z0-9_])(?:
    gh[opsur]_[A-Za-z0-9]{20,} | github_pat_\w{20,} | glpat-[\w-]{20,}
    | (?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])
    | hf_[A-Za-z0-9]{20,} | (?<!-)sk-(?=[\w-]*\d)[\w-]{20,} | dapi[0-9a-f]{32}
    | xox[abeoprs]-[\w-]{10,} | AIza[\w-]{35} | npm_[A-Za-z0-9]{36}
    | eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?
    )""",
    re.VERBOSE,
)
_SENT = re.compile(
    r"(?i)(?<!\w)(authorization[ \t]*[:=][ \t]*(?=\w+[ \t])"
    r"|bearer[ \t]+(?=[^\s\"']*\d|[^\s\"']{16}))(?:\w+[ \t]+)?[^\s\"',;]{4,}"
)
_NAMED = re.compile(
    r"(?<![\w.\-])(?P<quote>\\?[\"']|)-{0,2}(?P<name>[+~]{0,2}[A-Za-z_][\w.\-]*+)"
    r"(?P=quote)[ \t]{0,8}(?P<sign>=(?!=)|:(?![/=:]))[ \t]{0,8}"
)
_QUOTED = (
    r"\\\"[^\"\\]*+\\\"|\\'[^'\\]*+\\'|[bfru]?\"(?:[^\"\\\n]|\\.)*+\""
    r"|[bfru]?'(?:[^'\\\n]|\\.)*+'"
)
_AFTER_EQUAL = re.compile(rf"{_QUOTED}|\[[^\]\n]*+\]|\{{[^}}\n]*+\}}|[^\s\"'&;#]+")
_AFTER_COLON = re.compile(rf"{_QUOTED}|\[[^\]\n]*+\]|[^\s\"',{{}}\[\]][^\s\"',}}\]]*+")
# As this project writes numbers: `my_token: 1,258 train` names a data set.
_COUNT = re.compile(r"\d{1,3}(?:,\d{3})*(?=[ \t]+[a-z])")
_CODE_FILES = (".py", ".pyi")
_CODE = re.compile(_QUOTED)  # what is no text there is an expression

_learnt: set[str] = set()


def redact(text: str) -> str:
    """Returns a text in which `***` stands for each secret."""
    return _Redactor().hide_in(text)


def redact_word(word: str) -> str:
    """Returns an override or another word of a command line without its secrets."""
    return _Redactor().hide_in_word(word)


def redact_data(content: Any, *, anywhere: bool = True) -> Any:
    """Returns plain data without its secrets: mappings, sequences and leaves.

    Args:
        content: Plain data; sequences become lists, what is no text stays.
        anywhere: Also where a known secret stands in another value; else the result
            depends on nothing but `content`.
    """
    return _Redactor(anywhere=anywhere).hide_in_data(content, "")


def redact_file(text: str, name: str) -> str:
    """Returns the text of a file without its secrets, by its kind.

    Args:
        text: All of it.
        name: Of the file; of code and patches only texts are hidden.
    """
    suffix = Path(name).suffix
    if suffix in (".diff", ".patch"):
        return redact_diff(text)
    return _Redactor(is_code=suffix in _CODE_FILES).hide_in(text)


def redact_bytes(data: bytes, name: str) -> bytes:
    """Returns what a file holds without its secrets; what is no text stays as it is.

    Args:
        data: All of it.
        name: Of the file.
    """
    if b"\0" in data:
        return data
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return redact_file(text, name).encode()


def redact_diff(diff: str) -> str:
    """Returns a patch without its secrets; of Python code only texts are hidden."""
    files = re.split(r"(?m)^(?=diff --git )", diff)
    return "".join(
        _Redactor(is_code=Path(file.partition("\n")[0]).suffix in _CODE_FILES).hide_in(
            file
        )
        for file in files
    )


def find_hidden(content: Any, name: str = "") -> Iterator[str]:
    """Yields the dotted keys of plain data in whose values `***` stands.

    Args:
        content: Plain data.
        name: The key that holds it.
    """
    if isinstance(content, Mapping):
        for key, part in content.items():
            yield from find_hidden(part, f"{name}.{key}" if name else str(key))
    elif isinstance(content, list | tuple):
        if any(True for part in content for _ in find_hidden(part, name)):
            yield name
    elif isinstance(content, str) and HIDDEN in content:
        yield name


def learn_secrets(content: Any) -> None:
    """Hides from now on the secrets of a config or a command line wherever they stand.

    Args:
        content: Plain data, or words as typed.
    """
    redactor = _Redactor()
    redactor.hide_in_data(content, "")
    for value in redactor.hidden:
        text = _unquote(value)
        parts = re.split(r"[\[\]{},]|:(?!//)", text)
        for part in (text, *(_unquote(part.strip()) for part in parts)):
            word = part.isalpha() and part.islower()
            if len(part) >= (_SHORTEST_WORD if word else _SHORTEST):
                _learnt.update({part, unquote(part)})


class _Redactor:
    """Hides secrets and notes those that are known by their place.

    Args:
        is_code: Hide no expressions, such as `token=read_token()`.
        anywhere: Hide known values wherever they stand.
    """

    def __init__(self, *, is_code: bool = False, anywhere: bool = True) -> None:
        self.hidden: list[str] = []
        self._known = _known() if anywhere else None
        self._is_code = is_code

    def hide_in(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _KEY_BLOCK.sub(HIDDEN, text)
        text = _USER.sub(self._hide_user, text)
        text = _SHAPES.sub(HIDDEN, text)
        text = _SENT.sub(rf"\1{HIDDEN}", text)
        return self._hide_named(text)

    def hide_in_word(self, word: str) -> str:
        name, sign, value = word.partition("=")
        if sign and re.fullmatch(r"[\w.+~@/-]+", name) and is_secret_name(name):
            return f"{name}={self._hide(value)}"
        return self.hide_in(word)

    def hide_in_data(self, content: Any, name: str, *, whole: bool = False) -> Any:
        whole = whole or is_secret_name(name)
        if isinstance(content, Mapping):
            return {
                self.hide_in(key) if isinstance(key, str) else key: self.hide_in_data(
                    part, _join(name, str(key)), whole=whole
                )
                for key, part in content.items()
            }
        if isinstance(content, list | tuple | set | frozenset):
            return [self.hide_in_data(part, "", whole=whole) for part in content]
        if isinstance(content, str):
            return self._hide(content) if whole else self.hide_in_word(content)
        number = isinstance(content, int | float) and not isinstance(content, bool)
        return HIDDEN if whole and number else content

    def _hide(self, value: str) -> str:
        if value in _KEPT or _VERSION.fullmatch(value):
            return value
        if _INTERPOLATION.fullmatch(_unquote(value)):
            return value
        self.hidden.append(value)
        return HIDDEN

    def _hide_user(self, found: re.Match[str]) -> str:
        password = found[0].removesuffix("@").partition(":")[2]
        if password:
            self.hidden.append(password)
        return f"{HIDDEN}@"

    def _hide_named(self, text: str) -> str:
        """Hides the values of names in `name=value` and `name: value`."""
        pieces: list[str] = []
        end = 0
        for found in _NAMED.finditer(text):
            if found.start() < end or not self._is_secret(found, text):
                continue
            after = _AFTER_EQUAL if found["sign"] == "=" else _AFTER_COLON
            value = (_CODE if self._is_code else after).match(text, found.end())
            if value is not None:
                quotes = _quotes(value[0]) or found["quote"]
                hidden = self._hide(value[0]) == HIDDEN
                shown = f"{quotes}{HIDDEN}{quotes}" if hidden else value[0]
                pieces += [text[end : found.end()], shown]
                end = value.end()
        return "".join([*pieces, text[end:]])

    def _is_secret(self, found: re.Match[str], text: str) -> bool:
        if (
            found["sign"] == ":"
            and not found["quote"]
            and _COUNT.match(text, found.end())
        ):
            return False
        before = text[found.start() - 1] if found.start() else ""
        in_query = found["sign"] == "=" and before in ("?", "&", "#", ";")
        return (is_secret_parameter if in_query else is_secret_name)(found["name"])


def _join(parent: str, key: str) -> str:
    """Returns the path of a key; a file's name is none."""
    return "" if "/" in key else f"{parent}.{key}" if parent else key


def _quotes(value: str) -> str:
    """Returns the quotes around a value; empty without any."""
    found = re.match(r"[bfru]?(\\?[\"'])", value)
    return "" if found is None else found[1]


def _unquote(value: str) -> str:
    quotes = _quotes(value)
    return value.lstrip("bfru")[len(quotes) : -len(quotes)] if quotes else value


def _known() -> re.Pattern[str] | None:
    """Returns what finds the secrets whose text is known; `None` without any."""
    own = {
        value
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST_VARIABLE
        and is_secret_name(name)
        and not (value.startswith("/") and Path(value).exists())
    }
    return _compile(frozenset(own | _learnt))


@lru_cache(maxsize=16)
def _compile(values: frozenset[str]) -> re.Pattern[str] | None:
    if not values:
        return None
    words = "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")
