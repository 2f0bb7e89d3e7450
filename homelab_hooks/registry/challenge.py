"""Parses WWW-Authenticate: which kinds of credentials a registry accepts, and where its token service is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MAX_CHALLENGE_CHARS = 8192
_TOKEN = r"[!#$%&'*+.^_`~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2, without `|`: Gitea separates challenges by `||`
_PIECE = re.compile(
    rf"(?P<name>{_TOKEN})(?:\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>{_TOKEN})))?", re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AuthChallenge:
    """A scheme in lower case, with its parameters by name in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def parse_challenges(header: str) -> tuple[AuthChallenge, ...]:
    r"""Return the challenges of a WWW-Authenticate header (RFC 9110, 11.6.1), in their order.

    Gitea separates two of them by `||` (registry recording 01-gitea-push).

    >>> [one.scheme for one in parse_challenges('Bearer realm="https://a.test/t",service="s" || Basic realm="G"')]
    ['bearer', 'basic']
    >>> parse_challenges('bearer REALM="a \\"b\\", c", service=x')[0].parameters
    {'realm': 'a "b", c', 'service': 'x'}
    """
    found: list[tuple[str, dict[str, str]]] = []
    for piece in _PIECE.finditer(header[:MAX_CHALLENGE_CHARS]):
        name, quoted, plain = piece["name"].lower(), piece["quoted"], piece["plain"]
        if quoted is None and plain is None:
            found.append((name, {}))
        elif found:
            value = plain if quoted is None else _ESCAPE.sub(r"\1", quoted)
            found[-1][1].setdefault(name, value)
    return tuple(AuthChallenge(scheme, parameters) for scheme, parameters in found)
