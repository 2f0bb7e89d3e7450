"""Secrets in URLs and settings: found, so that nothing shows them, and kept out of command lines and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

LONG = 20
"""characters from which a user alone, without a password, is taken for a token: forges take one there"""
_WEB = re.compile(r"(?P<scheme>https?://)(?P<user>[^/@\s:]*)(?::(?P<password>[^/\s]*))?@", re.IGNORECASE)
_HEADER = re.compile(r"http\.(?:.*\.)?extraheader", re.IGNORECASE)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def of_settings(entries: Iterable[tuple[str, str]]) -> set[str]:
    """The secrets that git's settings hold, in URLs and in headers, as they stand there and as they are sent.

    >>> sorted(of_settings([("remote.origin.url", "https://ann:p%40ssword@git.example.test/a/b")]))
    ['p%40ssword', 'p@ssword']
    >>> of_settings([("http.https://git.example.test/.extraheader", "AUTHORIZATION: basic eDpz")])
    {'eDpz'}
    """
    found = set()
    for key, value in entries:
        found |= _of_text(value) | _of_text(key)
        if _HEADER.fullmatch(key) and value.strip():
            found.add(value.split()[-1])
    return found


def of_environment(environ: Mapping[str, str]) -> set[str]:
    """The passwords of the proxies."""
    proxies = [value for name, value in environ.items() if name.lower() in _PROXIES and "@" in value]
    users = [value.rpartition("@")[0].rpartition("//")[2] for value in proxies]  # a proxy needs no scheme
    told = {user.partition(":")[2] or (user if len(user) >= LONG else "") for user in users}
    return {secret for text in told for secret in (text, unquote(text)) if secret}


def _of_text(text: str) -> set[str]:
    found = set()
    for part in _WEB.finditer(text):
        secret = part["password"] or (part["user"] if len(part["user"]) >= LONG else "")
        found |= {secret, unquote(secret)} - {""}
    return found


def hidden(url: str) -> str:
    """A URL without the user part that may hold a secret; ssh's user is none, and is needed.

    >>> hidden("https://ann:pw@git.example.test/a/b"), hidden("ssh://git@git.example.test/a/b")
    ('https://git.example.test/a/b', 'ssh://git@git.example.test/a/b')
    """
    return _WEB.sub(r"\g<scheme>", url)


def whole(url: str, candidates: Iterable[str]) -> str:
    """The candidate of which this URL is what `hidden` left, else the URL as it is.

    >>> whole("https://git.example.test/a", ["https://x.test/a", "https://ann:pw@git.example.test/a"])
    'https://ann:pw@git.example.test/a'
    """
    return next((candidate for candidate in candidates if hidden(candidate) == url), url)


def rewritten(args: Iterable[str]) -> dict[str, str]:
    """Settings with which git takes the hidden form of each URL for the whole one.

    >>> rewritten(["fetch", "--", "https://a:b@x.test/r", "main"])["url.https://a:b@x.test/r.insteadOf"]
    'https://x.test/r'
    """
    urls = [arg for arg in args if hidden(arg) != arg]
    return {f"url.{url}.{rule}": hidden(url) for url in urls for rule in ("insteadOf", "pushInsteadOf")}
