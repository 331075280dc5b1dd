"""Which names say that a value is a secret: of keys, variables and parameters.

A name is judged by its last words, whole ones: `api_key` and `accessKey`, but neither
`monkey` nor `tokenizer`, and no `cls_token` of a network.
"""

import re
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRETS = frozenset(
    """
    password passwd pgpassword pwd passphrase secret token credential credentials auth
    authorization apikey accesskey secretkey privatekey authtoken accesstoken
    """.split()  # noqa: SIM905 - a table
)
# What makes a `..._key` one that opens something, unlike `sort_key`.
_KEYS = frozenset(
    """
    access account admin aes api app application auth client consumer decryption
    deploy encryption function hmac host license master personal private rsa
    secret service session shared sign signing ssh storage subscription user
    webhook
    """.split()  # noqa: SIM905 - a table
)
# Too common to count in a sentence: in the query of an address, or as a tag.
_PARAMETERS = frozenset(["key", "pass", "pw", "sas", "sig", "signature"])
# In links to MLflow's pages: it names the view that is shown, and opens nothing.
_SHOWN = frozenset(["viewStateShareKey"])
# Tokens that a network reads.
_LEARNT = frozenset(
    """
    bos class cls eos mask max min n num pad patch per register sep special unk
    """.split()  # noqa: SIM905 - a table
)
_ADDED = frozenset(["value", "text"])
_FOLDERS = frozenset(["PWD", "OLDPWD"])


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tells whether the value of a key, a variable or an attribute is a secret.

    Args:
        name: Such as `tags.api_key`, `+dataset.token` or `AWS_SECRET_ACCESS_KEY`.
    """
    *parents, own = re.split(r"[./@]", name.lstrip("+~-"))
    if own in _FOLDERS:
        return False
    if parents[-1:] == ["tags"] and own.lower() in _PARAMETERS:
        return True
    words = [word.lower() for word in _PARTS.findall(own) if not word.isdigit()]
    while len(words) > 1 and words[-1] in _ADDED:
        words.pop()
    before = words[-2] if len(words) > 1 else ""
    if words and words[-1] in _SECRETS:
        return before not in _LEARNT
    return words[-1:] == ["key"] and (
        before in _KEYS or (bool(before) and own.isupper())
    )


def is_secret_parameter(name: str) -> bool:
    """Tells whether the value of a parameter of an address is a secret.

    Args:
        name: Such as `sig` in `https://host/path?sig=...`.
    """
    if name in _SHOWN:
        return False
    words = [word.lower() for word in _PARTS.findall(name)]
    return words[-1:] != [] and (words[-1] in _PARAMETERS or is_secret_name(name))
