"""Finds secrets in URLs and git settings, so that they are redacted and kept out of command lines and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

MIN_BARE_TOKEN_LENGTH = 20
"""characters from which a user name without a password counts as a token: forges accept one there"""
_URL_WITH_USERINFO = re.compile(r"(?P<scheme>https?://)(?P<user>[^/@\s:]*)(?::(?P<password>[^/\s]*))?@", re.IGNORECASE)
_USER_PART = re.compile(
    # The second alternative allows a slash in a password, which is not a valid URL. It is bounded because text that
    # consists of URLs would take quadratic time. It repeats because the rest of a password may look like userinfo.
    r"://(?:[^/\s]*@|[^/\s:@]{1,64}:(?!\d{1,5}(?:[/?#]|$))[^\s@'\"]{0,128}@)+"
)
HIDDEN_QUERY = "***"
"""what is shown in place of the query of a live URL"""
_LIVE_QUERY = re.compile(
    # As a link or an image proof names it, also malformed, in a shell's quotes, and cut. It begins at the start of a
    # word only, and few quotes are looked at, because text that consists of either would take quadratic time.
    r"(?<![^\s'\"=(])(?P<url>live:[^\s?#]+)\?[^\s#]*?(?=['\"]{0,8}(?:[\s#]|$))"
)
_EXTRA_HEADER_KEY = re.compile(r"http\.(?:.*\.)?extraheader", re.IGNORECASE)
MIN_NOTIFY_TOKEN_LENGTH = 8
"""characters from which a part of a notification URL counts as a token"""
_NOTIFY_URL_KEY = "homelab.notifyurl"
_NOTIFY_URL_AUTHORITY_END = re.compile(r"[/?#]")
_NOTIFY_URL_PAIR_SEPARATOR = re.compile("[&#]")
_NOTIFY_URL_SEPARATORS = tuple(re.compile(chars) for chars in ("[/:@?&=,#]", "[/?&=#]", "[/?&#]"))
"""what separates the parts of a notification URL: a service may quote one, or two that are joined"""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}")
_HOST_NAME = re.compile(r"localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
"""what is taken for a host: a host is in many messages, and without it, they could not be understood"""
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


def find_secrets_in_git_config(entries: Iterable[tuple[str, str]]) -> set[str]:
    """Return the secrets in git settings, from URLs and extra headers, percent-encoded and decoded.

    >>> sorted(find_secrets_in_git_config([("remote.origin.url", "https://ann:p%40ssword@git.example.test/a/b")]))
    ['p%40ssword', 'p@ssword']
    >>> find_secrets_in_git_config([("http.https://git.example.test/.extraheader", "AUTHORIZATION: basic eDpz")])
    {'eDpz'}
    """
    found = set()
    for key, value in entries:
        found |= _secrets_in_text(value) | _secrets_in_text(key)
        if _EXTRA_HEADER_KEY.fullmatch(key) and value.strip():
            found.add(value.split()[-1])
        if key.lower() == _NOTIFY_URL_KEY:
            found |= find_secrets_in_notify_url(value)
    return found


def find_secrets_in_notify_url(url: str) -> set[str]:
    """Return what may be a secret in a URL of Apprise: a token may be the user, the host, or any part of the path.

    >>> sorted(find_secrets_in_notify_url("json://ann:pw@h.test/t0ken-t0ken?k=abcdefgh"))
    ['abcdefgh', 'ann:pw@h.test', 'ann:pw@h.test/t0ken-t0ken?k=abcdefgh', 'k=abcdefgh', 'pw', 't0ken-t0ken']
    """
    rest = url.strip().partition("://")[2]
    # An address in the query has an "@" too, and a password may have a slash, which is not a valid URL.
    users = (rest.rpartition("@")[0], _NOTIFY_URL_AUTHORITY_END.split(rest, maxsplit=1)[0].rpartition("@")[0])
    passwords = {user.partition(":")[2] for user in users}
    parts = {part for separators in _NOTIFY_URL_SEPARATORS for part in separators.split(rest)}
    path, _, query = rest.partition("?")
    parts |= {*path.split("/"), *path.partition("#")[0].split("/")}
    parts |= {pair.partition("=")[2] for pair in _NOTIFY_URL_PAIR_SEPARATOR.split(query)}
    parts |= {user.partition(":")[0] for user in users}
    parts = {part for part in parts if len(part) >= MIN_NOTIFY_TOKEN_LENGTH and not _HOST_NAME.fullmatch(part)}
    forms = {form for secret in (rest, *passwords, *parts) for form in (secret, secret.replace("+", " "))}
    return {form for secret in forms for form in (secret, unquote(secret)) if form}


def hide_after_scheme(url: str) -> str:
    """Return only the scheme of a URL.

    >>> hide_after_scheme("slack://t0ken/t0ken"), hide_after_scheme("t0ken")
    ('slack://***', '***')
    """
    scheme, separator, _ = url.partition("://")
    return f"{scheme}://***" if separator and _SCHEME.fullmatch(scheme) else "***"


def find_secrets_in_proxy_variables(environ: Mapping[str, str]) -> set[str]:
    """Return the proxy passwords in an environment, percent-encoded and decoded."""
    proxies = [value for name, value in environ.items() if name.lower() in _PROXY_VARIABLES and "@" in value]
    users = [value.rpartition("@")[0].rpartition("//")[2] for value in proxies]  # a proxy needs no scheme
    passwords = {user.partition(":")[2] or (user if len(user) >= MIN_BARE_TOKEN_LENGTH else "") for user in users}
    return {secret for text in passwords for secret in (text, unquote(text)) if secret}


def _secrets_in_text(text: str) -> set[str]:
    found = set()
    for part in _URL_WITH_USERINFO.finditer(text):
        secret = part["password"] or (part["user"] if len(part["user"]) >= MIN_BARE_TOKEN_LENGTH else "")
        found |= {secret, unquote(secret)} - {""}
    return found


def strip_userinfo(url: str) -> str:
    """Return a URL, or text that contains URLs, without userinfo.

    >>> strip_userinfo("https://bob:s3cret@git.example.test/a/b.git")
    'https://git.example.test/a/b.git'
    >>> strip_userinfo("https://bob:s3@cret@git.example.test"), strip_userinfo("https://bob:s3/c@ret@git.example.test")
    ('https://git.example.test', 'https://git.example.test')
    """
    return _USER_PART.sub("://", url)


def hide_live_queries(text: str) -> str:
    """Return text without the queries of the live URLs in it: they may be secret, and are in no output and no file.

    >>> hide_live_queries("run: homelab follow --follow 'live:https://shop.example.test/v?key=s3cret#commit'")
    "run: homelab follow --follow 'live:https://shop.example.test/v?***#commit'"
    """
    return _LIVE_QUERY.sub(rf"\g<url>?{HIDDEN_QUERY}", text) if "live:" in text else text


def strip_web_userinfo(url: str) -> str:
    """Return an http(s) URL without userinfo; other URLs are unchanged, because ssh needs its user name.

    >>> strip_web_userinfo("https://ann:pw@git.example.test/a/b"), strip_web_userinfo("ssh://git@git.example.test/a/b")
    ('https://git.example.test/a/b', 'ssh://git@git.example.test/a/b')
    """
    return _URL_WITH_USERINFO.sub(r"\g<scheme>", url)


def restore_userinfo(url: str, candidates: Iterable[str]) -> str:
    """Return the first candidate that equals `url` without its userinfo, or `url` if there is none.

    >>> restore_userinfo("https://git.example.test/a", ["https://x.test/a", "https://ann:pw@git.example.test/a"])
    'https://ann:pw@git.example.test/a'
    """
    return next((candidate for candidate in candidates if strip_web_userinfo(candidate) == url), url)


def build_instead_of_config(args: Iterable[str]) -> dict[str, str]:
    """Return git settings (url.*.insteadOf) that map each URL without userinfo back to the full URL.

    >>> build_instead_of_config(["fetch", "--", "https://a:b@x.test/r", "main"])["url.https://a:b@x.test/r.insteadOf"]
    'https://x.test/r'
    """
    urls = [arg for arg in args if strip_web_userinfo(arg) != arg]
    return {f"url.{url}.{rule}": strip_web_userinfo(url) for url in urls for rule in ("insteadOf", "pushInsteadOf")}
