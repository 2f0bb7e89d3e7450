"""Redacts secrets in text that is displayed or written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.text.url_secrets import hide_live_queries, strip_userinfo

MIN_SECRET_LENGTH = 6
"""characters; a shorter secret is not redacted, because that would also replace ordinary text"""


_IN_HTML = frozenset("&<>\"'")
"""characters that HTML encodes"""


def _encodings(secret: str) -> set[str]:
    """Return a secret as is, without control characters, and encoded for JSON, URLs, shells, Python, and HTML."""
    encodings = {secret, strip_control_chars(secret), repr(secret)[1:-1]}
    if not secret.isalnum():
        import json
        import shlex
        from urllib.parse import quote

        encodings |= {json.dumps(secret)[1:-1], shlex.quote(secret)}
        # An environment variable, or a git setting, need not be UTF-8.
        encodings |= {quote(secret, safe, errors="surrogatepass") for safe in ("/", "")}
    if _IN_HTML & set(secret):
        import html

        encodings |= {html.escape(secret), html.escape(secret, quote=False)}
    return encodings


class Redactor:
    """Replaces secrets in text, also encoded or truncated ones; secrets are added and never removed.

    >>> redact = Redactor()
    >>> redact.add("t0ken/value")
    >>> redact("Bearer t0ken/value! ?key=t0ken%2Fvalue"), redact("cut short: t0ken/v…")
    ('Bearer ***! ?key=***', 'cut short: ***…')
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Redact these secrets from now on; ones shorter than MIN_SECRET_LENGTH are ignored."""
        encodings = {
            encoding for secret in secrets if len(secret) >= MIN_SECRET_LENGTH for encoding in _encodings(secret)
        }
        self._secrets += sorted(form for form in encodings - set(self._secrets) if len(form) >= MIN_SECRET_LENGTH)

    def __call__(self, text: str) -> str:
        """Return the text with *** for each secret, for overlapping secrets, and for one cut by `truncate_text`."""
        found = sorted(
            span
            for secret in self._secrets
            for span in (*_occurrences(text, secret), *_truncated_occurrences(text, secret))
        )
        parts, done = [], 0
        for begin, end in found:
            if begin >= done:
                parts += [text[done:begin], "***"]
            done = max(done, end)
        return "".join([*parts, text[done:]])


def _occurrences(text: str, secret: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the secret; occurrences that overlap at equal distances are one, so that each is read once."""
    at = text.find(secret)
    while at >= 0:
        end, following = at + len(secret), text.find(secret, at + 1)
        if 0 <= following < end:
            distance = following - at
            repeated = secret[-distance:]
            end += distance
            while text.startswith(repeated, end):
                end += distance
            following = text.find(secret, end - len(secret) + 1)
        yield at, end
        at = following


def _truncated_occurrences(text: str, secret: str) -> Iterator[tuple[int, int]]:
    """Yield the spans where a prefix of the secret precedes the ellipsis of `truncate_text`."""
    at = text.find("…") if secret[:MIN_SECRET_LENGTH] in text else -1
    while at >= 0:
        for size in range(min(at, len(secret) - 1), MIN_SECRET_LENGTH - 1, -1):
            if text.endswith(secret[:size], 0, at):
                yield at - size, at
                break
        at = text.find("…", at + 1)


def sanitize_text(text: str, redact: Redactor, *, color: bool = False) -> str:
    r"""Return text as one line without control characters, secrets, userinfo of URLs, and queries of live URLs.

    Control characters are stripped first, so that one inside a secret cannot hide it from the redactor.

    Args:
        color: keep SGR colors, unless something is redacted: a sequence could be inside a secret.

    >>> sanitize_text("https://ann:pw@git.example.test \x1b[1mt0k\x1b[0men-value", Redactor(["t0ken-value"]))
    'https://git.example.test ***'
    """
    bare = strip_control_chars(text)
    shown = hide_live_queries(strip_userinfo(redact(bare)))
    return strip_control_chars(text, color=True) if color and shown == bare else shown
