"""Where CI's token comes from: what a credential helper prints, and Vault's answers."""

from __future__ import annotations

import json

from homelab_hooks.auth.lookup import Token, TokenNotFound, read_token_from_git
from homelab_hooks.auth.vault import VaultSettings, read_token_from_vault
from homelab_hooks.config import address
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.system.completed import Completed
from tools.fuzz import texts
from tools.fuzz.fed import CannedProgram, FuzzTarget


def credentials(data: bytes) -> None:
    """Whatever a credential helper prints, it is a token that a header can carry, or none."""
    try:
        found = read_token_from_git(
            address.parse_server_url("https://ci.example.test"),
            CannedProgram(Completed(0, data)),  # type: ignore[arg-type]  # it runs as processes do
            token_page="/tokens",
        )
    except CommandError as problem:
        assert problem.exit is ExitCode.DENIED  # noqa: PT017 - most inputs end well
        return
    assert isinstance(found, TokenNotFound) or (found.value.isascii() and found.value.isprintable())


class Answers:
    """A Vault that answers what it is asked with one after the other, then with the last again and again."""

    def __init__(self, *replies: HttpResponse | RequestFailed) -> None:
        self._replies, self.asked = list(replies), list[HttpRequest]()

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """The next one."""
        assert 0 < timeout <= 10 < max_bytes
        self.asked.append(request)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def close(self) -> None:
        """Nothing is open."""


def vault(data: bytes) -> None:
    """Whatever Vault answers, it is a token that a header can carry, or why there is none; only it is asked, twice.

    First a status, then what it is asked for first, U+001F, and what it is asked for second.
    """
    status, _, bodies = data.partition(b" ")
    first, _, second = bodies.partition(b"\x1f")
    code = int(status) if status.isdigit() and len(status) == 3 and status >= b"200" else 200
    for replies in (
        (HttpResponse(code, {"location": "https://evil.example.test"}, first, 0.1),),
        (HttpResponse(200, {}, _MOUNTS[len(second) % 2], 0.1), HttpResponse(code, {}, second or first, 0.1)),
        (HttpResponse(200, {}, first, 0.1), HttpResponse(200, {}, second, 0.1)),
        (RequestFailed(FailureKind.CONNECTION, first.decode("latin-1")),),
    ):
        _asked(Answers(*replies), code)


def _asked(door: Answers, code: int) -> None:
    try:
        found = read_token_from_vault(VAULT, door)
    except CommandError as problem:
        assert problem.exit is ExitCode.DENIED  # noqa: PT017 - most inputs end well
        return
    assert len(door.asked) <= 2
    for call in door.asked:
        assert call.path.startswith("/v1/")
        assert call.headers["X-Vault-Token"] == VAULT.token
    if isinstance(found, Token):
        assert found.value.isascii()
        assert found.value.isprintable()
        return
    assert not texts.harmful(found.reason), found
    assert VAULT.token not in found.reason
    assert len(found.reason) < 150
    assert not found.unreachable or code >= 400 or "no response" in found.reason


VAULT = VaultSettings(
    server=address.parse_server_url("https://vault.example.test"), token="hvs.CAESIJabcdef", token_source="VAULT_TOKEN",
    path="secret/ci/global", field="woodpecker_api_token",
)  # fmt: skip
_MOUNTS = tuple(
    json.dumps({"data": {"path": "secret/", "type": "kv", "options": {"version": version}}}).encode()
    for version in ("1", "2")
)
_SECRETS = (
    b'{"data": {"data": {"woodpecker_api_token": "t0ken-value"}, "metadata": {"version": 3, "destroyed": false}}}',
    b'{"data": {"woodpecker_api_token": "t0ken-value"}, "lease_id": "", "auth": null}',
)

TARGETS = {
    "credentials": FuzzTarget(credentials, (
        b"protocol=https\nhost=ci.example.test\nusername=u\npassword=t0ken-value\n",
    )),
    "vault": FuzzTarget(vault, (
        *(b"200 %s\x1f%s" % (mount, secret) for mount in _MOUNTS for secret in _SECRETS),
        *_MOUNTS, *_SECRETS,
        b'403 {"errors": ["permission denied"]}', b'503 {"errors": ["Vault is sealed"]}', b"307 ",
        b'404 {"errors": []}\x1f{"data": {"data": null, "metadata": {"deletion_time": "2026-11-24T08:00:00Z"}}}',
        b'500 {"errors": ["1 error\\u001b[2J occurred"]}', b"429 ", b"502 <html>Bad gateway</html>",
    )),
}  # fmt: skip
