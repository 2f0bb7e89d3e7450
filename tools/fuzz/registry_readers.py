"""What a registry answers, and what docker's configuration and a credential helper contain."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from homelab_hooks.config.address import Dial, ServerUrl
from homelab_hooks.net.message import HttpRequest, HttpResponse
from homelab_hooks.registry.answer import ImageFacts, RegistrySilence, RunningImage
from homelab_hooks.registry.challenge import parse_challenges
from homelab_hooks.registry.client import RegistryClient
from homelab_hooks.registry.docker_config import (
    CredentialHelper,
    LoginProblem,
    RegistryLogin,
    find_credential_entry,
    parse_docker_config,
    parse_helper_output,
)
from homelab_hooks.registry.exchange import RegistryHosts
from homelab_hooks.registry.manifest import MAX_REVISION_CHARS
from homelab_hooks.registry.reader import MAX_PLATFORMS
from homelab_hooks.registry.reference import ImageReference, parse_image_reference
from tools.fuzz import texts
from tools.fuzz.fed import SHA, FuzzTarget

_DATE = "Mon, 30 Nov 2026 12:00:00 GMT"
_IMAGE = ImageReference("registry.example.test", "acme/app")
_CANARY = "canary-password"
MAX_REQUESTS = 2 * MAX_PLATFORMS + 40
MAX_REASON_CHARS = 600


class _Logins:
    """Credentials that must reach no server without TLS, and no message."""

    def find_login(self, image: ImageReference) -> RegistryLogin:
        """The same for every image."""
        del image
        return RegistryLogin("ann", "a file", _CANARY)


@dataclass
class _OneAnswer:
    """A server that answers everything with the same response."""

    server: ServerUrl
    response: HttpResponse
    requests: list[HttpRequest]

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse:
        """It, again."""
        assert 0 < timeout <= 10 < max_bytes
        assert self.server.scheme == "https"
        assert request.path.startswith("/")
        assert f"{request.path}{request.headers}".isprintable()
        self.requests.append(request)
        return self.response

    def close(self) -> None:
        """Nothing is open."""


def registry(data: bytes) -> None:
    """Whatever a registry answers, it is an answer whose words are harmless, after a bounded number of requests.

    First a status, then the text of the headers about credentials, rates, and redirects, U+001F, and the body.
    """
    status, _, rest = data.partition(b" ")
    text, _, body = rest.partition(b"\x1f")
    code = int(status) if status.isdigit() and len(status) == 3 and status >= b"200" else 200
    word = text.decode("latin-1")
    parse_challenges(word)
    names = ("www-authenticate", "retry-after", "ratelimit-reset", "location", "docker-content-digest", "content-type")
    response = HttpResponse(code, {"date": _DATE, **dict.fromkeys(names, word)}, body, 0.1)
    requests: list[HttpRequest] = []

    def connect(server: ServerUrl, dial: Dial | None) -> _OneAnswer:
        del dial
        return _OneAnswer(server, response, requests)

    hosts = RegistryHosts(connect, lambda *_: ("140.82.121.6",), lambda: 0.0)
    client = RegistryClient(hosts, _Logins())
    digests = (f"sha256:{hashlib.sha256(body).hexdigest()}", "sha256:" + "0" * 64)
    for digest in digests:
        answer = client.describe_image(RunningImage(reference=_IMAGE.name, digest=digest), SHA)
        words = (answer.note, *answer.revisions) if isinstance(answer, ImageFacts) else (answer.reason, answer.hint)
        for one in words:
            assert not texts.harmful(one), answer
            assert _CANARY not in one
            assert len(one) <= (MAX_REVISION_CHARS if isinstance(answer, ImageFacts) else MAX_REASON_CHARS), answer
        if isinstance(answer, RegistrySilence):
            assert answer.retry_after_s is None or answer.retry_after_s >= 0
    assert len(requests) <= MAX_REQUESTS


def docker_config(data: bytes) -> None:
    """Whatever a configuration or a helper contains, it is credentials, a helper's name, or a harmless problem."""
    config = parse_docker_config(data, "a file")
    found = config if isinstance(config, LoginProblem) else find_credential_entry(config, _IMAGE, "a file")
    if isinstance(found, CredentialHelper):
        assert "/" not in found.name
    for one in (found, parse_helper_output(data, CredentialHelper("pass", "a file"))):
        if isinstance(one, LoginProblem):
            assert not texts.harmful(one.reason)
        if isinstance(one, RegistryLogin):
            assert one.basic.isprintable()
            assert "password" not in repr(one).replace(repr(one.user), "")


def image_reference(data: bytes) -> None:
    """Whatever a template names, it is an image whose parts are safe in a URL, or none."""
    try:
        found = parse_image_reference(data.decode("utf-8", "replace"))
    except ValueError:
        return
    shown = f"{found.host}/{found.repository}:{found.tag}"
    assert shown.isprintable()
    assert not set(shown) & set(" ?#%\\\"'")
    assert ".." not in found.repository.split("/")


_DIGEST = b"sha256:" + b"0" * 64
_INDEX = b'{"manifests": [{"digest": "%s", "platform": {"os": "linux"}, "annotations": {}}]}' % _DIGEST
_MANIFEST = (
    b'{"config": {"digest": "%s", "Labels": {}}, "annotations": {"org.opencontainers.image.revision": "a"}}' % _DIGEST
)
TARGETS = {
    "registry": FuzzTarget(
        registry,
        (
            b'401 Bearer realm="https://auth.example.test/token?x=1",service="s",scope="*" || Basic realm="G"\x1f{}',
            b"200 %s\x1f%s" % (_DIGEST, _MANIFEST),
            b"200 x\x1f" + _INDEX,
            b"307 https://storage.example.test/a?sig=1\x1f",
            b"429 30\x1f",
            b"503 \x1f",
            b"200 text/html\x1f<title>x</title>",
            b'404 x\x1f{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "\\u001b[2J"}]}',
            b'200 x\x1f{"token": "t", "expires_in": 60, "config": {"Labels": {}}}',
        ),
    ),
    "docker-config": FuzzTarget(
        docker_config,
        (
            b'{"auths": {"registry.example.test": {"auth": "YW5uOngyMzQ1Njc4OTA=", "identitytoken": "t"}}}',
            b'{"credHelpers": {"registry.example.test": "pass"}, "credsStore": "desktop"}',
            b'{"Username": "<token>", "Secret": "x234567890"}',
            b'{"auths": {"https://registry.example.test/v1/": {}}, "credsStore": ""}',
        ),
    ),
    "image-reference": FuzzTarget(
        image_reference,
        (
            b"registry.example.test:5000/acme/app:v1@" + _DIGEST,
            b"app",
            b"[::1]:5000/a/b",
            b"localhost/a:b",
        ),
    ),
}
