"""Classifies the message of a failed image pull: an image that is not there, or is denied, or a passing error.

The words come from containerd, CRI-O, docker, and registries; they are in `recordings/kubernetes`, in the OCI
distribution specification ("Error Codes"), and in gRPC's list of status codes.
"""

from __future__ import annotations

import re

_QUOTED_NAME = re.compile(r"""["'\\`][^"'\\`\s]*["'\\`]""")
_NAME = re.compile(r"[/@]|:\S|\w\.\w")
"""in a word of its own: an address, an image with its tag or digest, a file, or a host"""
_START, _END = r"(?<![\w-])", r"(?![\w-])"
_NOT_FOUND = re.compile(
    rf"{_START}(not ?found|manifest unknown|name unknown|does not exist|no such image){_END}", re.IGNORECASE
)
_DENIED = re.compile(
    rf"{_START}(unauthori[sz]ed|denied|authentication required|no basic auth|40[13]|forbidden"
    rf"|permissiondenied|unauthenticated){_END}",
    re.IGNORECASE,
)
_PASSING = re.compile(
    rf"{_START}(5\d\d|429|too ?many ?requests|time(d )?out|deadline ?exceeded|no such host|refused|reset"
    rf"|unreachable|no route to host|eof|tls handshake|temporar\w*|unavailable|rate limit){_END}",
    re.IGNORECASE,
)


def is_lasting_pull_error(message: str) -> bool:
    """Return whether the image is not there or is denied, so that the next try fails too.

    Only the error counts, not the names in the message: an image may be called `denied`, and its tag `403-9f2c1a7b`.

    >>> is_lasting_pull_error('failed to pull "r.example.test/app:1": r.example.test/app:1: not found')
    True
    >>> is_lasting_pull_error('Head "https://r.example.test/v2/app/manifests/403-9f2c": dial tcp: connection refused')
    False
    """
    error = strip_names(message)
    return not _PASSING.search(error) and bool(_NOT_FOUND.search(error) or _DENIED.search(error))


def strip_names(message: str) -> str:
    """Return an error without the names of images, hosts, and files.

    >>> strip_names('pulling image "app:denied" from registry.example.test:5000/v2: unexpected status 503')
    'pulling image from unexpected status 503'
    """
    words = _QUOTED_NAME.sub(" ", message).split()
    return " ".join(word for word in words if not _NAME.search(word.strip("()[]{},:;.")))
