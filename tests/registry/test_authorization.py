"""Credentials reach a registry and its token service only when it asks, and never anything that a redirect names."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from homelab_hooks.net.message import HttpRequest, HttpResponse
from homelab_hooks.registry.answer import ImageFacts, RegistrySilence, RunningImage
from homelab_hooks.registry.docker_config import LoginProblem, RegistryLogin
from homelab_hooks.simulators.registry.api import RegistryLogins
from tests.registry.registry_world import ALICE, HOST, IMAGE, NO_TLS, ORIGIN, PUBLIC, SHA, RegistryWorld, reply

CANARIES = ("canary", ALICE.basic.removeprefix("Basic "), "s3cret")
STORAGE = "https://storage.example.test"


@pytest.fixture
def world() -> RegistryWorld:
    """A registry whose repository acme/app only alice may pull."""
    world = RegistryWorld()
    world.store.passwords["alice"] = ALICE.password
    world.store.identity_tokens["canary-identity"] = "alice"
    world.store.repository("acme/app").readers = frozenset({"alice"})
    return world


def push(world: RegistryWorld) -> str:
    return world.store.repository("acme/app").push_image("latest", revision=SHA)


def origins_with_secrets(world: RegistryWorld) -> set[str]:
    """The origins that received a canary, in a header, a path, or a body."""
    return {origin for origin, request in world.requests if any(canary in repr(request) for canary in CANARIES)}


@pytest.mark.parametrize("login", [ALICE, RegistryLogin("", "a helper", identity_token="canary-identity")])
def test_a_token_is_requested_with_the_credentials_for_pulling_one_repository(
    world: RegistryWorld, login: RegistryLogin
) -> None:
    world.open_registry(RegistryLogins.TOKEN)
    world.logins.login = login
    assert world.describe(push(world)) == ImageFacts(revisions=(SHA,))
    tokens = [request for _, request in world.requests if "/v2/token" in request.path]
    assert len(tokens) == 1
    asked = parse_qs(tokens[0].body.decode() or urlsplit(tokens[0].path).query)
    assert (asked["scope"], asked["service"]) == (["repository:acme/app:pull"], ["container_registry"])
    assert world.authorizations(ORIGIN)[0] == ""  # nothing is sent before the registry asks
    assert "token-of-alice.s3cret" in world.secrets


def test_a_token_is_used_until_it_expires(world: RegistryWorld) -> None:
    world.open_registry(RegistryLogins.TOKEN)
    world.logins.login = ALICE
    client = world.client()
    for number in range(3):
        world.clock.time = 40.0 * number
        digest = world.store.repository("acme/app").push_image(revision=SHA, content=str(number))
        client.describe_image(RunningImage(reference=IMAGE, digest=digest), SHA)
    assert len([line for line in world.lines if "/v2/token" in line]) == 2


def test_basic_credentials_are_sent_to_a_registry_that_asks_for_them(world: RegistryWorld) -> None:
    world.open_registry(RegistryLogins.BASIC)
    world.logins.login = ALICE
    assert world.describe(push(world)) == ImageFacts(revisions=(SHA,))
    assert world.authorizations(ORIGIN) == ["", ALICE.basic, ALICE.basic]


@pytest.mark.parametrize("logins", [RegistryLogins.BASIC, RegistryLogins.TOKEN])
@pytest.mark.parametrize(
    ("login", "words", "hint"),
    [
        (None, "without credentials", f"run docker login {HOST}"),
        (LoginProblem("docker-credential-x is not installed"), "docker-credential-x is not installed", "run docker"),
        (
            RegistryLogin("bob", "~/.docker/config.json", "wrong-canary"),
            "with the credentials from ~/.docker/config.json",
            "check that they may pull acme/app",
        ),
    ],
)
def test_a_refusal_names_the_registry_and_the_remedy(
    world: RegistryWorld, logins: RegistryLogins, login: RegistryLogin | LoginProblem | None, words: str, hint: str
) -> None:
    world.open_registry(logins)
    world.logins.login = login
    found = world.describe(push(world))
    assert isinstance(found, RegistrySilence)
    assert f"the registry {HOST} refused access to acme/app" in found.reason
    assert words in found.reason
    assert hint in found.hint
    assert not found.passing
    assert "canary" not in found.reason + found.hint


def test_a_second_401_after_a_token_ends_the_question(world: RegistryWorld) -> None:
    world.open_registry(RegistryLogins.TOKEN)
    world.store.passwords["bob"] = "canary-of-bob"
    world.logins.login = RegistryLogin("bob", "a helper", "canary-of-bob")
    assert isinstance(world.describe(push(world)), RegistrySilence)
    assert [urlsplit(line.partition(" ")[2]).path[:9] for line in world.lines] == [
        "/v2/acme/",
        "/v2/token",
        "/v2/acme/",
    ]


def test_an_anonymous_token_pulls_a_public_image(world: RegistryWorld) -> None:
    world.open_registry(RegistryLogins.TOKEN)
    world.store.repository("acme/app").readers = None
    assert world.describe(push(world)) == ImageFacts(revisions=(SHA,))


@pytest.mark.parametrize(
    "realm",
    [
        "http://registry.example.test/token",
        "http://127.0.0.1/token",
        "https://u:p@x.test/",
        "ftp://x",
        "",
        "https://x.test/a\tb",
    ],
)
def test_a_token_service_without_tls_or_address_receives_nothing(world: RegistryWorld, realm: str) -> None:
    world.logins.login = ALICE
    challenge = f'Bearer realm="{realm}",service="s"'
    world.servers[ORIGIN] = lambda _: reply(401, www_authenticate=challenge)
    found = world.describe(push(world))
    assert isinstance(found, RegistrySilence)
    assert "its token service" in found.reason
    assert origins_with_secrets(world) == set()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"token": 1}', b'{"token": "a\\nb"}', b'{"token": ""}', b"<html>"]
)
def test_a_response_without_a_usable_token_is_a_silence(world: RegistryWorld, body: bytes) -> None:
    world.open_registry(RegistryLogins.TOKEN)
    honest = world.servers[ORIGIN]
    world.servers[ORIGIN] = lambda request: reply(200, body) if "/v2/token" in request.path else honest(request)
    found = world.describe(push(world))
    assert isinstance(found, RegistrySilence)
    assert "returned no token" in found.reason or "refused" in found.reason


def follow_blobs(world: RegistryWorld, storage: str = STORAGE) -> str:
    """Redirect the blobs of the registry; return the digest of an image there."""
    world.logins.login = ALICE
    api = world.open_registry(RegistryLogins.TOKEN, storage=storage)
    digest = push(world)
    blobs = world.store.repository("acme/app").blobs
    world.servers[storage] = lambda request: reply(200, blobs[request.path.removeprefix("/")])
    assert api.storage == storage
    return digest


def test_a_blob_is_downloaded_from_storage_without_the_credentials(world: RegistryWorld) -> None:
    assert world.describe(follow_blobs(world)) == ImageFacts(revisions=(SHA,))
    assert world.authorizations(STORAGE) == [""]
    assert origins_with_secrets(world) == {ORIGIN}
    dial = next(dial for origin, dial in world.connected if origin == STORAGE)
    assert str(dial) == PUBLIC  # the address that was checked


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1"])
def test_a_blob_is_not_downloaded_from_a_private_network(world: RegistryWorld, address: str) -> None:
    digest = follow_blobs(world)
    world.addresses["storage.example.test"] = address
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert "leads to a private address" in found.reason
    assert world.authorizations(STORAGE) == []
    world.addresses[HOST] = "10.0.0.7"  # a registry in the same network may keep its blobs there
    assert world.describe(digest) == ImageFacts(revisions=(SHA,))


def test_a_second_redirect_is_not_followed(world: RegistryWorld) -> None:
    digest = follow_blobs(world)
    world.servers[STORAGE] = lambda _: reply(302, location="https://third.example.test/")
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert "redirects" in found.reason
    assert {origin for origin, _ in world.requests} == {ORIGIN, STORAGE}


@pytest.mark.parametrize(
    "location", ["", "https://", "https://a b/", f"https://x.test/{'a' * 70_000}", "https://u:p@x.test/"]
)
def test_a_redirect_without_a_usable_address_is_a_silence(world: RegistryWorld, location: str) -> None:
    world.servers[ORIGIN] = lambda _: reply(307, location=location)
    found = world.describe(push(world))
    assert isinstance(found, RegistrySilence)
    assert not found.passing
    assert {origin for origin, _ in world.requests} == {ORIGIN}


def test_a_tag_is_not_looked_up_elsewhere(world: RegistryWorld) -> None:
    world.open_registry()
    digest = world.store.repository("acme/app").push_image(content="no label")
    world.store.repository("acme/app").readers = None
    honest = world.servers[ORIGIN]

    def redirect_tags(request: HttpRequest) -> object:
        return reply(302, location="https://evil.example.test/") if request.method == "HEAD" else honest(request)

    world.servers[ORIGIN] = redirect_tags  # type: ignore[assignment]  # the reply of one of the two
    found = world.describe(digest)
    assert isinstance(found, RegistrySilence)
    assert {origin for origin, _ in world.requests} == {ORIGIN}


@pytest.mark.parametrize(
    ("image", "allows_http", "origins"),
    [
        ("localhost:5001/acme/app", False, ["https://localhost:5001", "http://localhost:5001"]),
        ("127.0.0.1:5001/acme/app", False, ["https://127.0.0.1:5001", "http://127.0.0.1:5001"]),
        ("registry.lan:5000/acme/app", False, ["https://registry.lan:5000"]),
        ("registry.lan:5000/acme/app", True, ["https://registry.lan:5000", "http://registry.lan:5000"]),
        ("registry.lan/acme/app", True, ["https://registry.lan"]),
        ("app", True, ["https://registry-1.docker.io"]),
    ],
)
def test_http_is_for_this_machine_or_where_the_user_allows_it(
    world: RegistryWorld, image: str, origins: list[str], *, allows_http: bool
) -> None:
    serve: Callable[[HttpRequest], HttpResponse] = lambda _: reply(404)  # noqa: E731 - typed
    world.servers.update(dict.fromkeys((one for one in origins if one.startswith("http:")), serve))
    world.servers.update(dict.fromkeys((one for one in origins if one.startswith("https:")), lambda _: NO_TLS))
    client = world.client(allows_http=allows_http)
    found = client.describe_image(RunningImage(reference=image, digest="sha256:" + "0" * 64), SHA)
    assert isinstance(found, RegistrySilence)
    assert not found.passing
    assert [origin for origin, _ in world.requests] == origins


def test_the_credentials_of_docker_hub_have_its_old_name(world: RegistryWorld) -> None:
    world.servers["https://registry-1.docker.io"] = lambda _: reply(401, www_authenticate='Basic realm="x"')
    found = world.describe("sha256:" + "0" * 64, image="acme/app")
    assert isinstance(found, RegistrySilence)
    assert (world.logins.asked, found.hint) == (["https://index.docker.io/v1/"], "run docker login")


def test_a_token_never_shows_in_what_is_printed() -> None:
    shown = repr([ALICE, RegistryLogin("", "x", identity_token="canary-identity")])
    assert [canary for canary in CANARIES if canary in shown] == []
    assert json.loads(json.dumps(shown)) == shown
